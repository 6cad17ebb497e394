import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { Router, provideRouter, withComponentInputBinding } from '@angular/router';
import { RouterTestingHarness } from '@angular/router/testing';

import { Answer, FINISHED, STARTED, started, text } from '../../testing/answers';
import { Dom } from '../../testing/dom';
import { type ChatRequest, type Conversation, type ConversationSummary, type Message } from '../api/models';
import { Auth } from '../core/auth/auth';
import { RUNTIME_CONFIG } from '../core/config/runtime-config';
import { ASSISTANT } from './assistant.routes';

const NOT_FOUND = { code: 'not_found', detail: 'There is no conversation old.' };
const UNAVAILABLE = { code: 'unavailable', detail: 'Their database does not answer.' };

function summary(id: string, title: string): ConversationSummary {
  return {
    id,
    title,
    createdAt: '2026-01-05T09:00:00Z',
    updatedAt: '2026-01-05T09:01:00Z',
    messageCount: 2,
  };
}

function said(role: Message['role'], words: string, more: Partial<Message> = {}): Message {
  return {
    id: words,
    role,
    text: words,
    toolCalls: [],
    at: '2026-01-05T09:00:00Z',
    interrupted: false,
    ...more,
  };
}

function held(id: string, ...messages: Message[]): Conversation {
  return { ...summary(id, 'Old talk'), version: 1, messages };
}

