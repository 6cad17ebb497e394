import { DatePipe } from '@angular/common';
import { Component, type ElementRef, inject, output, signal, viewChild } from '@angular/core';
import { MatButton, MatIconButton } from '@angular/material/button';
import { MatDialog } from '@angular/material/dialog';
import { RouterLink, RouterLinkActive } from '@angular/router';
import { mdiTrashCanOutline } from '@mdi/js';

import { type ConversationSummary } from '../api/models';
import { Icon } from '../ui/icon';
import { ProblemPanel } from '../ui/problem-panel';
import { Conversations } from './conversations';
import { DeleteDialog } from './delete-dialog';

/** The conversations one can go on with, and a way to delete each. */
@Component({
  selector: 'app-conversation-list',
  imports: [DatePipe, Icon, MatButton, MatIconButton, ProblemPanel, RouterLink, RouterLinkActive],
  templateUrl: './conversation-list.html',
  styleUrl: './conversation-list.scss',
})
export class ConversationList {
  private readonly conversations = inject(Conversations);
  private readonly dialog = inject(MatDialog);
  private readonly heading = viewChild.required<ElementRef<HTMLElement>>('heading');

  /** Somebody chose one. */
  readonly chosen = output();
  /** The id of one that is no more. */
  readonly removed = output<string>();

  protected readonly items = this.conversations.items;
  protected readonly total = this.conversations.total;
  protected readonly loaded = this.conversations.loaded;
  protected readonly loading = this.conversations.loading;
  protected readonly problem = this.conversations.problem;
  protected readonly news = signal('');
  protected readonly icon = mdiTrashCanOutline;

  focus(): void {
    this.heading().nativeElement.focus();
  }

  protected retry(): void {
    this.conversations.refresh();
  }

  protected showMore(): void {
    this.conversations.showMore();
  }

  protected askToDelete(conversation: ConversationSummary): void {
    this.dialog
      .open<DeleteDialog, ConversationSummary, boolean>(DeleteDialog, DeleteDialog.about(conversation))
      .afterClosed()
      .subscribe((deleted) => {
        if (deleted) {
          this.news.set(`“${conversation.title}” was deleted.`);
          this.removed.emit(conversation.id);
          // The button that had it is gone.
          this.focus();
        }
      });
  }
}
