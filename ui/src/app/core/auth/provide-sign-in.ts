import {
  type EnvironmentProviders,
  inject,
  makeEnvironmentProviders,
  provideAppInitializer,
} from '@angular/core';
import {
  AbstractSecurityStorage,
  DefaultLocalStorageService,
  LogLevel,
  provideAuth,
} from 'angular-auth-oidc-client';

import { type RuntimeConfig } from '../config/runtime-config';
import { Auth } from './auth';
import { CALLBACK_PATH } from './callback-path';

/** Sign-in by authorization code with PKCE (RFC 7636), refresh tokens with rotation, tokens shared by all tabs. */
export function provideSignIn(config: RuntimeConfig, origin: string): EnvironmentProviders {
  return makeEnvironmentProviders([
    provideAuth({
      config: {
        authority: config.issuer,
        clientId: config.clientId,
        scope: config.scope,
        redirectUrl: `${origin}/${CALLBACK_PATH}`,
        postLogoutRedirectUri: `${origin}/`,
        responseType: 'code',
        silentRenew: true,
        useRefreshToken: true,
        // Rotation with reuse detection ends the session when two tabs send the same refresh token.
        useRefreshTokenLock: true,
        renewTimeBeforeTokenExpiresInSeconds: 10,
        triggerRefreshWhenIdTokenExpired: false,
        ignoreNonceAfterRefresh: true,
        autoUserInfo: false,
        // The callback page decides where to go, not the library.
        triggerAuthorizationResultEvent: true,
        historyCleanupOff: true,
        logLevel: LogLevel.Error,
      },
    }),
    // After provideAuth, which provides its own default.
    { provide: AbstractSecurityStorage, useClass: DefaultLocalStorageService },
    provideAppInitializer(() => inject(Auth).start()),
  ]);
}
