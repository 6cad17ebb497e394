import { Service, computed, inject, linkedSignal, resource, signal } from '@angular/core';

import { Api } from '../api/api';
import { createTicket, listTickets } from '../api/functions';
import { type Ticket, type TicketCreate, type TicketPage } from '../api/models';
import { type Problem, problemOf } from '../core/problems/problem';
import { EVERYTHING, type TicketFilter } from './ticket-filter';

const PAGE_SIZE = 20;
const MOST_AT_ONCE = 100;

/** The list of tickets: the pages loaded so far, under one filter. */
@Service()
export class TicketStore {
  private readonly api = inject(Api);
  private readonly _filter = signal<TicketFilter>(EVERYTHING, { equal: sameFilter });
  private readonly _look = signal({ size: PAGE_SIZE, quiet: false });
  private readonly _first = resource({
    params: () => ({ filter: this._filter(), size: this._look().size, look: this._look() }),
    loader: ({ params }) => this.load(params.filter, null, params.size),
  });
  /** The first page under this filter, or under the one before while this one loads: the list never blinks. */
  private readonly _shown = linkedSignal<TicketPage | undefined, TicketPage | undefined>({
    source: () => (this._first.hasValue() ? this._first.value() : undefined),
    computation: (page, previous) => page ?? previous?.value,
  });
  private readonly _more = linkedSignal<TicketPage | undefined, readonly TicketPage[]>({
    source: this._shown,
    computation: () => [],
  });
  private readonly _loadingMore = signal(false);
  private readonly _moreProblem = linkedSignal<TicketPage | undefined, Problem | null>({
    source: this._shown,
    computation: () => null,
  });

  readonly filter = this._filter.asReadonly();
  readonly loading = computed(() => this._first.isLoading() && !this._look().quiet);
  readonly loaded = computed(() => this._shown() !== undefined);
  readonly items = computed<readonly Ticket[]>(() => this.pages().flatMap((page) => page.items));
  readonly total = computed(() => this.pages().at(-1)?.total ?? 0);
  readonly hasMore = computed(() => this.cursor() !== null);
  readonly loadingMore = this._loadingMore.asReadonly();
  readonly problem = computed(() => {
    const error = this._first.error();
    return error && !this._look().quiet ? problemOf(error) : null;
  });
  readonly moreProblem = this._moreProblem.asReadonly();

  private readonly pages = computed(() => {
    const first = this._shown();
    return first ? [first, ...this._more()] : [];
  });
  private readonly cursor = computed(() => this.pages().at(-1)?.nextCursor ?? null);

  show(filter: TicketFilter): void {
    if (!sameFilter(filter, this._filter())) {
      this._filter.set(filter);
      this.reload();
    }
  }

  reload(): void {
    this._look.set({ size: PAGE_SIZE, quiet: false });
  }

  /** Looks again at what is shown, because something has changed: no bar, no fewer rows, no complaint. */
  refresh(): void {
    const size = Math.min(Math.max(this.items().length, PAGE_SIZE), MOST_AT_ONCE);
    this._look.set({ size, quiet: this.loaded() });
  }

  /** Appends the next page. What comes back after the list has changed is thrown away. */
  async loadMore(): Promise<void> {
    const first = this._shown();
    const cursor = this.cursor();
    if (cursor === null || this._loadingMore()) {
      return;
    }
    this._loadingMore.set(true);
    this._moreProblem.set(null);
    try {
      const page = await this.load(this._filter(), cursor);
      if (this._shown() === first) {
        this._more.update((pages) => [...pages, page]);
      }
    } catch (error) {
      this._moreProblem.set(problemOf(error));
    } finally {
      this._loadingMore.set(false);
    }
  }

  /**
   * Opens a ticket and shows it: a filter that might hide it is taken away.
   *
   * @throws Problem the api refused it
   */
  async create(draft: TicketCreate): Promise<Ticket> {
    const ticket = await this.api.invoke(createTicket, { body: draft }).catch((error: unknown) => {
      throw problemOf(error);
    });
    this._filter.set(EVERYTHING);
    this.reload();
    return ticket;
  }

  private load(
    { query, statuses }: TicketFilter,
    cursor: string | null,
    limit = PAGE_SIZE,
  ): Promise<TicketPage> {
    return this.api.invoke(listTickets, {
      limit,
      ...(query && { query }),
      ...(statuses.length > 0 && { status: [...statuses] }),
      ...(cursor !== null && { cursor }),
    });
  }
}

function sameFilter(one: TicketFilter, other: TicketFilter): boolean {
  return one.query === other.query && one.statuses.join() === other.statuses.join();
}
