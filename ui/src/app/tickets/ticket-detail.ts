import { DatePipe } from '@angular/common';
import { Component, computed, inject, input, linkedSignal, resource, signal } from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';
import { MatButton } from '@angular/material/button';
import { MatProgressBar } from '@angular/material/progress-bar';
import { RouterLink } from '@angular/router';
import { mdiArrowLeft, mdiCreationOutline, mdiTicketConfirmationOutline } from '@mdi/js';
import { filter, tap } from 'rxjs';

import { Api } from '../api/api';
import { getTicket } from '../api/functions';
import { type Ticket } from '../api/models';
import { Changes, atMostOften } from '../core/changes/changes';
import { problemOf } from '../core/problems/problem';
import { Avatar } from '../ui/avatar';
import { EmptyState } from '../ui/empty-state';
import { Icon } from '../ui/icon';
import { ProblemPanel } from '../ui/problem-panel';
import { People } from './people';
import { PriorityBadge } from './priority-badge';
import { StatusBadge } from './status-badge';
import { TYPE_WORDS } from './ticket-words';

/** Codes that mean the same to the reader: a key of another organization, of nobody, or no key at all. */
const NO_SUCH_TICKET = ['not_found', 'invalid'];

@Component({
  selector: 'app-ticket-detail',
  imports: [
    Avatar,
    DatePipe,
    EmptyState,
    Icon,
    MatButton,
    MatProgressBar,
    PriorityBadge,
    ProblemPanel,
    RouterLink,
    StatusBadge,
  ],
  templateUrl: './ticket-detail.html',
  styleUrl: './ticket-detail.scss',
})
export class TicketDetail {
  private readonly api = inject(Api);
  private readonly people = inject(People);

  /** From the address. */
  readonly key = input.required<string>();

  /** Told by an event: to ask for it again would only be refused. */
  private readonly _gone = linkedSignal({ source: () => this.key(), computation: () => false });
  /** A quiet look is one nobody asked for: it shows no bar, and what was there meanwhile. */
  private readonly _look = signal({ quiet: false });
  private readonly _ticket = resource({
    params: () => ({ key: this.key(), look: this._look() }),
    loader: ({ params: { key } }) => this.api.invoke(getTicket, { key }),
  });

  protected readonly loading = computed(() => this._ticket.isLoading() && this.ticket() === null);
  protected readonly ticket = linkedSignal<Ticket | null, Ticket | null>({
    source: () => (this._ticket.hasValue() ? this._ticket.value() : null),
    computation: (ticket, previous) => ticket ?? (this._look().quiet ? (previous?.value ?? null) : null),
  }).asReadonly();
  protected readonly problem = computed(() => {
    const error = this._ticket.error();
    return error ? problemOf(error) : null;
  });
  protected readonly missing = computed(
    () => this._gone() || NO_SUCH_TICKET.includes(this.problem()?.code ?? ''),
  );
  protected readonly type = computed(() => {
    const ticket = this.ticket();
    return ticket ? TYPE_WORDS[ticket.type] : '';
  });
  protected readonly reporter = computed(() => this.person(this.ticket()?.reporterId));
  protected readonly assignee = computed(() => this.person(this.ticket()?.assigneeId));
  protected readonly question = computed(() => ({ ask: `Show me ${this.key()}` }));

  protected readonly icons = {
    back: mdiArrowLeft,
    assistant: mdiCreationOutline,
    missing: mdiTicketConfirmationOutline,
  };

  constructor() {
    inject(Changes)
      .of('ticket')
      .pipe(
        filter(({ subject }) => subject === null || subject === this.key()),
        tap(({ gone }) => {
          this._gone.set(gone);
        }),
        filter(({ gone }) => !gone),
        atMostOften(),
        takeUntilDestroyed(),
      )
      .subscribe(() => {
        this._look.set({ quiet: this.ticket()?.key === this.key() });
      });
  }

  protected retry(): void {
    this._look.set({ quiet: false });
  }

  private person(id: string | null | undefined): string | null {
    return id ? this.people.name(id) : null;
  }
}
