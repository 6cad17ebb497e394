import { Component, type ElementRef, computed, input, model, output, viewChild } from '@angular/core';
import { MatIconButton } from '@angular/material/button';
import { mdiArrowUp, mdiStop } from '@mdi/js';

import { Icon } from '../ui/icon';

/** Where the user writes. Enter sends, Shift+Enter breaks the line; while an answer comes, the button stops it. */
@Component({
  selector: 'app-composer',
  imports: [Icon, MatIconButton],
  templateUrl: './composer.html',
  styleUrl: './composer.scss',
})
export class Composer {
  readonly running = input.required<boolean>();
  /** Nothing can be sent now. What is written stays. */
  readonly blocked = input(false);
  readonly text = model.required<string>();
  readonly send = output<string>();
  readonly stop = output();

  protected readonly blank = computed(() => this.text().trim() === '');
  protected readonly idle = computed(() => this.blank() || this.blocked());
  protected readonly icons = { send: mdiArrowUp, stop: mdiStop };

  private readonly box = viewChild.required<ElementRef<HTMLTextAreaElement>>('box');

  focus(): void {
    this.box().nativeElement.focus();
  }

  protected sendByEnter(event: Event): void {
    const { shiftKey, isComposing } = event as KeyboardEvent;
    // Enter that confirms a word of an input method is not meant for us.
    if (!shiftKey && !isComposing) {
      event.preventDefault();
      this.submit();
    }
  }

  protected submit(): void {
    if (!this.running() && !this.idle()) {
      this.send.emit(this.text().trim());
      this.text.set('');
    }
    this.focus();
  }

  protected halt(): void {
    this.stop.emit();
    this.focus();
  }
}
