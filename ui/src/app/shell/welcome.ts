import { Component, inject, input, signal } from '@angular/core';
import { MatButton } from '@angular/material/button';
import { mdiClipboardTextOutline, mdiCreationOutline, mdiShieldKeyOutline } from '@mdi/js';

import { Appearance } from '../core/appearance/appearance';
import { Auth } from '../core/auth/auth';
import { Icon } from '../ui/icon';
import { SchemeToggle } from '../ui/scheme-toggle';
import { Brand } from './brand';

@Component({
  selector: 'app-welcome',
  imports: [Brand, Icon, MatButton, SchemeToggle],
  templateUrl: './welcome.html',
  styleUrl: './welcome.scss',
})
export class Welcome {
  private readonly auth = inject(Auth);
  private readonly appearance = inject(Appearance);

  /** Path to return to after the sign-in; from the address. */
  readonly next = input<string>();

  protected readonly scheme = this.appearance.scheme;
  protected readonly failure = this.auth.failure;
  protected readonly leaving = signal(false);
  protected readonly points = [
    {
      icon: mdiClipboardTextOutline,
      title: 'Every ticket in one place',
      text: 'Search, filter and open what your organization is working on.',
    },
    {
      icon: mdiCreationOutline,
      title: 'An assistant that shows its work',
      text: 'Ask in plain words. Each tool it uses is there to see, with its result.',
    },
    {
      icon: mdiShieldKeyOutline,
      title: 'Only what your role allows',
      text: 'You and the assistant act with your permissions, and nobody else’s.',
    },
  ];

  protected toggleScheme(): void {
    this.appearance.toggle();
  }

  protected async signIn(): Promise<void> {
    this.leaving.set(true);
    await this.auth.signIn(this.next());
    // A failure keeps the user here; a success leaves the page before this matters.
    this.leaving.set(this.failure() === null);
  }
}
