import { Component, computed, input } from '@angular/core';

import { type TicketStatus } from '../api/models';
import { STATUS_WORDS } from './ticket-words';

/** A status as word and colour; the word alone is enough. */
@Component({
  selector: 'app-status-badge',
  template: `{{ word() }}`,
  host: { '[class]': 'status()' },
  styles: `
    :host {
      --hue: var(--mat-sys-outline);

      align-items: center;
      background: color-mix(in srgb, var(--hue) 13%, transparent);
      border-radius: 99rem;
      color: var(--mat-sys-on-surface);
      display: inline-flex;
      font-size: 0.8125rem;
      font-weight: 550;
      gap: 0.4375rem;
      line-height: 1;
      padding: 0.375rem 0.6875rem 0.375rem 0.5625rem;
      white-space: nowrap;
    }

    :host::before {
      background: var(--hue);
      block-size: 0.5rem;
      border-radius: 50%;
      content: '';
      inline-size: 0.5rem;
    }

    :host(.open) {
      --hue: light-dark(#2f6fde, #7fb0ff);
    }
    :host(.in_progress) {
      --hue: light-dark(#5b5bd6, #b3b2ff);
    }
    :host(.pending) {
      --hue: light-dark(#b26a00, #ffb95c);
    }
    :host(.resolved) {
      --hue: light-dark(#0e8a7b, #4fd6c1);
    }
  `,
})
export class StatusBadge {
  readonly status = input.required<TicketStatus>();

  protected readonly word = computed(() => STATUS_WORDS[this.status()]);
}
