import { DatePipe } from '@angular/common';
import { Component, input } from '@angular/core';
import { RouterLink } from '@angular/router';

import { type Ticket } from '../api/models';
import { Avatar } from '../ui/avatar';
import { PriorityBadge } from './priority-badge';
import { StatusBadge } from './status-badge';

@Component({
  selector: 'app-ticket-row',
  imports: [Avatar, DatePipe, PriorityBadge, RouterLink, StatusBadge],
  templateUrl: './ticket-row.html',
  styleUrl: './ticket-row.scss',
})
export class TicketRow {
  readonly ticket = input.required<Ticket>();
  /** Name of the assignee, as far as there is one and the user may know it. */
  readonly assignee = input.required<string | null>();
}
