import { DOCUMENT, Service, computed, inject, signal } from '@angular/core';
import { type LoginResponse, OidcSecurityService } from 'angular-auth-oidc-client';
import { firstValueFrom } from 'rxjs';

import { CALLBACK_PATH } from './callback-path';

const RETURN_KEY = 'dress-rehearsal.return-to';
const HOME = '/tickets';

/** Who is signed in. The rest of the app knows this class, not the library behind it. */
@Service()
export class Auth {
  private readonly oidc = inject(OidcSecurityService);
  private readonly window = inject(DOCUMENT).defaultView as Window;
  private readonly _seen = signal(false);
  private readonly _leaving = signal(false);
  private readonly _failure = signal<string | null>(null);
  private renewal: Promise<boolean> | undefined;

  readonly signedIn = computed(() => this.oidc.authenticated().isAuthenticated);
  /** There was a session in this page, and it is over without the user having asked for it. */
  readonly sessionEnded = computed(() => this._seen() && !this.signedIn() && !this._leaving());
  /** Why the last sign-in or sign-out did not work. */
  readonly failure = this._failure.asReadonly();
  /** The name in the ID token: known before the first request. */
  readonly name = computed(() => nameIn(this.oidc.userData().userData));

  /** Completes a sign-in that comes back from the provider, or takes up the stored session. */
  async start(): Promise<void> {
    const { origin, pathname, search, href } = this.window.location;
    const returning = pathname === `/${CALLBACK_PATH}`;
    const refused = returning ? new URLSearchParams(search).get('error') : null;
    if (refused !== null) {
      this._failure.set(new URLSearchParams(search).get('error_description') ?? refused);
      return;
    }
    const result = await this.check(returning ? href : origin + pathname);
    if (result.errorMessage) {
      this._failure.set(`The sign-in could not be completed (${result.errorMessage}). Start again.`);
    }
    this._seen.set(this.signedIn());
  }

  /** Leaves for the provider; the user comes back to `returnTo`, a path of this app. */
  async signIn(returnTo = HOME): Promise<void> {
    this._failure.set(null);
    try {
      await firstValueFrom(this.oidc.preloadAuthWellKnownDocument());
    } catch {
      this._failure.set('The identity provider cannot be reached. Try again in a moment.');
      return;
    }
    sessionStorage.setItem(RETURN_KEY, returnTo);
    this.oidc.authorize();
  }

  /** Where the user wanted to be before the sign-in; asked once. */
  takeReturnPath(): string {
    const path = sessionStorage.getItem(RETURN_KEY) ?? HOME;
    sessionStorage.removeItem(RETURN_KEY);
    return /^\/(?!\/)/.test(path) ? path : HOME;
  }

  /** Revokes the tokens (RFC 7009), ends the session at the provider and leaves the page. */
  async signOut(): Promise<void> {
    this._leaving.set(true);
    try {
      await firstValueFrom(this.oidc.logoffAndRevokeTokens());
    } catch {
      // Revocation is a courtesy; the session at the provider must end all the same.
      await firstValueFrom(this.oidc.logoff());
    }
  }

  accessToken(): Promise<string> {
    return firstValueFrom(this.oidc.getAccessToken());
  }

  /** Trades the refresh token for a new access token; callers at the same time share one attempt. */
  renew(): Promise<boolean> {
    this.renewal ??= firstValueFrom(this.oidc.forceRefreshSession())
      .then(
        (result) => result.isAuthenticated,
        () => false,
      )
      .finally(() => {
        this.renewal = undefined;
      });
    return this.renewal;
  }

  /** Gives up the session: even a fresh token was refused. */
  end(): void {
    this.oidc.logoffLocal();
  }

  private async check(url: string): Promise<LoginResponse> {
    const result = await firstValueFrom(this.oidc.checkAuth(url)).catch((error: unknown) => ({
      ...SIGNED_OUT,
      errorMessage: error instanceof Error ? error.message : 'no reason given',
    }));
    const hasRefreshToken = Boolean(await firstValueFrom(this.oidc.getRefreshToken()));
    if (result.isAuthenticated || result.errorMessage || !hasRefreshToken) {
      return result;
    }
    // The access token ran out while no page was open; the session may still be good.
    await this.renew();
    return { ...result, isAuthenticated: this.signedIn() };
  }
}

const SIGNED_OUT: LoginResponse = { isAuthenticated: false, userData: null, accessToken: '', idToken: '' };

function nameIn(claims: unknown): string {
  const { name, preferred_username: username } = (claims ?? {}) as Record<string, unknown>;
  return [name, username].find((value) => typeof value === 'string') ?? '';
}
