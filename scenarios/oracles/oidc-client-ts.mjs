// oidc-client-ts: what many single page applications use, here with a storage in place of the browser's.
import { InMemoryWebStorage, OidcClient, WebStorageStateStore } from 'oidc-client-ts';
import { signIn } from './person.mjs';
import { perform, refusal } from './task.mjs';

function client({ issuer, client_id, redirect_uri, scope, resource, post_logout_redirect_uri }) {
  return new OidcClient({
    authority: issuer,
    client_id,
    redirect_uri,
    scope,
    resource,
    post_logout_redirect_uri,
    loadUserInfo: true,
    stateStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
  });
}

async function signedIn(oidc, { username }) {
  const { url } = await oidc.createSigninRequest({ state: { page: '/tickets' }, nonce: 'a nonce' });
  return oidc.processSigninResponse((await signIn(url, username)).href);
}

await perform({
  async sign_in(asked) {
    const oidc = client(asked);
    const { profile, userState, scope, access_token, expires_in, token_type } = await signedIn(oidc, asked);
    return { profile, userState, scope, access_token, expires_in, token_type };
  },

  async refresh(asked) {
    const oidc = client(asked);
    const { refresh_token, scope, profile, session_state } = await signedIn(oidc, asked);
    const state = { refresh_token, scope, profile, session_state };
    const renewed = await oidc.useRefreshToken({ state });
    return { before: refresh_token, after: renewed.refresh_token, subject: renewed.profile.sub };
  },

  async other_state(asked) {
    const oidc = client(asked);
    const { url } = await oidc.createSigninRequest({});
    const callback = await signIn(url, asked.username);
    callback.searchParams.set('state', 'another');
    return { refused: await refusal(oidc.processSigninResponse(callback.href)) };
  },

  async sign_out(asked) {
    const oidc = client(asked);
    const { id_token } = await signedIn(oidc, asked);
    const { url } = await oidc.createSignoutRequest({ id_token_hint: id_token, state: { page: '/bye' } });
    return { url };
  },
});
