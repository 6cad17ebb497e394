// Somebody who signs in on the pages of the identity provider and agrees to everything, in a browser without scripts.

const STEPS = 12;

/** Follow redirects and send forms until it leads away, or to a page without a form; returns the last address. */
export async function signIn(address, username) {
  const home = new URL(address).origin;
  const kept = new Map();
  let place = new URL(address);
  let form;
  for (let step = 0; step < STEPS && place.origin === home; step++) {
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
    const found = location === null ? formOn(body, username) : undefined;
    if (!response.ok && location === null)
      throw new Error(`${place}: ${response.status} ${body.slice(0, 300)}`);
    if (location === null && found === undefined) break;
    place = new URL(location ?? found.action, place);
    form = found?.fields;
  }
  return place;
}

/** The form by which that person gets on, filled in; undefined on a page without one. */
function formOn(page, username) {
  const forms = [...page.matchAll(/<form\b[^>]*>[^]*?<\/form>/g)].map(([text]) => text);
  const text = forms.find((each) => each.includes(`value="${username}"`)) ?? forms[0];
  if (text === undefined) return undefined;
  const [opening] = text.match(/<form\b[^>]*>/);
  const inputs = [...text.matchAll(/<input\b[^>]*>/g)].map(([input]) => [
    told(input, 'name'),
    told(input, 'value') ?? '',
  ]);
  const buttons = [...text.matchAll(/<button\b[^>]*>/g)].map(([button]) => [
    told(button, 'name'),
    told(button, 'value'),
  ]);
  const pressed = buttons.find(([, value]) => value === username) ?? buttons[0] ?? [];
  const fields = Object.fromEntries([...inputs, pressed].filter(([name]) => name !== undefined));
  return { action: told(opening, 'action') ?? '', fields };
}

function told(tag, name) {
  return tag.match(new RegExp(`\\b${name}="([^"]*)"`))?.[1];
}
