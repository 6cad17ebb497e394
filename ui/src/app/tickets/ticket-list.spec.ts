import { provideHttpClient } from '@angular/common/http';
import {
  HttpTestingController,
  type TestRequest,
  provideHttpClientTesting,
} from '@angular/common/http/testing';
import { signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { Router, provideRouter } from '@angular/router';
import { RouterTestingHarness } from '@angular/router/testing';

import { ToldChanges } from '../../testing/changes';
import { Dom } from '../../testing/dom';
import { pageOf, ticket } from '../../testing/tickets';
import { type TicketPage } from '../api/models';
import { Auth } from '../core/auth/auth';
import { TicketList } from './ticket-list';

const UNAVAILABLE = { code: 'unavailable', detail: 'The ticketing service cannot be reached.', status: 503 };

describe('the list of tickets', () => {
  let harness: RouterTestingHarness;
  let changes: ToldChanges;
  const dom = () => new Dom(harness.routeNativeElement);
  const http = () => TestBed.inject(HttpTestingController);
  const asked = (match: (request: TestRequest['request']) => boolean = () => true) =>
    vi.waitFor(() => http().expectOne((request) => request.url.endsWith('/api/tickets') && match(request)));
  const settled = () => harness.fixture.whenStable();

  async function answer(page: TicketPage): Promise<void> {
    (await asked()).flush(page);
    await settled();
  }

  async function open(address = '/tickets'): Promise<void> {
    harness = await RouterTestingHarness.create();
    await harness.navigateByUrl(address);
    http()
      .expectOne((request) => request.url.endsWith('/api/members'))
      .flush({ items: [{ id: 'usr_2', displayName: 'Bea Berg' }], nextCursor: null, total: 1 });
  }

  beforeEach(() => {
    changes = new ToldChanges();
    TestBed.configureTestingModule({
      providers: [
        provideHttpClient(),
        provideHttpClientTesting(),
        provideRouter([{ path: 'tickets', component: TicketList }]),
        { provide: Auth, useValue: { signedIn: signal(true) } },
        changes.provider,
      ],
    });
  });

  afterEach(() => {
    http().verify();
  });

  it('says that it is loading', async () => {
    await open();
    const request = await asked();
    expect(dom().one('progressbar').getAttribute('aria-label')).toBe('Loading tickets');
    request.flush(pageOf([]));
    await settled();
    expect(dom().all('progressbar')).toEqual([]);
  });

  it('shows key, title, status, priority and assignee', async () => {
    await open();
    await answer(
      pageOf([ticket({ key: 'ACME-7', status: 'in_progress', priority: 'urgent', assigneeId: 'usr_2' })]),
    );
    const [row] = dom().all('listitem');
    expect(row).toMatch(/ACME-7 ?VPN drops.*In progress.*Urgent.*Bea Berg/);
    expect(dom().text).toContain('1 ticket');
  });

  it('is kind when there is nothing', async () => {
    await open();
    await answer(pageOf([]));
    expect(dom().all('heading')).toContain('Nothing here yet');
  });

  it('tells what failed, in words, and tries again', async () => {
    await open();
    (await asked()).flush(UNAVAILABLE, { status: 503, statusText: 'Service Unavailable' });
    await settled();
    expect(dom().all('alert')[0]).toContain('A service behind the server cannot be reached now.');
    expect(dom().all('alert')[0]).toContain(UNAVAILABLE.detail);

    dom().button('Try again').click();
    await answer(pageOf([ticket()]));
    expect(dom().all('alert')).toEqual([]);
    expect(dom().all('listitem')).toHaveLength(1);
  });

  it('appends the next page by its cursor', async () => {
    await open();
    await answer(pageOf([ticket({ key: 'ACME-2' })], { nextCursor: 'c1', total: 2 }));
    dom().button('Load more').click();
    (await asked((request) => request.params.get('cursor') === 'c1')).flush(pageOf([ticket()], { total: 2 }));
    await settled();
    expect(dom().all('listitem')).toHaveLength(2);
    expect(dom().hasButton('Load more')).toBe(false);
  });

  it('shows what somebody else changes, without a bar and without losing its place', async () => {
    await open();
    await answer(pageOf([ticket({ key: 'ACME-2' })], { nextCursor: 'c1', total: 21 }));
    dom().button('Load more').click();
    const more = Array.from({ length: 20 }, (_, index) => ticket({ key: `ACME-${10 + index}` }));
    (await asked((request) => request.params.get('cursor') === 'c1')).flush(pageOf(more, { total: 21 }));
    await settled();

    changes.tickets.next({ subject: 'ACME-2', gone: false });
    const again = await asked((request) => request.params.get('limit') === '21');
    expect(dom().all('progressbar')).toEqual([]);
    expect(dom().all('listitem')).toHaveLength(21);
    again.flush(pageOf([ticket({ key: 'ACME-2', status: 'resolved' }), ...more]));
    await settled();
    expect(dom().all('listitem')).toHaveLength(21);
    expect(dom().all('listitem')[0]).toContain('Resolved');
  });

  it('learns the names of those who join', async () => {
    await open();
    await answer(pageOf([ticket({ assigneeId: 'usr_3' })]));
    expect(dom().text).not.toContain('Cem Celik');
    changes.members.next({ subject: 'usr_3', gone: false });
    const members = await vi.waitFor(() =>
      http().expectOne((request) => request.url.endsWith('/api/members')),
    );
    members.flush({ items: [{ id: 'usr_3', displayName: 'Cem Celik' }], nextCursor: null, total: 1 });
    await settled();
    expect(dom().all('listitem')[0]).toContain('Cem Celik');
  });

  it('keeps what it shows when a look nobody asked for fails', async () => {
    await open();
    await answer(pageOf([ticket()]));
    changes.tickets.next({ subject: null, gone: false });
    (await asked()).flush(UNAVAILABLE, { status: 503, statusText: 'Service Unavailable' });
    await settled();
    expect(dom().all('listitem')).toHaveLength(1);
    expect(dom().all('alert')).toEqual([]);
  });

  it('filters by status and words, and keeps both in the address', async () => {
    await open('/tickets?q=vpn');
    const first = await asked((request) => request.params.get('query') === 'vpn');
    expect(dom().field('Search tickets').value).toBe('vpn');
    first.flush(pageOf([ticket()]));
    await settled();

    dom().button('Pending').click();
    const second = await asked((request) => request.params.getAll('status')?.join() === 'pending');
    expect(TestBed.inject(Router).url).toBe('/tickets?q=vpn&status=pending');
    second.flush(pageOf([]));
    await settled();
    expect(dom().button('Pending').getAttribute('aria-pressed')).toBe('true');

    dom().button('Show all tickets').click();
    await answer(pageOf([ticket()]));
    expect(TestBed.inject(Router).url).toBe('/tickets');
    expect(dom().field('Search tickets').value).toBe('');
  });
});
