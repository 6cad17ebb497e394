import { Service, computed, inject, linkedSignal, resource } from '@angular/core';

import { Api } from '../../api/api';
import { getMe } from '../../api/functions';
import { type Me } from '../../api/models';
import { Auth } from '../auth/auth';
import { problemOf } from '../problems/problem';

/** What the api knows about the signed-in user: role and organization. */
@Service()
export class Session {
  private readonly api = inject(Api);
  private readonly auth = inject(Auth);
  private readonly _me = resource({
    params: () => (this.auth.signedIn() ? {} : undefined),
    loader: () => this.api.invoke(getMe),
  });

  /** Stays when the session ends: the user is still the one who sits here. */
  readonly me = linkedSignal<Me | null, Me | null>({
    source: () => (this._me.hasValue() ? this._me.value() : null),
    computation: (me, previous) => me ?? previous?.value ?? null,
  }).asReadonly();
  readonly problem = computed(() => {
    const error = this._me.error();
    return error ? problemOf(error) : null;
  });
  /** Shown at once from the ID token, then as the organization has it. */
  readonly name = computed(() => this.me()?.displayName ?? this.auth.name());
}
