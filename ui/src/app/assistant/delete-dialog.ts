import { Component, inject, signal } from '@angular/core';
import { MatButton } from '@angular/material/button';
import {
  MAT_DIALOG_DATA,
  MatDialogActions,
  MatDialogConfig,
  MatDialogContent,
  MatDialogRef,
  MatDialogTitle,
} from '@angular/material/dialog';

import { type ConversationSummary } from '../api/models';
import { type Problem, problemOf } from '../core/problems/problem';
import { ProblemPanel } from '../ui/problem-panel';
import { Conversations } from './conversations';

/** Asks before a conversation is deleted. Closes with whether it was. */
@Component({
  selector: 'app-delete-dialog',
  imports: [MatButton, MatDialogActions, MatDialogContent, MatDialogTitle, ProblemPanel],
  template: `
    <h2 mat-dialog-title>Delete this conversation?</h2>
    <mat-dialog-content>
      <p>
        “<bdi>{{ conversation.title }}</bdi
        >” and all that was said in it will be gone for good.
      </p>
      @if (problem(); as failure) {
        <app-problem-panel title="It was not deleted" retryLabel="" [problem]="failure" />
      }
    </mat-dialog-content>
    <mat-dialog-actions align="end">
      <button matButton type="button" cdkFocusInitial [disabled]="deleting()" (click)="close()">
        Cancel
      </button>
      <button matButton="filled" type="button" disabledInteractive [disabled]="deleting()" (click)="remove()">
        {{ deleting() ? 'Deleting…' : 'Delete' }}
      </button>
    </mat-dialog-actions>
  `,
  styles: `
    p {
      margin: 0 0 0.5rem;
      overflow-wrap: anywhere;
    }
  `,
})
export class DeleteDialog {
  private readonly conversations = inject(Conversations);
  private readonly dialog = inject<MatDialogRef<DeleteDialog, boolean>>(MatDialogRef);

  protected readonly conversation = inject<ConversationSummary>(MAT_DIALOG_DATA);
  protected readonly deleting = signal(false);
  protected readonly problem = signal<Problem | null>(null);

  /** How to open it for a conversation. */
  static about(data: ConversationSummary): MatDialogConfig<ConversationSummary> {
    return Object.assign(new MatDialogConfig<ConversationSummary>(), {
      data,
      maxWidth: 'none',
      role: 'alertdialog',
      width: 'min(28rem, calc(100vw - 2rem))',
    });
  }

  protected close(): void {
    this.dialog.close(false);
  }

  protected async remove(): Promise<void> {
    if (this.deleting()) {
      return;
    }
    this.deleting.set(true);
    this.problem.set(null);
    try {
      await this.conversations.remove(this.conversation.id);
      this.dialog.close(true);
    } catch (error) {
      this.problem.set(problemOf(error));
    } finally {
      this.deleting.set(false);
    }
  }
}
