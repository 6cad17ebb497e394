"""Where a browser may be sent (RFC 6749 §3.1.2, RFC 9700 §2.1): to registered places, compared as text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from starlette.responses import RedirectResponse

from services.idp.errors import NO_STORE
from services.idp.registry import Client

_LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::([0-9]{1,5}))?(/[^?#]*)")
_LAST_PORT = 65_535


def registered(uri: str, client: Client) -> bool:
    """Whether the client may be answered there; a native one on any port of the loopback address (RFC 8252 §7.3)."""
    if uri in client.redirect_uris:
        return True
    anywhere = _without_port(uri) if client.native else None
    return anywhere is not None and anywhere in map(_without_port, client.redirect_uris)


def _without_port(uri: str) -> str | None:
    """None for what is not on a loopback address."""
    found = _LOOPBACK.fullmatch(uri)
    if found is None or int(found[2] or 0) > _LAST_PORT:
        return None
    return found[1] + found[3]


def answer(uri: str, parameters: Mapping[str, str | None]) -> RedirectResponse:
    """Send the browser to a URI that was found to be registered. 303, because the form of a login must not follow."""
    told = urlencode({name: value for name, value in parameters.items() if value is not None})
    separator = "&" if "?" in uri else "?"
    location = f"{uri}{separator}{told}" if told else uri
    return RedirectResponse(location, status_code=303, headers=NO_STORE | {"Referrer-Policy": "no-referrer"})


def form_action(uri: str) -> str:
    """The source expression that lets a form be redirected to a URI, which Chromium holds ``form-action`` against."""
    url = urlsplit(uri)
    # The grammar of source expressions (CSP3 §2.3.1) has no IPv6 addresses, and schemes of one's own may have no host.
    return f"{url.scheme}:" if not url.netloc or ":" in (url.hostname or "") else f"{url.scheme}://{url.netloc}"
