import { Service, computed, inject, signal } from '@angular/core';

import { chat } from '../api/functions';
import { type ChatRequest } from '../api/models';
import { AuthorizedFetch } from '../core/auth/authorized-fetch';
import { Problem, problemOfResponse } from '../core/problems/problem';
import { chatEvents } from './chat-stream';
import { type Turn, afterEvent, asked, failed, stopped } from './turn';

/** What was said so far. Lives as long as the page, so that a look at a ticket does not end it. */
@Service()
export class Conversation {
  private readonly fetch = inject(AuthorizedFetch);
  private readonly _turns = signal<readonly Turn[]>([]);
  private threadId: string | null = null;
  private run: AbortController | undefined;

  readonly turns = this._turns.asReadonly();
  readonly running = computed(() => this._turns().at(-1)?.state === 'running');

  /** Asks the assistant; complete when its answer is, however it ends. */
  async ask(question: string): Promise<void> {
    if (this.running()) {
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

  /** Forgets everything said so far. */
  restart(): void {
    this.stop();
    this.threadId = null;
    this._turns.set([]);
  }

  private async answer(message: string, signal: AbortSignal): Promise<void> {
    const request: ChatRequest = { threadId: this.threadId, message };
    const answer = await this.fetch.post(chat.PATH, request, signal);
    if (!answer.ok) {
      const problem = await problemOfResponse(answer);
      if (problem.code === 'not_found') {
        // The server has forgotten this conversation; the next question begins a new one.
        this.threadId = null;
      }
      throw problem;
    }
    for await (const event of chatEvents(answer)) {
      if (signal.aborted) {
        return;
      }
      if (event.type === 'RUN_STARTED') {
        this.threadId = event.threadId;
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
