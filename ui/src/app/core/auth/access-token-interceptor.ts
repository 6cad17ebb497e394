import { HttpErrorResponse, type HttpInterceptorFn } from '@angular/common/http';
import { inject } from '@angular/core';
import { catchError, from, switchMap, throwError } from 'rxjs';

import { RUNTIME_CONFIG } from '../config/runtime-config';
import { Auth } from './auth';

/** Sends the access token to the api, and to nobody else. A 401 gets one renewed token and one more try. */
export const accessTokenInterceptor: HttpInterceptorFn = (request, next) => {
  if (!request.url.startsWith(`${inject(RUNTIME_CONFIG).apiUrl}/`)) {
    return next(request);
  }
  // Not before: the library behind Auth makes requests of its own, through this interceptor.
  const auth = inject(Auth);
  const send = () =>
    from(auth.accessToken()).pipe(
      switchMap((token) => next(request.clone({ setHeaders: { Authorization: `Bearer ${token}` } }))),
    );
  return send().pipe(
    catchError((refusal: unknown) => {
      if (!isUnauthorized(refusal)) {
        return throwError(() => refusal);
      }
      return from(auth.renew()).pipe(
        switchMap((renewed) => (renewed ? send() : throwError(() => refusal))),
        catchError((again: unknown) => {
          if (again !== refusal && isUnauthorized(again)) {
            auth.end();
          }
          return throwError(() => again);
        }),
      );
    }),
  );
};

function isUnauthorized(error: unknown): boolean {
  return error instanceof HttpErrorResponse && error.status === 401;
}
