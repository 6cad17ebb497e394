import { type Provider } from '@angular/core';
import { Subject } from 'rxjs';

import { type Change, Changes, type Noun } from '../app/core/changes/changes';

/** Changes a test tells of, in place of the api's. */
export class ToldChanges {
  readonly tickets = new Subject<Change>();
  readonly members = new Subject<Change>();

  get provider(): Provider {
    return {
      provide: Changes,
      useValue: { of: (noun: Noun) => (noun === 'member' ? this.members : this.tickets) },
    };
  }
}
