import { Component, computed, input, output } from '@angular/core';
import { MatIconButton } from '@angular/material/button';
import { mdiWeatherNight, mdiWhiteBalanceSunny } from '@mdi/js';

import { type Scheme } from '../core/appearance/appearance';
import { Icon } from './icon';

/** Light or dark, as the sun or the moon that would come next. */
@Component({
  selector: 'app-scheme-toggle',
  imports: [Icon, MatIconButton],
  template: `
    <button matIconButton type="button" [attr.aria-label]="label()" (click)="toggled.emit()">
      <app-icon [path]="icon()" />
    </button>
  `,
})
export class SchemeToggle {
  readonly scheme = input.required<Scheme>();
  readonly toggled = output();

  protected readonly label = computed(() => `Switch to ${this.scheme() === 'dark' ? 'light' : 'dark'} theme`);
  protected readonly icon = computed(() =>
    this.scheme() === 'dark' ? mdiWhiteBalanceSunny : mdiWeatherNight,
  );
}
