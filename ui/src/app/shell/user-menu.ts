import { Component, computed, inject } from '@angular/core';
import { MatMenu, MatMenuItem, MatMenuTrigger } from '@angular/material/menu';
import { mdiLogout } from '@mdi/js';

import { Auth } from '../core/auth/auth';
import { sentence } from '../core/problems/sentences';
import { Session } from '../core/session/session';
import { Avatar } from '../ui/avatar';
import { Icon } from '../ui/icon';

/** Who is here, in which role and organization, and the way out. */
@Component({
  selector: 'app-user-menu',
  imports: [Avatar, Icon, MatMenu, MatMenuItem, MatMenuTrigger],
  templateUrl: './user-menu.html',
  styleUrl: './user-menu.scss',
})
export class UserMenu {
  private readonly auth = inject(Auth);
  private readonly session = inject(Session);

  protected readonly signOutIcon = mdiLogout;
  protected readonly name = this.session.name;
  protected readonly place = computed(() => {
    const me = this.session.me();
    const problem = this.session.problem();
    if (me) {
      return `${ROLES[me.role]} · ${me.organization.displayName}`;
    }
    return problem ? sentence(problem) : 'Looking up your organization…';
  });

  protected signOut(): void {
    void this.auth.signOut();
  }
}

const ROLES = {
  owner: 'Owner',
  admin: 'Admin',
  agent: 'Agent',
  requester: 'Requester',
  viewer: 'Viewer',
} as const;
