// openid-client: the strictest of the client libraries; each task is what an application does with it.
import * as oidc from 'openid-client';
import { signIn } from './person.mjs';
import { perform, refusal } from './task.mjs';

async function discovered({ issuer, client_id, secret, method = 'client_secret_basic', key }) {
  const proofs = {
    client_secret_basic: () => secret && oidc.ClientSecretBasic(secret),
    client_secret_post: () => oidc.ClientSecretPost(secret),
    private_key_jwt: async () => oidc.PrivateKeyJwt(await imported(key)),
  };
  const options = { execute: [oidc.allowInsecureRequests] };
  return oidc.discovery(new URL(issuer), client_id, secret, await proofs[method](), options);
}

async function imported(jwk) {
  const algorithm = { name: 'ECDSA', namedCurve: jwk.crv };
  const key = await crypto.subtle.importKey('jwk', jwk, algorithm, false, ['sign']);
  return { key, kid: jwk.kid };
}

/** Send somebody to the provider; returns where the browser came back to, and what belongs to it. */
async function begun(
  config,
  { redirect_uri, scope, resource, username },
  build = oidc.buildAuthorizationUrl,
) {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const expectedState = oidc.randomState();
  const expectedNonce = oidc.randomNonce();
  const address = await build(config, {
    redirect_uri,
    scope,
    ...(resource && { resource }),
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  });
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
  return { address, callback: await signIn(address, username), checks };
}

async function signedIn(config, asked) {
  const { callback, checks } = await begun(config, asked);
  return oidc.authorizationCodeGrant(
    config,
    callback,
    checks,
    asked.resource && { resource: asked.resource },
  );
}

/** Sign in, ask userinfo, call the resource server and renew twice, with all the checks a careful application makes. */
async function used(asked) {
  const config = await discovered(asked);
  insist(config.serverMetadata().supportsPKCE(), 'no S256');
  oidc.enableNonRepudiationChecks(config);
  const first = await signedIn(config, asked);
  await oidc.fetchUserInfo(config, first.access_token, first.claims().sub);
  const answer = await oidc.fetchProtectedResource(
    config,
    first.access_token,
    new URL(asked.resource_url),
    'GET',
  );
  insist(answer.ok, `the resource server answered ${answer.status}`);
  insist(first.expiresIn() > 0, 'the token has expired already');
  insist(first.refresh_token, 'no refresh token');
  const second = await oidc.refreshTokenGrant(config, first.refresh_token);
  insist(second.refresh_token !== first.refresh_token, 'the refresh token was not rotated');
  await oidc.refreshTokenGrant(config, second.refresh_token);
  return null;
}

function insist(holds, otherwise) {
  if (!holds) throw new Error(otherwise);
}

async function simulate(issuer, secret, method, path, body) {
  const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
  const answer = await fetch(`${issuer}/_sim/${path}`, {
    method,
    headers,
    body: body && JSON.stringify(body),
  });
  insist(answer.ok, `${method} ${path}: ${answer.status} ${await answer.text()}`);
}

