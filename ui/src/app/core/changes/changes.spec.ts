import { signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';

import { Auth } from '../auth/auth';
import { AuthorizedFetch } from '../auth/authorized-fetch';
import { Changes } from './changes';

interface Opened {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly answer: (response: Response) => void;
}

/** The api's side of the streams: each waits until the test answers it. */
class Api {
  readonly opened: Opened[] = [];

  get(_path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Response> {
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => {
        reject(new DOMException('aborted', 'AbortError'));
      });
      this.opened.push({ headers, signal, answer: resolve });
    });
  }
}

const event = (id: string, type: string, subject: string) =>
  `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify({ type, subject })}\n\n`;
const stream = (...events: string[]) => new Response(events.join(''));

const realSetTimeout = globalThis.setTimeout;

describe('what changes', () => {
  const signedIn = signal(true);
  let api: Api;
  let heard: (string | null)[];
  async function opened(number: number): Promise<Opened> {
    for (let second = 0; second < 60 && api.opened.length < number; second++) {
      await vi.advanceTimersByTimeAsync(1000);
      await new Promise((resolve) => realSetTimeout(resolve)); // streams have no part in the test's clock
    }
    const found = api.opened[number - 1];
    if (found === undefined) {
      throw new Error(`there is no stream ${number}`);
    }
    return found;
  }

  function show(state: DocumentVisibilityState): void {
    vi.spyOn(document, 'visibilityState', 'get').mockReturnValue(state);
    document.dispatchEvent(new Event('visibilitychange'));
    TestBed.tick();
  }

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    signedIn.set(true);
    api = new Api();
    heard = [];
    TestBed.configureTestingModule({
      providers: [
        { provide: Auth, useValue: { signedIn } },
        { provide: AuthorizedFetch, useValue: api },
      ],
    });
    show('visible');
    TestBed.inject(Changes)
      .of('ticket')
      .subscribe(({ subject, gone }) => heard.push(gone ? `no ${subject}` : subject));
    TestBed.tick();
  });

  afterEach(() => {
    signedIn.set(false);
    TestBed.tick();
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it('may be anything when the listening begins, and is told by its id from then on', async () => {
    (await opened(1)).answer(
      stream(
        event('1.0', 'org.example.ticket.updated.v1', 'ACME-7'),
        event('1.1', 'org.example.member.invited.v1', 'usr_9'),
        event('2.1', 'org.example.ticket.deleted.v1', 'ACME-8'),
      ),
    );
    await vi.waitFor(() => {
      expect(heard).toEqual([null, 'ACME-7', 'no ACME-8']);
    });
  });

  it('is taken up after the last event when the stream ends', async () => {
    (await opened(1)).answer(stream(event('4.2', 'org.example.ticket.created.v1', 'ACME-7')));
    const again = await opened(2);
    expect(again.headers).toEqual({ 'Last-Event-ID': '4.2' });
    again.answer(stream(event('5.2', 'org.example.ticket.commented.v1', 'ACME-7')));
    await vi.waitFor(() => {
      expect(heard).toEqual([null, 'ACME-7', 'ACME-7']);
    });
  });

  it('may be anything once more when the system began anew', async () => {
    (await opened(1)).answer(stream(event('4.2', 'org.example.ticket.created.v1', 'ACME-7')));
    (await opened(2)).answer(new Response(null, { status: 409 }));
    const afresh = await opened(3);
    expect(afresh.headers).toEqual({});
    afresh.answer(stream());
    await vi.waitFor(() => {
      expect(heard).toEqual([null, 'ACME-7', null]);
    });
  });

  it('is asked for again when there is no answer, but not by whoever may not listen', async () => {
    (await opened(1)).answer(new Response(null, { status: 503 }));
    (await opened(2)).answer(new Response(null, { status: 403 }));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(api.opened).toHaveLength(2);
    expect(heard).toEqual([]);
  });

  it('is not listened to by a hidden page, nor when nobody is signed in', async () => {
    const first = await opened(1);
    show('hidden');
    expect(first.signal.aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(api.opened).toHaveLength(1);

    show('visible');
    const second = await opened(2);
    signedIn.set(false);
    TestBed.tick();
    expect(second.signal.aborted).toBe(true);
  });
});
