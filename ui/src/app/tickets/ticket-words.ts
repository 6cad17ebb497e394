import { TICKET_PRIORITY } from '../api/models/ticket-priority-array';
import { TICKET_STATUS } from '../api/models/ticket-status-array';
import { TICKET_TYPE } from '../api/models/ticket-type-array';
import { type TicketPriority, type TicketStatus, type TicketType } from '../api/models';

/** How the values of the api are called in front of people. */
export const STATUS_WORDS: Readonly<Record<TicketStatus, string>> = {
  open: 'Open',
  in_progress: 'In progress',
  pending: 'Pending',
  resolved: 'Resolved',
  closed: 'Closed',
  cancelled: 'Cancelled',
};

export const PRIORITY_WORDS: Readonly<Record<TicketPriority, string>> = {
  low: 'Low',
  normal: 'Normal',
  high: 'High',
  urgent: 'Urgent',
};

export const TYPE_WORDS: Readonly<Record<TicketType, string>> = {
  incident: 'Incident',
  request: 'Request',
  question: 'Question',
  problem: 'Problem',
  task: 'Task',
};

export const STATUSES: readonly TicketStatus[] = TICKET_STATUS;
export const PRIORITIES: readonly TicketPriority[] = TICKET_PRIORITY;
export const TYPES: readonly TicketType[] = TICKET_TYPE;
