import { type ParamMap, type Params } from '@angular/router';

import { type TicketStatus } from '../api/models';
import { STATUSES } from './ticket-words';

/** Which tickets the list shows. Part of the address, so that it can be shared and survives a reload. */
export interface TicketFilter {
  readonly query: string;
  /** Any of these; none means all. */
  readonly statuses: readonly TicketStatus[];
}

export const EVERYTHING: TicketFilter = { query: '', statuses: [] };

export function isEverything(filter: TicketFilter): boolean {
  return filter.query === '' && filter.statuses.length === 0;
}

export function filterIn(address: ParamMap): TicketFilter {
  const asked = address.getAll('status');
  return {
    query: address.get('q')?.trim() ?? '',
    statuses: STATUSES.filter((status) => asked.includes(status)),
  };
}

/** The address parameters of a filter; null takes one out. */
export function paramsOf(filter: TicketFilter): Params {
  return { q: filter.query || null, status: filter.statuses.length > 0 ? filter.statuses : null };
}
