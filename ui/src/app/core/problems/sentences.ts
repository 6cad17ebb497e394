import { type Problem } from './problem';

/** What happened and what to do, per problem code. The only place that turns codes into words. */
const SENTENCES: Readonly<Record<string, string>> = {
  unreachable: 'The server cannot be reached. Check the connection and try again.',
  unreadable: 'The server gave an answer that cannot be understood. Try again.',
  interrupted: 'The answer broke off before its end. Try again.',
  unauthenticated: 'Your session is not valid any more. Sign in again.',
  forbidden: 'Your role does not allow this.',
  insufficient_scope: 'This session may not do that. Sign out and in again to get the permission.',
  not_found: 'There is no such thing in your organization.',
  gone: 'It was deleted, or it is not yours in this organization. Ask again to begin a new one.',
  conflict: 'Somebody else changed this in the meantime. Load it again.',
  invalid: 'Something in the form is not right.',
  too_large: 'That is too much text.',
  bad_gateway: 'A service behind the server gave an answer that makes no sense. Try again in a moment.',
  unavailable: 'A service behind the server cannot be reached now. Try again in a moment.',
};

/** A sentence for people; a code nobody foresaw keeps the server's own words. */
export function sentence(problem: Problem): string {
  return SENTENCES[problem.code] ?? (problem.detail || `The server refused this (${problem.code}).`);
}
