import { Component, type OnDestroy, input, linkedSignal, output } from '@angular/core';
import { MatIconButton } from '@angular/material/button';
import { mdiClose, mdiMagnify } from '@mdi/js';

import { type TicketStatus } from '../api/models';
import { Icon } from '../ui/icon';
import { type TicketFilter } from './ticket-filter';
import { STATUSES, STATUS_WORDS } from './ticket-words';

const TYPING_PAUSE_MS = 250;

/** Words to search for, and the statuses to look in. */
@Component({
  selector: 'app-ticket-filter-bar',
  imports: [Icon, MatIconButton],
  templateUrl: './ticket-filter-bar.html',
  styleUrl: './ticket-filter-bar.scss',
})
export class TicketFilterBar implements OnDestroy {
  readonly filter = input.required<TicketFilter>();
  readonly filterChange = output<TicketFilter>();

  /** The text in the box. A filter that comes from elsewhere replaces it, unless it says the same, or somebody types. */
  protected readonly text = linkedSignal<string, string>({
    source: () => this.filter().query,
    computation: (query, previous) =>
      previous && (this.typing !== undefined || previous.value.trim() === query) ? previous.value : query,
  });
  protected readonly choices = STATUSES.map((status) => ({ status, word: STATUS_WORDS[status] }));
  protected readonly icons = { search: mdiMagnify, clear: mdiClose };

  private typing: ReturnType<typeof setTimeout> | undefined;

  ngOnDestroy(): void {
    clearTimeout(this.typing);
  }

  protected type(text: string): void {
    this.text.set(text);
    clearTimeout(this.typing);
    this.typing = setTimeout(() => {
      this.search();
    }, TYPING_PAUSE_MS);
  }

  protected search(): void {
    clearTimeout(this.typing);
    this.typing = undefined;
    const query = this.text().trim();
    if (query !== this.filter().query) {
      this.filterChange.emit({ ...this.filter(), query });
    }
  }

  protected clear(): void {
    this.text.set('');
    this.search();
  }

  protected isChosen(status: TicketStatus): boolean {
    return this.filter().statuses.includes(status);
  }

  protected toggle(status: TicketStatus): void {
    const chosen = this.filter().statuses;
    const statuses = STATUSES.filter((each) =>
      each === status ? !chosen.includes(each) : chosen.includes(each),
    );
    this.filterChange.emit({ ...this.filter(), statuses });
  }
}
