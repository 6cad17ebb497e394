import { Component, type ElementRef, effect, inject, viewChild } from '@angular/core';
import { MatButton } from '@angular/material/button';
import { Router } from '@angular/router';

import { Auth } from '../core/auth/auth';

/** Says that the session is over without taking away what the user was writing. */
@Component({
  selector: 'app-session-ended',
  imports: [MatButton],
  template: `
    <dialog #dialog aria-labelledby="session-ended-title">
      <h2 id="session-ended-title">Sign in again</h2>
      <p>
        Your session has ended. Sign in to go on where you are; copy what you were writing before you leave.
      </p>
      <div class="actions">
        <button matButton type="button" (click)="dialog.close()">Stay here</button>
        <button matButton="filled" type="button" (click)="signIn()">Sign in</button>
      </div>
    </dialog>
  `,
  styles: `
    dialog {
      background: var(--mat-sys-surface);
      border: 1px solid var(--mat-sys-outline-variant);
      border-radius: calc(var(--app-radius) * 1.5);
      box-shadow: 0 1.5rem 4rem rgb(0 0 0 / 28%);
      color: inherit;
      max-inline-size: min(26rem, 100vw - 2rem);
      padding: 1.75rem;

      &::backdrop {
        background: rgb(10 10 20 / 45%);
      }
    }

    h2 {
      font: var(--mat-sys-title-large);
      font-weight: 600;
      margin: 0 0 0.5rem;
    }

    p {
      color: var(--mat-sys-on-surface-variant);
      margin: 0 0 1.5rem;
    }

    .actions {
      display: flex;
      gap: 0.5rem;
      justify-content: end;
    }
  `,
})
export class SessionEnded {
  private readonly auth = inject(Auth);
  private readonly router = inject(Router);
  private readonly dialog = viewChild.required<ElementRef<HTMLDialogElement>>('dialog');

  constructor() {
    effect(() => {
      if (this.auth.sessionEnded()) {
        this.dialog().nativeElement.showModal();
      }
    });
  }

  protected signIn(): void {
    void this.auth.signIn(this.router.url);
  }
}
