import { Component, type ElementRef, inject, viewChild } from '@angular/core';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';
import { NavigationEnd, Router, RouterLink, RouterLinkActive, RouterOutlet } from '@angular/router';
import { mdiClipboardTextOutline, mdiCreationOutline } from '@mdi/js';
import { filter, map, pairwise } from 'rxjs';

import { Appearance } from '../core/appearance/appearance';
import { IN_PLACE } from '../core/navigation/in-place';
import { Icon } from '../ui/icon';
import { SchemeToggle } from '../ui/scheme-toggle';
import { Brand } from './brand';
import { NoticeBar } from './notice-bar';
import { SessionEnded } from './session-ended';
import { UserMenu } from './user-menu';

/** The frame of a signed-in page: a column on wide screens, bars above and below on narrow ones. */
@Component({
  selector: 'app-shell',
  imports: [
    Brand,
    Icon,
    NoticeBar,
    RouterLink,
    RouterLinkActive,
    RouterOutlet,
    SchemeToggle,
    SessionEnded,
    UserMenu,
  ],
  templateUrl: './shell.html',
  styleUrl: './shell.scss',
})
export class Shell {
  private readonly appearance = inject(Appearance);
  private readonly main = viewChild.required<ElementRef<HTMLElement>>('main');

  protected readonly scheme = this.appearance.scheme;
  protected readonly destinations = [
    { path: '/tickets', label: 'Tickets', icon: mdiClipboardTextOutline },
    { path: '/assistant', label: 'Assistant', icon: mdiCreationOutline },
  ];

  constructor() {
    const router = inject(Router);
    router.events
      .pipe(
        filter((event) => event instanceof NavigationEnd),
        map((event) => pathOf(event.urlAfterRedirects)),
        pairwise(),
        filter(([before, after]) => before !== after),
        filter(() => router.currentNavigation()?.extras.info !== IN_PLACE),
        takeUntilDestroyed(),
      )
      // A new page is read from its top, also by a screen reader; a new filter of the same page is not.
      .subscribe(() => {
        this.skipToContent();
      });
  }

  protected skipToContent(): void {
    this.main().nativeElement.focus({ preventScroll: true });
  }

  protected toggleScheme(): void {
    this.appearance.toggle();
  }
}

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? url;
}
