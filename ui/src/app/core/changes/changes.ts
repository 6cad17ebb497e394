import { DOCUMENT, Service, effect, inject, signal } from '@angular/core';
import {
  type MonoTypeOperatorFunction,
  type Observable,
  Subject,
  filter,
  fromEvent,
  throttleTime,
} from 'rxjs';

import { Auth } from '../auth/auth';
import { AuthorizedFetch } from '../auth/authorized-fetch';
import { serverEvents } from '../streams/server-events';

const PATH = '/api/events';
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
const REFRESH_MS = 500;
/** Answers after which the same request is of no use: the caller may not listen. */
const NOT_FOR_US = [403, 404];

/** What an event is about. */
export type Noun = 'ticket' | 'member' | 'team';

/** That something is not as it was. */
export interface Change {
  /** Its id, of a ticket the key; null when it may be any: for a moment nobody listened. */
  readonly subject: string | null;
  /** Whether it is no more. */
  readonly gone: boolean;
}

interface ChangeOf extends Change {
  readonly noun: Noun | null;
}

const ANYTHING: ChangeOf = { noun: null, subject: null, gone: false };

/**
 * What changes, whoever changes it: the api's events, while somebody is signed in and looks at the page.
 *
 * A hidden page does not listen, because a browser has six connections to a server, whatever the number of its tabs.
 * What it misses it is told when it comes back.
 */
@Service()
export class Changes {
  private readonly fetch = inject(AuthorizedFetch);
  private readonly document = inject(DOCUMENT);
  private readonly auth = inject(Auth);
  private readonly visible = signal(this.document.visibilityState === 'visible');
  private readonly all = new Subject<ChangeOf>();
  private lastEventId: string | undefined;

  constructor() {
    fromEvent(this.document, 'visibilitychange').subscribe(() => {
      this.visible.set(this.document.visibilityState === 'visible');
    });
    effect((onCleanup) => {
      if (!this.auth.signedIn()) {
        this.lastEventId = undefined;
      } else if (this.visible()) {
        const listening = new AbortController();
        onCleanup(() => {
          listening.abort();
        });
        void this.listen(listening.signal);
      }
    });
  }

  of(noun: Noun): Observable<Change> {
    return this.all.pipe(filter((change) => change.noun === null || change.noun === noun));
  }

  private async listen(signal: AbortSignal): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      const answer = await this.opened(signal);
      if (answer && NOT_FOR_US.includes(answer.status)) {
        return;
      }
      if (answer?.ok) {
        pause = FIRST_PAUSE_MS;
        await this.hear(answer).catch(() => undefined);
      } else if (answer?.status === 409) {
        this.lastEventId = undefined; // the system began anew, and knows nothing of that event
      }
      await waited(pause, signal);
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
    }
  }

  private opened(signal: AbortSignal): Promise<Response | undefined> {
    const headers = { ...(this.lastEventId !== undefined && { 'Last-Event-ID': this.lastEventId }) };
    return this.fetch.get(PATH, headers, signal).catch(() => undefined);
  }

  private async hear(answer: Response): Promise<void> {
    if (this.lastEventId === undefined) {
      this.all.next(ANYTHING);
    }
    for await (const { id, data } of serverEvents(answer)) {
      this.lastEventId = id ?? this.lastEventId;
      this.all.next(changeIn(data));
    }
  }
}

/** Lets a burst of changes through as two: its first and its last. */
export function atMostOften<T>(): MonoTypeOperatorFunction<T> {
  return throttleTime(REFRESH_MS, undefined, { leading: true, trailing: true });
}

/** The part of a CloudEvent that tells what to look at again. */
function changeIn(data: string): ChangeOf {
  const { type, subject } = JSON.parse(data) as { type: string; subject: string };
  const [, noun, what] = /\.(ticket|member|team)\.(\w+)/.exec(type) ?? [];
  return noun === undefined ? ANYTHING : { noun: noun as Noun, subject, gone: what === 'deleted' };
}

function waited(pauseMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, pauseMs);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
