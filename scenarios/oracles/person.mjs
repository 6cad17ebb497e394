// Somebody who signs in on the pages of the identity provider and agrees to everything, in a browser without scripts.

/** Follow an authorization request to its end; returns the address the browser is sent back to. */
export async function signIn(address, username) {
  const home = new URL(address).origin;
  const kept = new Map();
  let place = new URL(address);
  let form = null;
  while (place.origin === home) {
    const response = await fetch(place, {
      method: form ? 'POST' : 'GET',
      redirect: 'manual',
      headers: { cookie: [...kept.values()].join('; ') },
      body: form && new URLSearchParams(form),
    });
    for (const cookie of response.headers.getSetCookie())
      kept.set(cookie.split('=')[0], cookie.split(';')[0]);
    const location = response.headers.get('location');
    const body = await response.text();
    if (location !== null) {
      place = new URL(location, place);
      form = null;
    } else if (response.ok && form === null) {
      // A page: each has one form, with the same hidden field, and says by its path what it asks.
      const answer = place.pathname.endsWith('/consent') ? { answer: 'allow' } : { username };
      form = { interaction: place.searchParams.get('interaction'), ...answer };
      place = new URL(place.pathname, place);
    } else {
      throw new Error(`${place} got no further: ${response.status} ${body.slice(0, 300)}`);
    }
  }
  return place;
}
