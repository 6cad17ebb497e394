import { Component, inject } from '@angular/core';
import { MatButton, MatIconButton } from '@angular/material/button';
import { takeUntilDestroyed } from '@angular/core/rxjs-interop';
import { NavigationStart, Router, RouterLink } from '@angular/router';
import { mdiCheckCircleOutline, mdiClose } from '@mdi/js';

import { Notices } from '../core/notices/notices';
import { Icon } from '../ui/icon';

/** The live region for good news. Always in the page, or screen readers miss its first message. */
@Component({
  selector: 'app-notice-bar',
  imports: [Icon, MatButton, MatIconButton, RouterLink],
  template: `
    <div
      class="region"
      role="status"
      aria-label="Notices"
      (mouseenter)="notices.hold()"
      (mouseleave)="notices.release()"
      (focusin)="notices.hold()"
      (focusout)="notices.release()"
    >
      @if (notice(); as current) {
        <div class="notice" animate.enter="rise">
          <app-icon [path]="done" />
          <span class="text">{{ current.text }}</span>
          @if (current.link; as link) {
            <a matButton [routerLink]="link.path" (click)="notices.dismiss()">{{ link.label }}</a>
          }
          <button matIconButton type="button" aria-label="Dismiss notice" (click)="notices.dismiss()">
            <app-icon [path]="close" />
          </button>
        </div>
      }
    </div>
  `,
  styleUrl: './notice-bar.scss',
})
export class NoticeBar {
  protected readonly notices = inject(Notices);
  protected readonly notice = this.notices.current;
  protected readonly done = mdiCheckCircleOutline;
  protected readonly close = mdiClose;

  constructor() {
    // News of one page would lie in the way on the next: over the field for a message, over a heading.
    inject(Router)
      .events.pipe(takeUntilDestroyed())
      .subscribe((event) => {
        if (event instanceof NavigationStart) this.notices.dismiss();
      });
  }
}