describe('conversations', () => {
  let harness: RouterTestingHarness;
  let requests: ChatRequest[];
  let answers: Response[];
  const dom = () => new Dom(harness.routeNativeElement);
  const page = () => new Dom(document.body);
  const http = () => TestBed.inject(HttpTestingController);
  const settled = () => harness.fixture.whenStable();
  const asked = (method: string, end: string) =>
    vi.waitFor(() => {
      TestBed.tick();
      return http().expectOne((request) => request.method === method && request.url.endsWith(end));
    });
  const address = () => TestBed.inject(Router).url;

  const eventually = (check: () => void) =>
    vi.waitFor(() => {
      TestBed.tick();
      check();
    });

  async function listed(...items: ConversationSummary[]): Promise<void> {
    (await asked('GET', '/api/conversations')).flush({ items, nextCursor: null, total: items.length });
    await settled();
  }

  /** Answers for the list, and for the conversation that is opened at the same time. */
  async function opened(conversation: Conversation, ...items: ConversationSummary[]): Promise<void> {
    (await asked('GET', `/api/conversations/${conversation.id}`)).flush(conversation);
    await listed(...items);
  }

  async function refused(body: object, status: number): Promise<void> {
    (await asked('GET', '/api/conversations/old')).flush(body, { status, statusText: '' });
    await listed();
  }

  async function open(path: string): Promise<void> {
    harness = await RouterTestingHarness.create();
    await harness.navigateByUrl(path);
    (await asked('GET', '/api/assistant')).flush({
      model: 'sim',
      simulated: true,
      tools: [],
      uses: [],
      suggestions: [],
    });
  }

  async function ask(question: string, ...events: Parameters<Answer['say']>): Promise<void> {
    const answer = new Answer().say(...events);
    answers.push(answer.response);
    dom().type('Message', question);
    TestBed.tick();
    dom().button('Send').click();
    await vi.waitFor(() => {
      TestBed.tick();
      expect(dom().hasButton('Send')).toBe(true);
    });
  }

  beforeEach(() => {
    requests = [];
    answers = [];
    vi.stubGlobal('fetch', (_url: string, { body }: { body: string }) => {
      requests.push(JSON.parse(body) as ChatRequest);
      return Promise.resolve(answers.shift());
    });
    TestBed.configureTestingModule({
      providers: [
        provideHttpClient(),
        provideHttpClientTesting(),
        provideRouter(
          [
            { path: 'assistant', loadChildren: () => ASSISTANT },
            { path: 'tickets', children: [] },
          ],
          withComponentInputBinding(),
        ),
        { provide: RUNTIME_CONFIG, useValue: { apiUrl: 'http://api.test' } },
        {
          provide: Auth,
          useValue: { accessToken: () => Promise.resolve('t'), name: signal(''), signedIn: signal(false) },
        },
      ],
    });
  });

  afterEach(() => {
    vi.unstubAllGlobals();
    http().verify();
  });

  it('are listed with their title and when they were used', async () => {
    await open('/assistant');
    await listed(summary('new', 'A newer one'), summary('old', 'An old one'));
    expect(dom().all('listitem')).toEqual([
      expect.stringMatching(/^A newer one ?Jan 5, 2026, /),
      expect.stringMatching(/^An old one/),
    ]);
  });

  it('are missed kindly, and a failure to list them is said and tried again', async () => {
    await open('/assistant');
    (await asked('GET', '/api/conversations')).flush(UNAVAILABLE, { status: 503, statusText: '' });
    await settled();
    expect(dom().all('alert')[0]).toContain('The list could not be loaded');
    dom().button('Try again').click();
    await listed();
    expect(dom().all('alert')).toEqual([]);
    expect(dom().text).toContain('Nothing yet');
  });

  it('beyond the first twenty are shown on request, by as many pages as that takes', async () => {
    const many = Array.from({ length: 25 }, (_each, index) => summary(`c${index}`, `Talk ${index}`));
    await open('/assistant');
    (await asked('GET', '/api/conversations')).flush({
      items: many.slice(0, 20),
      nextCursor: 'more',
      total: 25,
    });
    await settled();
    dom().button('Show more').click();
    (await asked('GET', '/api/conversations')).flush({
      items: many.slice(0, 20),
      nextCursor: 'more',
      total: 25,
    });
    const second = await asked('GET', '/api/conversations');
    expect(second.request.urlWithParams).toContain('cursor=more');
    second.flush({ items: many.slice(20), nextCursor: null, total: 25 });
    await settled();
    expect(dom().all('listitem')).toHaveLength(25);
    expect(dom().hasButton('Show more')).toBe(false);
  });

  it('open at their own address as they were, and go on', async () => {
    await open('/assistant/old');
    TestBed.tick();
    expect(dom().all('status')).toContain('Opening the conversation…');
    expect(dom().one('log').getAttribute('aria-busy')).toBe('true');
    const call = { id: 'c1', name: 'get_ticket', arguments: { key: 'ACME-1' }, result: '{"key":"ACME-1"}' };
    await opened(
      held(
        'old',
        said('user', 'show ACME-1'),
        said('assistant', '', { id: 'm1', toolCalls: [{ ...call, outcome: 'success' }] }),
        said('assistant', '**There** it is.'),
        said('user', 'and then?'),
        said('assistant', 'Well', { interrupted: true }),
      ),
      summary('old', 'Old talk'),
    );
    expect(dom().all('article')).toEqual([
      'show ACME-1',
      expect.stringMatching(/^get_ticket done ?There it is.$/),
      'and then?',
      'Well This answer was stopped, or broke off.',
    ]);
    expect(dom().one('log').getAttribute('aria-busy')).toBe('false');

    await ask('go on', started('old'), ...text('m9', 'Yes.'), FINISHED);
    await listed(summary('old', 'Old talk'));
    expect(requests).toEqual([{ threadId: 'old', message: 'go on' }]);
    expect(dom().all('article').at(-1)).toBe('Yes.');
    expect(address()).toBe('/assistant/old');
  });

  it('get an address while they begin, are kept over a look elsewhere, and make way for a new one', async () => {
    await open('/assistant?ask=Hello');
    await listed();
    expect(dom().field('Message').value).toBe('Hello');
    await ask('Hello', STARTED, ...text('m1', 'Good day'), FINISHED);
    await listed(summary('thread-1', 'Hello'));
    expect(address()).toBe('/assistant/thread-1');

    await harness.navigateByUrl('/tickets');
    await harness.navigateByUrl('/assistant');
    (await asked('GET', '/api/assistant')).flush(UNAVAILABLE, { status: 503, statusText: '' });
    await listed(summary('thread-1', 'Hello'));
    expect(address()).toBe('/assistant/thread-1');
    expect(dom().all('article')).toEqual(['Hello', 'Good day']);

    dom().button('New conversation').click();
    await settled();
    expect(address()).toBe('/assistant');
    expect(dom().all('article')).toEqual([]);
    await ask('Once more', started('thread-2'), ...text('m2', 'Yes'), FINISHED);
    await listed();
    expect(requests.map(({ threadId }) => threadId)).toEqual([null, null]);
  });

  it.each([
    ['is gone', NOT_FOUND, 404, 'This conversation is not here'],
    ['has an address that is none', { code: 'invalid', detail: 'id' }, 422, 'This conversation is not here'],
    [
      'needs more than this session may',
      { code: 'insufficient_scope', detail: 'It was held with other scopes.' },
      403,
      'Sign out and in again',
    ],
  ])('say so when one %s, and nothing can be sent into it', async (_case, problem, status, words) => {
    await open('/assistant/old');
    await refused(problem, status);
    expect(dom().text).toContain(words);
    dom().type('Message', 'Hello?');
    TestBed.tick();
    dom().button('Send').click();
    expect(requests).toEqual([]);

    dom()
      .button(status === 403 ? 'New conversation' : 'Begin a new one')
      .click();
    await settled();
    expect(address()).toBe('/assistant');
    expect(dom().field('Message').value).toBe('Hello?');
  });

  it('are asked for again when the server could not be reached', async () => {
    await open('/assistant/old');
    await refused(UNAVAILABLE, 503);
    dom().button('Try again').click();
    (await asked('GET', '/api/conversations/old')).flush(held('old', said('user', 'Hi')));
    await settled();
    expect(dom().all('article')[0]).toBe('Hi');
  });

  it('that are deleted while they are open say so, and the next question begins a new one', async () => {
    await open('/assistant/old');
    await opened(held('old', said('user', 'Hi'), said('assistant', 'Ho')));
    answers.push(Response.json(NOT_FOUND, { status: 404 }));
    dom().type('Message', 'still there?');
    TestBed.tick();
    dom().button('Send').click();
    await listed();
    expect(dom().all('alert')[0]).toContain('It was deleted');

    answers.push(new Answer().say(STARTED, ...text('m1', 'A new one'), FINISHED).response);
    dom().button('Try again').click();
    await listed();
    await vi.waitFor(() => {
      expect(address()).toBe('/assistant/thread-1');
    });
    expect(requests.map(({ threadId }) => threadId)).toEqual(['old', null]);
  });

  describe('are deleted', () => {
    beforeEach(async () => {
      await open('/assistant/old');
      await opened(held('old', said('user', 'Hi')), summary('old', 'Old talk'), summary('other', 'Other'));
    });

    async function confirm(title: string): Promise<void> {
      dom().button(`Delete “${title}”`).click();
      await settled();
      expect(page().one('alertdialog').textContent).toContain(`“${title}”`);
      page().button('Delete').click();
    }

    it('not without a question', async () => {
      dom().button('Delete “Other”').click();
      await settled();
      page().button('Cancel').click();
      await settled();
      expect(dom().all('listitem')).toHaveLength(2);
    });

    it('from the list, while another one is open', async () => {
      await confirm('Other');
      (await asked('DELETE', '/api/conversations/other')).flush(null);
      await listed(summary('old', 'Old talk'));
      await eventually(() => {
        expect(dom().all('status')).toContain('“Other” was deleted.');
      });
      expect(document.activeElement?.textContent).toBe('Conversations');
      expect(address()).toBe('/assistant/old');
      expect(dom().all('article')[0]).toBe('Hi');
    });

    it('with what is shown of them', async () => {
      await confirm('Old talk');
      (await asked('DELETE', '/api/conversations/old')).flush(NOT_FOUND, { status: 404, statusText: '' });
      await listed(summary('other', 'Other'));
      await eventually(() => {
        expect(address()).toBe('/assistant');
      });
      expect(dom().all('article')).toEqual([]);
    });

    it('or it is said why not', async () => {
      await confirm('Other');
      (await asked('DELETE', '/api/conversations/other')).flush(UNAVAILABLE, { status: 503, statusText: '' });
      await eventually(() => {
        expect(page().one('alertdialog').textContent).toContain('It was not deleted');
      });
      page().button('Cancel').click();
      await settled();
      expect(dom().all('listitem')).toHaveLength(2);
    });
  });
});
