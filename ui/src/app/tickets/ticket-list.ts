import { Component, computed, inject } from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';
import { MatButton } from '@angular/material/button';
import { MatDialog } from '@angular/material/dialog';
import { MatProgressBar } from '@angular/material/progress-bar';
import { ActivatedRoute, Router } from '@angular/router';
import { mdiPlus, mdiTextBoxSearchOutline, mdiTicketConfirmationOutline } from '@mdi/js';

import { type Ticket } from '../api/models';
import { Changes, atMostOften } from '../core/changes/changes';
import { Notices } from '../core/notices/notices';
import { EmptyState } from '../ui/empty-state';
import { Icon } from '../ui/icon';
import { ProblemPanel } from '../ui/problem-panel';
import { People } from './people';
import { TicketCreateDialog } from './ticket-create-dialog';
import { EVERYTHING, type TicketFilter, filterIn, isEverything, paramsOf } from './ticket-filter';
import { TicketFilterBar } from './ticket-filter-bar';
import { TicketRow } from './ticket-row';
import { TicketStore } from './ticket-store';

@Component({
  selector: 'app-ticket-list',
  imports: [EmptyState, Icon, MatButton, MatProgressBar, ProblemPanel, TicketFilterBar, TicketRow],
  templateUrl: './ticket-list.html',
  styleUrl: './ticket-list.scss',
})
export class TicketList {
  private readonly store = inject(TicketStore);
  private readonly people = inject(People);
  private readonly notices = inject(Notices);
  private readonly dialog = inject(MatDialog);
  private readonly router = inject(Router);
  private readonly route = inject(ActivatedRoute);

  protected readonly filter = this.store.filter;
  protected readonly items = this.store.items;
  protected readonly total = this.store.total;
  protected readonly hasMore = this.store.hasMore;
  protected readonly loading = this.store.loading;
  protected readonly loaded = this.store.loaded;
  protected readonly loadingMore = this.store.loadingMore;
  protected readonly problem = this.store.problem;
  protected readonly moreProblem = this.store.moreProblem;
  protected readonly filtered = computed(() => !isEverything(this.filter()));

  protected readonly icons = {
    add: mdiPlus,
    none: mdiTicketConfirmationOutline,
    noMatch: mdiTextBoxSearchOutline,
  };
  protected readonly placeholders = [1, 2, 3, 4, 5, 6];

  constructor() {
    // The address is the only source of the filter; the store follows it.
    this.route.queryParamMap.pipe(takeUntilDestroyed()).subscribe((address) => {
      this.store.show(filterIn(address));
    });
    if (this.loaded()) {
      this.store.reload();
    }
    inject(Changes)
      .of('ticket')
      .pipe(atMostOften(), takeUntilDestroyed())
      .subscribe(() => {
        this.store.refresh();
      });
  }

  protected assignee({ assigneeId }: Ticket): string | null {
    return assigneeId === null ? null : this.people.name(assigneeId);
  }

  protected showOnly(filter: TicketFilter): void {
    void this.router.navigate([], {
      relativeTo: this.route,
      queryParams: paramsOf(filter),
      replaceUrl: true,
    });
  }

  protected showAll(): void {
    this.showOnly(EVERYTHING);
  }

  protected retry(): void {
    this.store.reload();
  }

  protected loadMore(): void {
    void this.store.loadMore();
  }

  protected openCreate(): void {
    this.dialog
      .open<TicketCreateDialog, undefined, Ticket>(TicketCreateDialog, TicketCreateDialog.FRAME)
      .afterClosed()
      .subscribe((ticket) => {
        if (ticket) {
          this.announce(ticket);
        }
      });
  }

  private announce({ key }: Ticket): void {
    this.showAll();
    this.notices.show({
      text: `${key} was created.`,
      link: { label: 'Open ticket', path: `/tickets/${key}` },
    });
  }
}
