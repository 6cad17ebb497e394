import { Component, booleanAttribute, input } from '@angular/core';

import { Icon } from './icon';

/** Nothing here yet, said kindly; what to do about it is projected below. */
@Component({
  selector: 'app-empty-state',
  imports: [Icon],
  template: `
    <span class="badge"><app-icon [path]="icon()" /></span>
    @if (whole()) {
      <h1>{{ title() }}</h1>
    } @else {
      <h2>{{ title() }}</h2>
    }
    <p>{{ text() }}</p>
    <ng-content />
  `,
  styles: `
    :host {
      align-items: center;
      display: flex;
      flex-direction: column;
      gap: 0.5rem;
      padding: clamp(2rem, 8vh, 5rem) 1rem;
      text-align: center;
    }

    .badge {
      background: var(--mat-sys-primary-container);
      border-radius: 1.25rem;
      color: var(--mat-sys-on-primary-container);
      display: grid;
      font-size: 1.5rem;
      margin-block-end: 0.5rem;
      padding: 0.875rem;
    }

    h1,
    h2 {
      font: var(--mat-sys-title-large);
      font-weight: 600;
      margin: 0;
    }

    p {
      color: var(--mat-sys-on-surface-variant);
      margin: 0 0 0.75rem;
      max-inline-size: 42ch;
    }
  `,
})
export class EmptyState {
  readonly icon = input.required<string>();
  readonly title = input.required<string>();
  readonly text = input.required<string>();
  /** This is all there is on the page, so its title is the page's. */
  readonly whole = input(false, { transform: booleanAttribute });
}
