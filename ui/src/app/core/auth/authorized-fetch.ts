import { Service, inject } from '@angular/core';

import { RUNTIME_CONFIG } from '../config/runtime-config';
import { Auth } from './auth';

/** `fetch` for answers HttpClient cannot give piece by piece. Same rule as the interceptor: one renewal, one retry. */
@Service()
export class AuthorizedFetch {
  private readonly auth = inject(Auth);
  private readonly config = inject(RUNTIME_CONFIG);

  get(path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Response> {
    return this.answered(path, { headers, signal });
  }

  post(path: string, body: unknown, signal: AbortSignal): Promise<Response> {
    const headers = { 'Content-Type': 'application/json' };
    return this.answered(path, { method: 'POST', headers, body: JSON.stringify(body), signal });
  }

  private async answered(path: string, request: RequestInit): Promise<Response> {
    const first = await this.send(path, request);
    if (first.status !== 401 || !(await this.auth.renew())) {
      return first;
    }
    const second = await this.send(path, request);
    if (second.status === 401) {
      this.auth.end();
    }
    return second;
  }

  private async send(path: string, request: RequestInit): Promise<Response> {
    const headers = new Headers(request.headers);
    headers.set('Accept', 'text/event-stream');
    headers.set('Authorization', `Bearer ${await this.auth.accessToken()}`);
    return fetch(`${this.config.apiUrl}${path}`, { ...request, headers });
  }
}
