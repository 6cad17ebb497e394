// Somebody who signs in on the page of the identity provider, in a browser without scripts.

/** Follow an authorization request to its end; returns the address the browser is sent back to. */
export async function signIn(address, username) {
  const begun = await fetch(address, { redirect: 'manual' });
  const page = new URL(sentTo(begun, await begun.text()));
  const interaction = page.searchParams.get('interaction');
  if (interaction === null) return page;
  const picked = await fetch(new URL(page.pathname, page), {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie: cookies(begun) },
    body: new URLSearchParams({ interaction, username }),
  });
  return new URL(sentTo(picked, await picked.text()));
}

function sentTo(response, body) {
  const location = response.headers.get('location');
  if (location === null)
    throw new Error(`${response.url} did not redirect: ${response.status} ${body.slice(0, 300)}`);
  return new URL(location, response.url);
}

function cookies(response) {
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ');
}
