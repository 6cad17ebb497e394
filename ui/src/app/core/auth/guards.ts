import { inject } from '@angular/core';
import { type CanActivateFn, Router } from '@angular/router';

import { Auth } from './auth';

/** Lets signed-in users pass. Others see the welcome page, which remembers where they wanted to go. */
export const signedIn: CanActivateFn = (_route, state) =>
  inject(Auth).signedIn() || inject(Router).createUrlTree(['/'], { queryParams: { next: state.url } });

/** Keeps signed-in users off the welcome page. */
export const signedOut: CanActivateFn = () =>
  !inject(Auth).signedIn() || inject(Router).createUrlTree(['/tickets']);
