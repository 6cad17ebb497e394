import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { type ComponentFixture, TestBed } from '@angular/core/testing';
import { MatDialogRef } from '@angular/material/dialog';

import { Dom } from '../../testing/dom';
import { pageOf, ticket } from '../../testing/tickets';
import { type Ticket } from '../api/models';
import { TicketCreateDialog } from './ticket-create-dialog';

describe('the form for a new ticket', () => {
  let fixture: ComponentFixture<TicketCreateDialog>;
  let closedWith: (Ticket | undefined)[];
  const dom = () => new Dom(fixture.nativeElement as HTMLElement);
  const http = () => TestBed.inject(HttpTestingController);
  const posts = () => http().match((request) => request.method === 'POST');

  async function submit(): Promise<void> {
    dom().button('Create ticket').click();
    await fixture.whenStable();
  }

  beforeEach(async () => {
    closedWith = [];
    TestBed.configureTestingModule({
      providers: [
        provideHttpClient(),
        provideHttpClientTesting(),
        { provide: MatDialogRef, useValue: { close: (result?: Ticket) => closedWith.push(result) } },
      ],
    });
    fixture = TestBed.createComponent(TicketCreateDialog);
    TestBed.tick();
    http()
      .expectOne((request) => request.method === 'GET')
      .flush(pageOf([]));
    await fixture.whenStable();
  });

  it.each(['', '   '])('wants a title, not "%s", and asks nobody before it has one', async (title) => {
    dom().type('Title', title);
    await submit();
    expect(dom().description('Title')).toBe('Give the ticket a title.');
    expect(posts()).toEqual([]);
  });

  it('sends what was typed once, however often the button is pressed, and closes with the ticket', async () => {
    dom().type('Title', 'No coffee');
    dom().type('Description', 'Third floor.');
    dom().button('Create ticket').click();
    TestBed.tick();
    expect(dom().hasButton('Create ticket')).toBe(false);
    dom().button('Creating…').click();
    const [request, ...others] = posts();
    expect(others).toEqual([]);
    expect(request?.request.body).toEqual({
      title: 'No coffee',
      description: 'Third floor.',
      type: 'request',
      priority: 'normal',
    });
    const created = ticket({ key: 'ACME-13', title: 'No coffee' });
    request?.flush(created);
    await vi.waitFor(() => {
      expect(closedWith).toEqual([created]);
    });
  });

  it('stays open with the reason when the api refuses, and can be sent again', async () => {
    dom().type('Title', 'No coffee');
    dom().button('Create ticket').click();
    posts()
      .at(0)
      ?.flush(
        { code: 'forbidden', detail: 'A viewer may not create tickets.', status: 403 },
        { status: 403, statusText: 'Forbidden' },
      );
    await fixture.whenStable();
    expect(dom().all('alert')[0]).toContain('Your role does not allow this.');
    expect(dom().all('alert')[0]).toContain('A viewer may not create tickets.');
    expect(dom().field('Title').value).toBe('No coffee');
    expect(dom().hasButton('Create ticket')).toBe(true);
    expect(closedWith).toEqual([]);
  });

  it('shows what the api finds wrong with a field at that field', async () => {
    dom().type('Title', 'No coffee');
    dom().button('Create ticket').click();
    posts()
      .at(0)
      ?.flush(
        {
          code: 'invalid',
          detail: '1 field',
          status: 422,
          errors: [{ pointer: 'body.title', detail: 'Too vague.' }],
        },
        { status: 422, statusText: 'Unprocessable Content' },
      );
    await fixture.whenStable();
    expect(dom().description('Title')).toBe('Too vague.');
    expect(dom().all('alert').join()).not.toContain('The ticket was not created');
  });
});
