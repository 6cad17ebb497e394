import { Service, computed, inject, resource } from '@angular/core';
import { filter } from 'rxjs';

import { Api } from '../api/api';
import { listMembers } from '../api/functions';
import { type Member } from '../api/models';
import { Auth } from '../core/auth/auth';
import { Changes, atMostOften } from '../core/changes/changes';

const MOST_AT_ONCE = 100;

/** Names for the ids in tickets. A role that may not list the members sees no names, and no error either. */
@Service()
export class People {
  private readonly api = inject(Api);
  private readonly auth = inject(Auth);
  private readonly _members = resource({
    params: () => (this.auth.signedIn() ? {} : undefined),
    loader: () => this.everybody(),
  });
  private readonly names = computed(() => {
    const members = this._members.hasValue() ? this._members.value() : [];
    return new Map(members.map(({ id, displayName }) => [id, displayName]));
  });

  constructor() {
    inject(Changes)
      .of('member')
      .pipe(
        filter(({ subject }) => subject !== null),
        atMostOften(),
      )
      .subscribe(() => {
        this._members.reload();
      });
  }

  /** The name, or null as long as it is not known. */
  name(id: string): string | null {
    return this.names().get(id) ?? null;
  }

  private async everybody(): Promise<readonly Member[]> {
    const members: Member[] = [];
    let cursor: string | null = null;
    do {
      const page: { items: Member[]; nextCursor: string | null } = await this.api.invoke(listMembers, {
        limit: MOST_AT_ONCE,
        ...(cursor !== null && { cursor }),
      });
      members.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null);
    return members;
  }
}
