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
    reporterId: 'usr_1',
    assigneeId: null,
    labels: [],
    version: 1,
    createdAt: '2026-01-05T09:00:00Z',
    updatedAt: '2026-01-05T09:00:00Z',
    ...changes,
  };
}

export function pageOf(items: Ticket[], more: Partial<TicketPage> = {}): TicketPage {
  return { items, nextCursor: null, total: items.length, ...more };
}
