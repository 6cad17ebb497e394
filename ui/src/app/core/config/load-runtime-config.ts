import { type Environment, type RuntimeConfig } from './runtime-config';
import { StartError } from './start-error';

const KEYS = ['issuer', 'apiUrl', 'clientId', 'scope'] as const;

/**
 * Fetches the configuration the server of this page gives out.
 *
 * A production build never falls back to its defaults: an app that talks to the wrong services looks
 * healthy and is not.
 *
 * @throws StartError there is no usable configuration at `configUrl`
 */
export async function loadRuntimeConfig(environment: Environment): Promise<RuntimeConfig> {
  const { configUrl, defaults } = environment;
  if (configUrl === null) {
    return defaults;
  }
  const answer = await fetch(configUrl, { cache: 'no-store' }).catch((cause: unknown) => {
    throw new StartError(`GET ${configUrl} failed: ${String(cause)}.`, { cause });
  });
  const type = answer.headers.get('content-type') ?? 'no content type';
  if (!answer.ok || !type.startsWith('application/json')) {
    throw new StartError(`GET ${configUrl} answered ${answer.status} with ${type}, not JSON.`);
  }
  const document: unknown = await answer.json().catch((cause: unknown) => {
    throw new StartError(`GET ${configUrl} answered JSON that cannot be read.`, { cause });
  });
  return checked(document, configUrl);
}

function checked(document: unknown, source: string): RuntimeConfig {
  const fields = (typeof document === 'object' && document !== null ? document : {}) as Record<
    string,
    unknown
  >;
  const [issuer, apiUrl, clientId, scope] = KEYS.map((key) => fields[key]);
  if (!isText(issuer) || !isText(apiUrl) || !isText(clientId) || !isText(scope)) {
    const missing = KEYS.filter((key) => !isText(fields[key]));
    throw new StartError(`${source} lacks ${missing.join(', ')}.`);
  }
  return { issuer, apiUrl, clientId, scope };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
