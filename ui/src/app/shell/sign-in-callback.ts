import { Component, inject } from '@angular/core';
import { MatButton } from '@angular/material/button';
import { Router } from '@angular/router';

import { Auth } from '../core/auth/auth';

/** Where the identity provider sends the browser back to. The sign-in itself is complete when this page appears. */
@Component({
  selector: 'app-sign-in-callback',
  imports: [MatButton],
  template: `
    <main>
      @if (failure(); as reason) {
        <h1>Signing in did not work</h1>
        <p role="alert">{{ reason }}</p>
        <button matButton="filled" type="button" (click)="signIn()">Sign in</button>
      } @else {
        <p>Signing in…</p>
      }
    </main>
  `,
  styles: `
    main {
      display: grid;
      gap: 1rem;
      justify-items: center;
      min-block-size: 100dvh;
      padding: 20vh 1.5rem 2rem;
      align-content: start;
      text-align: center;
    }

    h1,
    p {
      margin: 0;
    }

    p {
      color: var(--mat-sys-on-surface-variant);
      max-inline-size: 50ch;
    }
  `,
})
export class SignInCallback {
  private readonly auth = inject(Auth);
  private readonly router = inject(Router);

  protected readonly failure = this.auth.failure;

  constructor() {
    if (this.failure() === null) {
      const path = this.auth.signedIn() ? this.auth.takeReturnPath() : '/';
      void this.router.navigateByUrl(path, { replaceUrl: true });
    }
  }

  protected signIn(): void {
    void this.auth.signIn(this.auth.takeReturnPath());
  }
}