await perform({
  async sign_in(asked) {
    const config = await discovered(asked);
    // Also verifies the signature of the ID token, which is optional where TLS has protected it.
    oidc.enableNonRepudiationChecks(config);
    const tokens = await signedIn(config, asked);
    const claims = tokens.claims();
    const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
    return { tokens, claims, userinfo };
  },

  async refresh(asked) {
    const config = await discovered(asked);
    const first = await signedIn(config, asked);
    const second = await oidc.refreshTokenGrant(config, first.refresh_token);
    const third = await oidc.refreshTokenGrant(config, second.refresh_token);
    const reused = await refusal(oidc.refreshTokenGrant(config, second.refresh_token));
    const afterwards = await refusal(oidc.refreshTokenGrant(config, third.refresh_token));
    return { refresh_tokens: [first, second, third].map((each) => each.refresh_token), reused, afterwards };
  },

  async revoke(asked) {
    const config = await discovered(asked);
    const tokens = await signedIn(config, asked);
    await oidc.tokenRevocation(config, tokens.refresh_token);
    return { refused: await refusal(oidc.refreshTokenGrant(config, tokens.refresh_token)) };
  },

  /** The answer of an honest provider, with one parameter changed or, by null, taken away on its way. */
  async tampered({ parameter, value, ...asked }) {
    const config = await discovered(asked);
    const { callback, checks } = await begun(config, asked);
    if (value === null) callback.searchParams.delete(parameter);
    else callback.searchParams.set(parameter, value);
    return { refused: await refusal(oidc.authorizationCodeGrant(config, callback, checks)) };
  },

  /** A careful application, once under each quirk and once, as `none`, without: what it notices, or null. */
  async under_quirks({ quirks, secret, ...asked }) {
    const noticed = { none: await used(asked) };
    for (const quirk of quirks) {
      await simulate(asked.issuer, secret, 'PUT', `quirks/${quirk}`, {});
      noticed[quirk] = await used(asked).catch((error) => `${error.cause?.message ?? error.message}`);
      await simulate(asked.issuer, secret, 'DELETE', 'quirks');
    }
    return { noticed };
  },

  async other_nonce(asked) {
    const config = await discovered(asked);
    const { callback, checks } = await begun(config, asked);
    const expected = { ...checks, expectedNonce: oidc.randomNonce() };
    return { refused: await refusal(oidc.authorizationCodeGrant(config, callback, expected)) };
  },

  async client_credentials({ resource, scope, ...asked }) {
    const config = await discovered(asked);
    return { tokens: await oidc.clientCredentialsGrant(config, { resource, scope }) };
  },

  /** A service hands in the token of somebody who called it, for one of another service. */
  async exchange({ service, target, ...asked }) {
    const subject = await signedIn(await discovered(asked), asked);
    const config = await discovered({ issuer: asked.issuer, ...service });
    const tokens = await oidc.genericGrantRequest(config, 'urn:ietf:params:oauth:grant-type:token-exchange', {
      subject_token: subject.access_token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      resource: target,
    });
    return { subject, tokens };
  },

  async wrong_secret({ resource, ...asked }) {
    const config = await discovered(asked);
    return { refused: await refusal(oidc.clientCredentialsGrant(config, { resource })) };
  },

  async introspect({ service, ...asked }) {
    const tokens = await signedIn(await discovered(asked), asked);
    const config = await discovered({ issuer: asked.issuer, ...service });
    const before = await oidc.tokenIntrospection(config, tokens.access_token);
    await oidc.tokenRevocation(await discovered(asked), tokens.access_token);
    return { before, after: await oidc.tokenIntrospection(config, tokens.access_token) };
  },

  async push(asked) {
    const config = await discovered(asked);
    const { callback, checks, address } = await begun(config, asked, oidc.buildAuthorizationUrlWithPAR);
    const tokens = await oidc.authorizationCodeGrant(config, callback, checks, { resource: asked.resource });
    return { parameters: [...address.searchParams.keys()], claims: tokens.claims() };
  },

  /** A token that is worth nothing without the key of the client. */
  async prove_possession(asked) {
    const config = await discovered(asked);
    const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair());
    const { callback, checks } = await begun(config, asked);
    const tokens = await oidc.authorizationCodeGrant(
      config,
      callback,
      checks,
      { resource: asked.resource },
      { DPoP },
    );
    const userinfo = await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub, { DPoP });
    const renewed = await oidc.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
    const stolen = await refusal(oidc.fetchUserInfo(config, renewed.access_token, tokens.claims().sub));
    return { tokens, renewed, userinfo, stolen };
  },

  /** A device shows a code, and somebody lets it in by a browser elsewhere. */
  async device({ scope, resource, username, ...asked }) {
    const config = await discovered(asked);
    const begun = await oidc.initiateDeviceAuthorization(config, { scope, resource });
    await signIn(begun.verification_uri_complete, username);
    // Asking once is enough by now, and need not wait for the usual interval.
    const tokens = await oidc.pollDeviceAuthorizationGrant(config, { ...begun, interval: 1 });
    return { begun, tokens, claims: tokens.claims() };
  },

  async register({ issuer, metadata, ...asked }) {
    const options = { execute: [oidc.allowInsecureRequests] };
    const config = await oidc.dynamicClientRegistration(new URL(issuer), metadata, oidc.None(), options);
    const tokens = await signedIn(config, { ...asked, redirect_uri: metadata.redirect_uris[0] });
    return { client: config.clientMetadata(), claims: tokens.claims() };
  },
});
