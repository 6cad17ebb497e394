import { Component, computed, input, signal } from '@angular/core';
import {
  mdiAlertCircleOutline,
  mdiCheckCircleOutline,
  mdiChevronDown,
  mdiCloseCircleOutline,
  mdiLoading,
} from '@mdi/js';

import { Icon } from '../ui/icon';
import { type ToolCall } from './turn';

const LOOKS = {
  running: { icon: mdiLoading, word: 'running' },
  done: { icon: mdiCheckCircleOutline, word: 'done' },
  failed: { icon: mdiAlertCircleOutline, word: 'failed' },
  stopped: { icon: mdiCloseCircleOutline, word: 'stopped' },
} as const;

/** One use of a tool: which, how it went, and on request what was asked and answered. */
@Component({
  selector: 'app-tool-chip',
  imports: [Icon],
  templateUrl: './tool-chip.html',
  styleUrl: './tool-chip.scss',
})
export class ToolChip {
  readonly call = input.required<ToolCall>();

  protected readonly open = signal(false);
  protected readonly look = computed(() => LOOKS[this.call().state]);
  protected readonly args = computed(() => readable(this.call().args));
  protected readonly result = computed(() => readable(this.call().result));
  protected readonly arrow = mdiChevronDown;

  protected toggle(): void {
    this.open.update((open) => !open);
  }
}

/** JSON with line breaks; any other text, and JSON that is still arriving, as it is. */
function readable(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
