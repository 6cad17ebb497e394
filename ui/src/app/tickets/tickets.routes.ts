import { type Routes } from '@angular/router';

import { TicketDetail } from './ticket-detail';
import { TicketList } from './ticket-list';

export const TICKETS: Routes = [
  { path: '', pathMatch: 'full', title: 'Tickets', component: TicketList },
  { path: ':key', title: (route) => route.paramMap.get('key') ?? 'Ticket', component: TicketDetail },
];
