import { Service, inject } from '@angular/core';

import { RUNTIME_CONFIG } from '../config/runtime-config';
import { Auth } from './auth';

/** `fetch` for answers HttpClient cannot give piece by piece. Same rule as the interceptor: one renewal, one retry. */
@Service()
export class AuthorizedFetch {
  private readonly auth = inject(Auth);
  private readonly config = inject(RUNTIME_CONFIG);

  async post(path: string, body: unknown, signal: AbortSignal): Promise<Response> {
    const first = await this.send(path, body, signal);
    if (first.status !== 401 || !(await this.auth.renew())) {
      return first;
    }
    const second = await this.send(path, body, signal);
    if (second.status === 401) {
      this.auth.end();
    }
    return second;
  }

  private async send(path: string, body: unknown, signal: AbortSignal): Promise<Response> {
    const token = await this.auth.accessToken();
    return fetch(`${this.config.apiUrl}${path}`, {
      method: 'POST',
      headers: {
        Accept: 'text/event-stream',
        Authorization: `Bearer ${token}`,
        'Content-Type': 'application/json',
      },
      body: JSON.stringify(body),
      signal,
    });
  }
}
