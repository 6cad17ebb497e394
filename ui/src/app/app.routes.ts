import { type Routes } from '@angular/router';

import { CALLBACK_PATH } from './core/auth/callback-path';
import { signedIn, signedOut } from './core/auth/guards';

export const routes: Routes = [
  {
    path: '',
    pathMatch: 'full',
    canActivate: [signedOut],
    loadComponent: () => import('./shell/welcome').then((file) => file.Welcome),
  },
  {
    path: CALLBACK_PATH,
    title: 'Signing in',
    loadComponent: () => import('./shell/sign-in-callback').then((file) => file.SignInCallback),
  },
  {
    path: '',
    canActivate: [signedIn],
    loadComponent: () => import('./shell/shell').then((file) => file.Shell),
    children: [
      {
        path: 'tickets',
        loadChildren: () => import('./tickets/tickets.routes').then((file) => file.TICKETS),
      },
      {
        path: 'assistant',
        loadChildren: () => import('./assistant/assistant.routes').then((file) => file.ASSISTANT),
      },
      {
        path: '**',
        title: 'Not found',
        loadComponent: () => import('./shell/not-found').then((file) => file.NotFound),
      },
    ],
  },
];
