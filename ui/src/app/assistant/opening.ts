import { Component, input, output } from '@angular/core';
import { MatButton } from '@angular/material/button';
import { mdiCreationOutline } from '@mdi/js';

import { type Assistant } from '../api/models';
import { type Problem } from '../core/problems/problem';
import { Icon } from '../ui/icon';
import { ProblemPanel } from '../ui/problem-panel';

/** The page before anything was said: what this assistant can do, and some of it to try. */
@Component({
  selector: 'app-opening',
  imports: [Icon, MatButton, ProblemPanel],
  templateUrl: './opening.html',
  styleUrl: './opening.scss',
})
export class Opening {
  /** Null while it is not known. */
  readonly assistant = input.required<Assistant | null>();
  /** Why it is not known. */
  readonly problem = input.required<Problem | null>();
  readonly ask = output<string>();
  readonly retry = output();

  protected readonly icon = mdiCreationOutline;
}
