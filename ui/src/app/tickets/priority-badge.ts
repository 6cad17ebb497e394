import { Component, computed, input } from '@angular/core';
import { mdiChevronDoubleUp, mdiChevronDown, mdiChevronUp, mdiEqual } from '@mdi/js';

import { type TicketPriority } from '../api/models';
import { Icon } from '../ui/icon';
import { PRIORITY_WORDS } from './ticket-words';

const ICONS = {
  low: mdiChevronDown,
  normal: mdiEqual,
  high: mdiChevronUp,
  urgent: mdiChevronDoubleUp,
} as const;

/** How soon: an arrow and a word. */
@Component({
  selector: 'app-priority-badge',
  imports: [Icon],
  template: `<app-icon [path]="icon()" />{{ word() }}`,
  host: { '[class]': 'priority()' },
  styles: `
    :host {
      align-items: center;
      color: var(--mat-sys-on-surface-variant);
      display: inline-flex;
      font-size: 0.8125rem;
      font-weight: 500;
      gap: 0.25rem;
      white-space: nowrap;
    }

    :host(.high) app-icon {
      color: light-dark(#b26a00, #ffb95c);
    }
    :host(.urgent) app-icon {
      color: var(--mat-sys-error);
    }
    :host(.urgent) {
      color: var(--mat-sys-on-surface);
      font-weight: 600;
    }
  `,
})
export class PriorityBadge {
  readonly priority = input.required<TicketPriority>();

  protected readonly icon = computed(() => ICONS[this.priority()]);
  protected readonly word = computed(() => PRIORITY_WORDS[this.priority()]);
}
