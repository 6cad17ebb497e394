import { Component, inject, signal } from '@angular/core';
import {
  FormField,
  FormRoot,
  type TreeValidationResult,
  form,
  maxLength,
  pattern,
  required,
} from '@angular/forms/signals';
import { MatButton } from '@angular/material/button';
import {
  MatDialogActions,
  MatDialogConfig,
  MatDialogContent,
  MatDialogRef,
  MatDialogTitle,
} from '@angular/material/dialog';
import { MatError, MatFormField, MatLabel } from '@angular/material/form-field';
import { MatInput } from '@angular/material/input';

import { type Ticket, type TicketPriority, type TicketType } from '../api/models';
import { type Problem, problemOf } from '../core/problems/problem';
import { ProblemPanel } from '../ui/problem-panel';
import { TicketStore } from './ticket-store';
import { PRIORITIES, PRIORITY_WORDS, TYPES, TYPE_WORDS } from './ticket-words';

const TITLE_ID = 'ticket-create-title';

interface Draft {
  readonly title: string;
  readonly description: string;
  readonly type: TicketType;
  readonly priority: TicketPriority;
}

/** Asks for a new ticket and opens it. Closes with the ticket, or with nothing. */
@Component({
  selector: 'app-ticket-create-dialog',
  imports: [
    FormField,
    FormRoot,
    MatButton,
    MatDialogActions,
    MatDialogContent,
    MatDialogTitle,
    MatError,
    MatFormField,
    MatInput,
    MatLabel,
    ProblemPanel,
  ],
  templateUrl: './ticket-create-dialog.html',
  styleUrl: './ticket-create-dialog.scss',
  host: { '(keydown.escape)': 'cancel()' },
})
export class TicketCreateDialog {
  /** How to open it: a click beside it must not throw away what was typed. */
  static readonly FRAME = Object.assign(new MatDialogConfig<undefined>(), {
    ariaLabelledBy: TITLE_ID,
    disableClose: true,
    maxWidth: 'none',
    width: 'min(36rem, calc(100vw - 2rem))',
  });

  private readonly store = inject(TicketStore);
  private readonly dialog = inject<MatDialogRef<TicketCreateDialog, Ticket>>(MatDialogRef);

  protected readonly titleId = TITLE_ID;
  protected readonly types = TYPES.map((value) => ({ value, word: TYPE_WORDS[value] }));
  protected readonly priorities = PRIORITIES.map((value) => ({ value, word: PRIORITY_WORDS[value] }));
  protected readonly problem = signal<Problem | null>(null);
  protected readonly draft = form(
    signal<Draft>({ title: '', description: '', type: 'request', priority: 'normal' }),
    (path) => {
      required(path.title, { message: 'Give the ticket a title.' });
      pattern(path.title, /\S/, { message: 'Give the ticket a title.' });
      maxLength(path.title, 200, { message: 'A title has at most 200 characters.' });
      maxLength(path.description, 10_000, { message: 'A description has at most 10,000 characters.' });
    },
    {
      submission: {
        action: () => this.create(),
        onInvalid: () => {
          this.draft().errorSummary().at(0)?.fieldTree().focusBoundControl();
        },
      },
    },
  );

  protected cancel(): void {
    if (!this.draft().submitting()) {
      this.dialog.close();
    }
  }

  private async create(): Promise<TreeValidationResult> {
    this.problem.set(null);
    try {
      this.dialog.close(await this.store.create(this.draft().value()));
      return null;
    } catch (error) {
      const problem = problemOf(error);
      const atFields = this.errorsAtFields(problem);
      if (atFields.length < Math.max(1, problem.flaws.length)) {
        this.problem.set(problem);
      }
      return atFields;
    }
  }

  /** What the api found wrong with single fields, put where it was typed. */
  private errorsAtFields(problem: Problem) {
    const fields = { 'body.title': this.draft.title, 'body.description': this.draft.description } as const;
    return problem.flaws.flatMap(({ pointer, detail }) =>
      pointer in fields
        ? [{ kind: 'refused', message: detail, fieldTree: fields[pointer as keyof typeof fields] }]
        : [],
    );
  }
}
