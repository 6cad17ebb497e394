import { HttpClient, provideHttpClient, withInterceptors } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { firstValueFrom } from 'rxjs';

import { RUNTIME_CONFIG } from '../config/runtime-config';
import { accessTokenInterceptor } from './access-token-interceptor';
import { Auth } from './auth';

const API = 'http://api.test';
const REFUSED = { status: 401, statusText: 'Unauthorized' };

/** A session as the library behind Auth would hold it: tokens t1, t2, … */
class Session {
  number = 1;
  renewable = true;
  ended = false;

  accessToken(): Promise<string> {
    return Promise.resolve(`t${this.number}`);
  }

  renew(): Promise<boolean> {
    this.number += this.renewable ? 1 : 0;
    return Promise.resolve(this.renewable);
  }

  end(): void {
    this.ended = true;
  }
}

describe('a request', () => {
  const session = () => TestBed.inject(Auth) as unknown as Session;
  const http = () => TestBed.inject(HttpTestingController);
  const get = (url: string) => firstValueFrom(TestBed.inject(HttpClient).get(url));
  const sent = (url: string) => vi.waitFor(() => http().expectOne(url));

  beforeEach(() => {
    TestBed.configureTestingModule({
      providers: [
        provideHttpClient(withInterceptors([accessTokenInterceptor])),
        provideHttpClientTesting(),
        { provide: RUNTIME_CONFIG, useValue: { apiUrl: API } },
        { provide: Auth, useClass: Session },
      ],
    });
  });

  afterEach(() => {
    http().verify();
  });

  it('to the api carries the access token', async () => {
    const answer = get(`${API}/api/me`);
    const request = await sent(`${API}/api/me`);
    expect(request.request.headers.get('Authorization')).toBe('Bearer t1');
    request.flush({ ok: true });
    await expect(answer).resolves.toEqual({ ok: true });
  });

  it.each(['http://elsewhere.test/api', `${API}.evil.test/api`])('to %s does not', (url) => {
    void get(url);
    expect(http().expectOne(url).request.headers.has('Authorization')).toBe(false);
  });

  it('refused once is sent again with a renewed token', async () => {
    const answer = get(`${API}/api/me`);
    (await sent(`${API}/api/me`)).flush(null, REFUSED);
    const again = await sent(`${API}/api/me`);
    expect(again.request.headers.get('Authorization')).toBe('Bearer t2');
    again.flush({ ok: true });
    await expect(answer).resolves.toEqual({ ok: true });
    expect(session().ended).toBe(false);
  });

  it('refused with a renewed token ends the session', async () => {
    const answer = get(`${API}/api/me`).catch((error: unknown) => error);
    (await sent(`${API}/api/me`)).flush(null, REFUSED);
    (await sent(`${API}/api/me`)).flush(null, REFUSED);
    await expect(answer).resolves.toMatchObject({ status: 401 });
    expect(session().ended).toBe(true);
  });

  it('refused when nothing can be renewed fails without another try', async () => {
    session().renewable = false;
    const answer = get(`${API}/api/me`).catch((error: unknown) => error);
    (await sent(`${API}/api/me`)).flush(null, REFUSED);
    await expect(answer).resolves.toMatchObject({ status: 401 });
  });
});
