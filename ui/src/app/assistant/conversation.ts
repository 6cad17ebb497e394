import { Service, computed, inject, linkedSignal, resource, signal } from '@angular/core';

import { Api } from '../api/api';
import { chat, getConversation } from '../api/functions';
import { type ChatRequest } from '../api/models';
import { AuthorizedFetch } from '../core/auth/authorized-fetch';
import { Problem, problemOf, problemOfResponse } from '../core/problems/problem';
import { chatEvents } from './chat-stream';
import { turnsOf } from './stored-turns';
import { type Turn, afterEvent, asked, failed, stopped } from './turn';

/** The api knows no such conversation, or cannot: its id is none. */
const GONE = ['not_found', 'invalid'];

/**
 * The conversation that is held now, and what was said in it so far. Lives as long as the page, so that a look at a
 * ticket does not end it.
 */
@Service()
export class Conversation {
  private readonly api = inject(Api);
  private readonly fetch = inject(AuthorizedFetch);
  private readonly _id = signal<string | null>(null);
  /** An object, so that the same id is loaded again when it is opened again. */
  private readonly _opened = signal<{ readonly id: string } | undefined>(undefined);
  private readonly _stored = resource({
    params: () => this._opened(),
    loader: ({ params: { id } }) => this.api.invoke(getConversation, { id }),
  });
  private readonly _turns = linkedSignal<readonly Turn[]>(() =>
    this._stored.hasValue() ? turnsOf(this._stored.value().messages) : [],
  );
  private run: AbortController | undefined;

  /** Null: a new one, in which nothing was said yet. */
  readonly id = this._id.asReadonly();
  readonly turns = this._turns.asReadonly();
  readonly running = computed(() => this._turns().at(-1)?.state === 'running');
  readonly loading = this._stored.isLoading;
  /** Why it cannot be shown; `gone` if there is none (any more). */
  readonly problem = computed(() => {
    const error = this._stored.error();
    const problem = error ? problemOf(error) : null;
    return problem && GONE.includes(problem.code) ? new Problem('gone', problem.detail) : problem;
  });

  /** Goes on with that conversation, or begins a new one. An answer that is still coming is stopped. */
  open(id: string | null): void {
    if (id === null || id !== this._id()) {
      this.stop();
      this._id.set(id);
      this._turns.set([]);
      this._opened.set(id === null ? undefined : { id });
    }
  }

  reload(): void {
    this._stored.reload();
  }

  /** Asks the assistant; complete when its answer is, however it ends. */
  async ask(question: string): Promise<void> {
    if (this.running() || this.loading() || this.problem()) {
      return;
    }
    const run = new AbortController();
    this.run = run;
    this._turns.update((turns) => [...turns, asked(turns.length, question)]);
    try {
      await this.answer(question, run.signal);
    } catch (error) {
      this.end(run, (turn) => failed(turn, problemOfRun(error)));
    }
  }

  /** Ends the answer where it is. */
  stop(): void {
    const run = this.run;
    if (run && this.running()) {
      this.end(run, stopped);
      run.abort();
    }
  }

  /** Asks the last question again, in place of the attempt that failed. */
  async retry(): Promise<void> {
    const last = this._turns().at(-1);
    if (last && !this.running()) {
      this._turns.update((turns) => turns.slice(0, -1));
      await this.ask(last.question);
    }
  }

  private async answer(message: string, signal: AbortSignal): Promise<void> {
    const request: ChatRequest = { threadId: this._id(), message };
    const answer = await this.fetch.post(chat.PATH, request, signal);
    if (!answer.ok) {
      const problem = await problemOfResponse(answer);
      if (problem.code === 'not_found' && !signal.aborted) {
        // It was deleted meanwhile; the next question begins a new one.
        this._id.set(null);
        throw new Problem('gone', problem.detail);
      }
      throw problem;
    }
    for await (const event of chatEvents(answer)) {
      if (signal.aborted) {
        return;
      }
      if (event.type === 'RUN_STARTED') {
        this._id.set(event.threadId);
      }
      this.update((turn) => afterEvent(turn, event));
    }
    if (this.running()) {
      throw new Problem('interrupted');
    }
  }

  private update(change: (turn: Turn) => Turn): void {
    this._turns.update((turns) =>
      turns.map((turn, index) => (index === turns.length - 1 ? change(turn) : turn)),
    );
  }

  /** Changes the turn of `run`, unless that run was stopped or forgotten. */
  private end(run: AbortController, change: (turn: Turn) => Turn): void {
    if (this.run === run && !run.signal.aborted) {
      this.update(change);
    }
  }
}

function problemOfRun(error: unknown): Problem {
  if (error instanceof Problem) {
    return error;
  }
  // fetch and its stream report a lost connection as TypeError.
  return new Problem(error instanceof TypeError ? 'unreachable' : 'unreadable');
}
