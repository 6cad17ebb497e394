import { Component } from '@angular/core';
import { MatButton } from '@angular/material/button';
import { RouterLink } from '@angular/router';
import { mdiMapMarkerQuestionOutline } from '@mdi/js';

import { EmptyState } from '../ui/empty-state';

@Component({
  selector: 'app-not-found',
  imports: [EmptyState, MatButton, RouterLink],
  template: `
    <app-empty-state
      whole
      [icon]="icon"
      title="There is no such page"
      text="The address may be old, or mistyped."
    >
      <a matButton="filled" routerLink="/tickets">Go to the list</a>
    </app-empty-state>
  `,
})
export class NotFound {
  protected readonly icon = mdiMapMarkerQuestionOutline;
}
