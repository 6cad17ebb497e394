import { Component, computed, input, output } from '@angular/core';
import { mdiCreation } from '@mdi/js';

import { Icon } from '../ui/icon';
import { ProblemPanel } from '../ui/problem-panel';
import { MarkdownText } from './markdown-text';
import { ToolChip } from './tool-chip';
import { type Turn } from './turn';

/** A question on the right, its answer on the left. */
@Component({
  selector: 'app-turn-view',
  imports: [Icon, MarkdownText, ProblemPanel, ToolChip],
  templateUrl: './turn-view.html',
  styleUrl: './turn-view.scss',
})
export class TurnView {
  readonly turn = input.required<Turn>();
  /** Only the last turn can be tried again. */
  readonly last = input.required<boolean>();
  readonly ticketPrefix = input.required<string | null>();
  readonly retry = output();

  /** A message that begins and ends without a word is not worth a bubble. */
  protected readonly parts = computed(() =>
    this.turn().parts.filter((part) => part.kind === 'tool' || part.markdown !== ''),
  );
  protected readonly icon = mdiCreation;
}
