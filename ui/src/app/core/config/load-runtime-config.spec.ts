import { loadRuntimeConfig } from './load-runtime-config';
import { type Environment } from './runtime-config';
import { showStartError } from './start-error';

const DEFAULTS = { issuer: 'http://idp', apiUrl: 'http://api', clientId: 'ui', scope: 'openid' };
const BUILT: Environment = { production: true, configUrl: 'config.json', defaults: DEFAULTS };

function served(body: string, type = 'application/json', status = 200): void {
  vi.stubGlobal('fetch', () =>
    Promise.resolve(new Response(body, { status, headers: { 'Content-Type': type } })),
  );
}

describe('the runtime configuration', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('is what the server of the page says, not what was built in', async () => {
    const told = { ...DEFAULTS, apiUrl: 'http://localhost:51000' };
    served(JSON.stringify(told));
    await expect(loadRuntimeConfig(BUILT)).resolves.toEqual(told);
  });

  it('is built in only where the build says so', async () => {
    await expect(loadRuntimeConfig({ ...BUILT, production: false, configUrl: null })).resolves.toEqual(
      DEFAULTS,
    );
  });

  it.each([
    ['an HTML page instead', '<!doctype html>', 'text/html', 200, 'answered 200 with text/html'],
    ['a missing file', 'not found', 'text/plain', 404, 'answered 404'],
    ['broken JSON', '{', 'application/json', 200, 'cannot be read'],
    [
      'a missing field',
      '{"issuer":"http://idp","clientId":"ui","scope":""}',
      'application/json',
      200,
      'apiUrl, scope',
    ],
  ])('refuses %s and says what it got', async (_case, body, type, status, evidence) => {
    served(body, type, status);
    await expect(loadRuntimeConfig(BUILT)).rejects.toThrow(evidence);
  });

  it('when refused, is a visible alert in place of the app', () => {
    document.body.innerHTML = '<app-root>Starting…</app-root>';
    showStartError(document, new Error('GET config.json answered 404.'));
    const alert = document.querySelector('app-root > [role=alert]');
    expect(alert?.textContent).toContain('could not start');
    expect(alert?.textContent).toContain('answered 404');
  });
});
