import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { signal } from '@angular/core';
import { type ComponentFixture, TestBed } from '@angular/core/testing';
import { provideRouter } from '@angular/router';

import { Answer, FINISHED, STARTED, call, result, text } from '../../testing/answers';
import { Dom } from '../../testing/dom';
import { type ChatRequest } from '../api/models';
import { Auth } from '../core/auth/auth';
import { RUNTIME_CONFIG } from '../core/config/runtime-config';
import { AssistantPage } from './assistant-page';

describe('the assistant', () => {
  let fixture: ComponentFixture<AssistantPage>;
  let requests: { body: ChatRequest; signal: AbortSignal }[];
  let answers: (Response | Promise<Response>)[];
  const dom = () => new Dom(fixture.nativeElement as HTMLElement);
  const log = () => dom().one('log');
  const replies = () =>
    dom()
      .all('article')
      .filter((_text, index) => index % 2 === 1);
  const eventually = (check: () => void) =>
    vi.waitFor(() => {
      TestBed.tick();
      check();
    });
  const finished = () =>
    eventually(() => {
      expect(log().getAttribute('aria-busy')).toBe('false');
    });

  function ask(question: string): void {
    dom().type('Message', question);
    TestBed.tick();
    dom().button('Send').click();
    TestBed.tick();
  }

  beforeEach(async () => {
    requests = [];
    answers = [];
    vi.stubGlobal('fetch', (_url: string, { body, signal }: { body: string; signal: AbortSignal }) => {
      requests.push({ body: JSON.parse(body) as ChatRequest, signal });
      return Promise.resolve(answers.shift() ?? Promise.reject(new TypeError('Failed to fetch')));
    });
    TestBed.configureTestingModule({
      providers: [
        provideHttpClient(),
        provideHttpClientTesting(),
        provideRouter([{ path: '**', children: [] }]),
        { provide: RUNTIME_CONFIG, useValue: { apiUrl: 'http://api.test' } },
        {
          provide: Auth,
          useValue: { accessToken: () => Promise.resolve('t'), name: signal(''), signedIn: signal(false) },
        },
      ],
    });
    fixture = TestBed.createComponent(AssistantPage);
    TestBed.tick();
    TestBed.inject(HttpTestingController)
      .expectOne((request) => request.url.endsWith('/api/assistant'))
      .flush({
        model: 'sim',
        simulated: true,
        tools: ['create_ticket', 'get_ticket'],
        uses: ['get_ticket'],
        suggestions: ['Which?'],
      });
    TestBed.inject(HttpTestingController)
      .expectOne((request) => request.url.endsWith('/api/conversations'))
      .flush({ items: [], nextCursor: null, total: 0 });
    await fixture.whenStable();
  });

  afterEach(() => vi.unstubAllGlobals());

  it('says that its model is simulated', () => {
    expect(dom().text).toContain('Simulated model');
  });

  it('promises what the server says it does, and no more', async () => {
    expect(dom().text).toContain('I do not change anything');
    expect(dom().all('listitem')).toEqual(['get_ticket']);
    answers.push(new Answer().say(STARTED, ...text('m1', 'These.'), FINISHED).response);
    dom().button('Which?').click();
    await finished();
    expect(requests.map(({ body }) => body.message)).toEqual(['Which?']);
  });

  it('streams text piece by piece and goes on in the same thread', async () => {
    const answer = new Answer();
    answers.push(answer.response);
    ask('Hello');
    expect(log().getAttribute('aria-busy')).toBe('true');
    answer.say(STARTED, ...text('m1', '**Good** ', 'day').slice(0, 2));
    await eventually(() => {
      expect(replies()[0]).toContain('Good');
    });
    expect(replies()[0]).not.toContain('day');
    answer.say({ type: 'TEXT_MESSAGE_CONTENT', messageId: 'm1', delta: 'day ✓' }, FINISHED).close();
    await finished();
    expect(replies()).toEqual(['Good day ✓']);

    answers.push(new Answer().say(STARTED, ...text('m2', 'Again'), FINISHED).response);
    ask('And now?');
    await finished();
    expect(requests.map(({ body }) => body.threadId)).toEqual([null, 'thread-1']);
  });

  it('shows tools as they run, with what they were asked and what they answered', async () => {
    const answer = new Answer();
    answers.push(answer.response);
    ask('show ACME-1');
    answer.say(STARTED, ...text('empty'), ...call('c1', 'get_ticket', '{"key":"ACME-1"}'));
    await eventually(() => {
      expect(dom().hasButton('get_ticket running')).toBe(true);
    });
    answer.say(
      result('c1', '{"key":"ACME-1","status":"open"}'),
      ...call('c2', 'get_ticket', '{"key":"X-1"}'),
    );
    answer.say(result('c2', '{"type":"about:blank","status":404,"code":"not_found"}'));
    answer.say(...text('m1', 'Here it is.'), FINISHED);
    await finished();
    expect(dom().hasButton('get_ticket failed')).toBe(true);

    dom().button('get_ticket done').click();
    TestBed.tick();
    expect(dom().button('get_ticket done').getAttribute('aria-expanded')).toBe('true');
    expect(dom().text).toContain('"status": "open"');
  });

  it('tells why a run broke off, keeps what was said, and asks again', async () => {
    answers.push(
      new Answer().say(STARTED, ...text('m1', 'Let me see'), ...call('c1', 'get_ticket', '{}'), {
        type: 'RUN_ERROR',
        code: 'unavailable',
        message: 'ticketing cannot be reached',
      }).response,
    );
    ask('show ACME-1');
    await finished();
    expect(replies()[0]).toContain('Let me see');
    expect(replies()[0]).toContain('ticketing cannot be reached');
    expect(dom().hasButton('get_ticket stopped')).toBe(true);

    answers.push(new Answer().say(STARTED, ...text('m2', 'There.'), FINISHED).response);
    dom().button('Try again').click();
    await finished();
    expect(replies()).toEqual(['There.']);
    expect(requests.map(({ body }) => body.message)).toEqual(['show ACME-1', 'show ACME-1']);
  });

  it.each([
    [
      'a refusal',
      Promise.resolve(Response.json({ code: 'forbidden', detail: 'No.' }, { status: 403 })),
      'Your role',
    ],
    [
      'a page instead of a stream',
      Promise.resolve(new Response('oops', { status: 500 })),
      'cannot be understood',
    ],
    ['no connection', undefined, 'cannot be reached'],
  ])('is honest about %s', async (_case, answer, words) => {
    if (answer) {
      answers.push(answer);
    }
    ask('Hello');
    await finished();
    expect(dom().all('alert')[0]).toContain(words);
    expect(dom().hasButton('Try again')).toBe(true);
  });

  it.each([
    [
      'ends without its last event',
      (answer: Answer) => {
        answer.say(STARTED, ...text('m1', 'Half')).close();
      },
      'broke off',
    ],
    [
      'holds nonsense',
      (answer: Answer) => {
        answer.say(STARTED, 'not json');
      },
      'not JSON',
    ],
  ])('does not take a stream for complete that %s', async (_case, act, words) => {
    const answer = new Answer();
    answers.push(answer.response);
    ask('Hello');
    act(answer);
    await finished();
    expect(dom().all('alert')[0]).toContain(words);
  });

  it('can be stopped: the connection closes, nothing more arrives', async () => {
    const answer = new Answer();
    answers.push(answer.response);
    ask('Tell me everything');
    answer.say(STARTED, ...text('m1', 'Once upon').slice(0, 2));
    await eventually(() => {
      expect(replies()[0]).toContain('Once upon');
    });
    dom().button('Stop').click();
    await finished();
    expect(requests[0]?.signal.aborted).toBe(true);
    expect(replies()[0]).toBe('Once upon You stopped this answer.');
    expect(dom().hasButton('Send')).toBe(true);
  });
});
