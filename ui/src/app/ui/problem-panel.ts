import { Component, input, output } from '@angular/core';
import { MatButton } from '@angular/material/button';
import { mdiAlertCircleOutline } from '@mdi/js';

import { type Problem } from '../core/problems/problem';
import { sentence } from '../core/problems/sentences';
import { Icon } from './icon';

/** A failure where its result would have been: what happened, the server's words, and a way on. */
@Component({
  selector: 'app-problem-panel',
  imports: [Icon, MatButton],
  template: `
    <div class="panel" role="alert">
      <app-icon [path]="icon" />
      <div class="text">
        <p class="title">{{ title() }}</p>
        <p>{{ says() }}</p>
        @if (problem().detail && problem().detail !== says()) {
          <p class="detail">{{ problem().detail }}</p>
        }
      </div>
      @if (retryLabel(); as label) {
        <button matButton="outlined" type="button" (click)="retry.emit()">{{ label }}</button>
      }
    </div>
  `,
  styles: `
    .panel {
      align-items: start;
      background: color-mix(in srgb, var(--mat-sys-error-container) 45%, var(--mat-sys-surface));
      border: 1px solid color-mix(in srgb, var(--mat-sys-error) 30%, transparent);
      border-radius: var(--app-radius);
      color: var(--mat-sys-on-surface);
      display: flex;
      flex-wrap: wrap;
      gap: 0.875rem;
      padding: 1rem 1.25rem;
    }

    app-icon {
      color: var(--mat-sys-error);
      font-size: 1.2rem;
    }

    .text {
      flex: 1 1 14rem;
      min-inline-size: 0;
    }

    p {
      margin: 0;
      overflow-wrap: anywhere;
    }

    .title {
      font-weight: 600;
    }

    .detail {
      color: var(--mat-sys-on-surface-variant);
      font-size: 0.875rem;
      margin-block-start: 0.25rem;
    }
  `,
})
export class ProblemPanel {
  readonly title = input.required<string>();
  readonly problem = input.required<Problem>();
  /** Name of the button that tries again; empty: there is none. */
  readonly retryLabel = input('Try again');
  readonly retry = output();

  protected readonly icon = mdiAlertCircleOutline;
  protected readonly says = () => sentence(this.problem());
}
