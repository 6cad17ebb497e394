import { type Ticket, type TicketPage } from '../app/api/models';

export function ticket(changes: Partial<Ticket> = {}): Ticket {
  return {
    id: changes.key ?? 'ACME-1',
    key: 'ACME-1',
    title: 'VPN drops every ten minutes',
    description: '',
    type: 'incident',
    status: 'open',
    statusCategory: 'todo',
    priority: 'normal',
    resolution: null,
    reporterId: 'usr_1',
    assigneeId: null,
    teamId: null,
    labels: [],
    sla: {
      policy: 'normal',
      state: 'ok',
      firstResponseDueAt: '2026-01-05T17:00:00Z',
      resolutionDueAt: '2026-01-08T09:00:00Z',
      pausedSeconds: 0,
      pausedSince: null,
    },
    version: 1,
    createdAt: '2026-01-05T09:00:00Z',
    updatedAt: '2026-01-05T09:00:00Z',
    resolvedAt: null,
    ...changes,
  };
}

export function pageOf(items: Ticket[], more: Partial<TicketPage> = {}): TicketPage {
  return { items, nextCursor: null, total: items.length, ...more };
}
