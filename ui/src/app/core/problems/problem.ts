import { HttpErrorResponse } from '@angular/common/http';

import { type Flaw } from '../../api/models';

/** A failure as the app speaks of it. `code` is the api's (RFC 9457 extension), or one of our own below. */
export class Problem extends Error {
  override readonly name = 'Problem';

  constructor(
    /** `unreachable`: no answer. `unreadable`: an answer that makes no sense. Else what the api said. */
    readonly code: string,
    /** The api's own words, for people. */
    readonly detail = '',
    readonly flaws: readonly Flaw[] = [],
  ) {
    super(detail || code);
  }
}

/** What went wrong with a request made by HttpClient. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) {
    return error;
  }
  if (!(error instanceof HttpErrorResponse)) {
    return new Problem('unreadable', error instanceof Error ? error.message : String(error));
  }
  return error.status === 0 ? new Problem('unreachable') : problemIn(error.error, error.status);
}

/** What went wrong with a request made by fetch, from its answer. */
export async function problemOfResponse(answer: Response): Promise<Problem> {
  return problemIn(await answer.json().catch(() => null), answer.status);
}

function problemIn(body: unknown, status: number): Problem {
  const { code, detail, errors } = (parsed(body) ?? {}) as Record<string, unknown>;
  if (typeof code !== 'string') {
    return new Problem('unreadable', `The answer was HTTP ${status} without an explanation.`);
  }
  return new Problem(
    code,
    typeof detail === 'string' ? detail : '',
    Array.isArray(errors) ? errors.filter(isFlaw) : [],
  );
}

/** HttpClient hands over problem+json as text when another type was expected. */
function parsed(body: unknown): unknown {
  if (typeof body !== 'string') {
    return body;
  }
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

function isFlaw(value: unknown): value is Flaw {
  const { pointer, detail } = (value ?? {}) as Record<string, unknown>;
  return typeof pointer === 'string' && typeof detail === 'string';
}
