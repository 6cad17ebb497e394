// oidc-provider as an application would run it: strict settings, JWT access tokens, clients that are registered.
import { generateKeyPairSync } from 'node:crypto';
import Provider, { errors } from 'oidc-provider';

const { port, issuer, registered, resources, scopes } = JSON.parse(process.env.PEER);

const key = (alg, kind, options) => ({
  ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }),
  kid: alg,
  alg,
  use: 'sig',
});

const provider = new Provider(issuer, {
  clients: registered,
  jwks: { keys: [key('RS256', 'rsa', { modulusLength: 2048 }), key('ES256', 'ec', { namedCurve: 'P-256' })] },
  pkce: { required: () => true },
  scopes: ['openid', 'offline_access'],
  cookies: { keys: ['nothing to protect here'] },
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    dPoP: { enabled: true },
    pushedAuthorizationRequests: { enabled: true },
    registration: { enabled: true },
    registrationManagement: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, resource) => {
        if (!(resource in resources)) throw new errors.InvalidTarget();
        const sign = { alg: resources[resource] };
        return { scope: scopes.join(' '), audience: resource, accessTokenFormat: 'jwt', jwt: { sign } };
      },
    },
  },
});
provider.listen(port, '127.0.0.1');
