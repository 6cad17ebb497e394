import { InjectionToken } from '@angular/core';

/** Where this copy of the app finds its services. Read once, before the app starts. */
export interface RuntimeConfig {
  /** The identity provider; compared with `iss` as text, so without a trailing slash. */
  readonly issuer: string;
  /** Base of the REST interface and audience of its tokens, without a trailing slash. */
  readonly apiUrl: string;
  readonly clientId: string;
  /** Scopes to ask for, separated by spaces (RFC 6749 §3.3). */
  readonly scope: string;
}

/** What a build knows. Only a development build may use its `defaults`; a production build must be told. */
export interface Environment {
  readonly production: boolean;
  /** Address of the runtime configuration, relative to the page; null: use `defaults`. */
  readonly configUrl: string | null;
  readonly defaults: RuntimeConfig;
}

export const RUNTIME_CONFIG = new InjectionToken<RuntimeConfig>('RUNTIME_CONFIG');
