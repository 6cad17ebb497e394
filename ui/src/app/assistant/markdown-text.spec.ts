import { TestBed } from '@angular/core/testing';
import { Router, provideRouter } from '@angular/router';

import { MarkdownText } from './markdown-text';

async function rendered(markdown: string, ticketPrefix: string | null = null): Promise<HTMLElement> {
  const fixture = TestBed.createComponent(MarkdownText);
  fixture.componentRef.setInput('markdown', markdown);
  fixture.componentRef.setInput('ticketPrefix', ticketPrefix);
  await fixture.whenStable();
  return fixture.nativeElement as HTMLElement;
}

describe('what the assistant writes', () => {
  beforeEach(() => {
    TestBed.configureTestingModule({ providers: [provideRouter([])] });
  });

  it('is formatted', async () => {
    const page = await rendered('**Two** tickets:\n\n- one\n- two');
    expect(page.querySelector('strong')?.textContent).toBe('Two');
    expect(page.querySelectorAll('li')).toHaveLength(2);
  });

  it.each([
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '<a href="javascript:alert(1)" onclick="alert(2)">x</a>',
    '<iframe src="https://evil.test"></iframe>',
    '<style>body{display:none}</style>',
  ])('shows HTML as text: %s', async (hostile) => {
    const page = await rendered(`See ${hostile} here`);
    expect(page.querySelector('script, img, iframe, style, a')).toBeNull();
    expect(page.textContent).toContain(hostile);
  });

  it('shows the words of an image and never loads one', async () => {
    const page = await rendered('![a plan](https://evil.test/track.png)');
    expect(page.querySelector('img')).toBeNull();
    expect(page.textContent).toContain('a plan');
  });

  it.each(['javascript:alert(1)', 'JaVaScRiPt:alert(1)', 'data:text/html,x', 'vbscript:x', '//evil.test'])(
    'does not link to %s',
    async (href) => {
      const page = await rendered(`[click](${href})`);
      expect(page.querySelector('a')).toBeNull();
      expect(page.textContent).toContain('click');
    },
  );

  it('links to other sites in a new tab that knows nothing of this one', async () => {
    const link = (await rendered('[site](https://example.test/a?b="c")')).querySelector('a');
    expect(link?.protocol).toBe('https:');
    expect(link?.rel).toBe('noopener noreferrer');
  });

  it('turns keys of the own organization into links that stay in the app', async () => {
    const page = await rendered(
      'ACME-12 and `ACME-13`, not UTF-8, XACME-1 or [ACME-2](https://x.test)',
      'ACME',
    );
    const links = Array.from(page.querySelectorAll('a'), (each) => each.getAttribute('href'));
    expect(links).toEqual(['/tickets/ACME-12', 'https://x.test']);

    const follow = vi.spyOn(TestBed.inject(Router), 'navigateByUrl').mockResolvedValue(true);
    page.querySelector('a')?.click();
    expect(follow).toHaveBeenCalledWith('/tickets/ACME-12');
  });
});
