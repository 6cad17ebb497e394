"""What the rest of the provider puts up with: sign-out, metadata, other origins, and doors for tests."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx

from harness.strictness import forgery
from harness.strictness.probe import OK, Browser, Probe
from harness.strictness.verdict import Absent, Check, Verdict, shown

ORIGIN = "https://evil.example"
EVIL = f"{ORIGIN}/bye"
ADMIN: tuple[tuple[str, str], ...] = (
    ("GET", "/_sim/journal"),
    ("GET", "/_sim/requests"),
    ("GET", "/_sim/keys"),
    ("POST", "/_sim/mint"),
    ("POST", "/_sim/keys/rotate"),
    ("POST", "/_sim/reset/end"),
    ("GET", "/api/config"),
    ("GET", "/api/users"),
    ("POST", "/api/keys/rotate"),
    ("POST", "/api/users/{username}/token"),
    ("POST", "/users/{username}/revoke-tokens"),
)
"""The doors for tests of the mocks that this probe knows; a provider has none of the others'."""


def sign_out_leads_nowhere_strange(probe: Probe) -> Verdict:
    """Sign-out leads to no unregistered address."""
    browser = Browser(probe.application)
    hint = _id_token(probe, browser)
    asked = [("id_token_hint", hint), ("post_logout_redirect_uri", EVIL), ("client_id", probe.application.client_id)]
    landing = browser.visit(probe.endpoint("end_session"), asked)
    return Verdict.of(strict=landing.address is None, evidence=landing)


def sign_out_needs_a_reason(probe: Probe) -> Verdict:
    """A bare request signs nobody out."""
    browser = Browser(probe.application)
    _signed_in(probe, browser)
    browser.visit(probe.endpoint("end_session"), signs_in=False)
    return _still_signed_in(probe, browser)


def forged_hint_signs_nobody_out(probe: Probe) -> Verdict:
    """A request with an unsigned id_token_hint signs nobody out."""
    browser = Browser(probe.application)
    hint = forgery.unsigned(_signed_in(probe, browser))
    browser.visit(probe.endpoint("end_session"), [("id_token_hint", hint)], signs_in=False)
    return _still_signed_in(probe, browser)


def issuer_is_exact(probe: Probe) -> Verdict:
    """The metadata name exactly the issuer."""
    told = probe.metadata.get("issuer")
    return Verdict.of(strict=told == probe.application.issuer, evidence=told)


def metadata_agree(probe: Probe) -> Verdict:
    """The metadata under their OAuth name tell the same issuer."""
    issuer = urlsplit(probe.application.issuer)
    place = f"{issuer.scheme}://{issuer.netloc}/.well-known/oauth-authorization-server{issuer.path}"
    answer = probe.http.get(place)
    if answer.status_code != OK:
        raise Absent("it has no metadata of RFC 8414")
    told = answer.json().get("issuer")
    return Verdict.of(strict=told == probe.application.issuer, evidence=told)


def host_is_not_believed(probe: Probe) -> Verdict:
    """A Host header changes nothing in the metadata."""
    place = f"{probe.application.issuer}/.well-known/openid-configuration"
    answer = probe.http.get(place, headers={"host": "evil.example"})
    return Verdict.of(strict="evil.example" not in answer.text, evidence=shown(answer))


def tokens_are_not_for_every_origin(probe: Probe) -> Verdict:
    """Not every origin may read what the token endpoint says."""
    form = {"grant_type": "refresh_token", "refresh_token": "made-up", "client_id": probe.application.client_id}
    told = probe.token(form, headers={"origin": ORIGIN}).headers.get("access-control-allow-origin")
    return Verdict.of(strict=told not in ("*", ORIGIN), evidence=f"Access-Control-Allow-Origin: {told or 'none'}")


def no_credentials_for_strangers(probe: Probe) -> Verdict:
    """No stranger's origin is let in with cookies."""
    places = [probe.application.issuer + "/.well-known/openid-configuration", probe.metadata["jwks_uri"]]
    places += [str(value) for name, value in probe.metadata.items() if name.endswith("_endpoint")]
    for place in places:
        for method in ("GET", "OPTIONS"):
            headers = {"origin": ORIGIN, "access-control-request-method": "POST"}
            told = probe.http.request(method, place, headers=headers).headers
            if told.get("access-control-allow-credentials") and told.get("access-control-allow-origin") == ORIGIN:
                return Verdict.of(strict=False, evidence=f"{method} {place}")
    return Verdict.of(strict=True, evidence=f"{len(places)} places")


def admin_is_not_readable(probe: Probe) -> Verdict:
    """Another page cannot read the doors for tests."""
    for method, path in ADMIN:
        answer = _from_a_page(probe, method, path)
        told = answer.headers.get("access-control-allow-origin")
        if answer.is_success and told in ("*", ORIGIN):
            return Verdict.of(strict=False, evidence=f"{method} {path}: {answer.status_code}, allowed origin {told}")
    return Verdict.of(strict=True, evidence="nothing that another page can read")


def admin_takes_no_orders(probe: Probe) -> Verdict:
    """Another page cannot open the doors for tests."""
    for method, path in ADMIN:
        if method != "GET":
            answer = _from_a_page(probe, method, path)
            if answer.is_success:
                return Verdict.of(strict=False, evidence=f"{method} {path}: {answer.status_code}")
    return Verdict.of(strict=True, evidence="nothing that another page can do")


def _from_a_page(probe: Probe, method: str, path: str) -> httpx.Response:
    address = probe.application.issuer + path.format(username=probe.application.username)
    headers = {"origin": ORIGIN, "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}
    return probe.http.request(method, address, headers=headers)


def _id_token(probe: Probe, browser: Browser) -> str:
    probe.endpoint("end_session")
    told = probe.tokens(by=browser)
    if "id_token" not in told:
        raise Absent("it gives out no ID tokens")
    return str(told["id_token"])


def _signed_in(probe: Probe, browser: Browser) -> str:
    token = _id_token(probe, browser)
    if not _knows(probe, browser):
        raise Absent("it keeps nobody signed in")
    return token


def _still_signed_in(probe: Probe, browser: Browser) -> Verdict:
    known = _knows(probe, browser)
    return Verdict.of(strict=known, evidence="still signed in" if known else "signed out")


def _knows(probe: Probe, browser: Browser) -> bool:
    """Whether the browser gets a code without a page (OIDC Core §3.1.2.1)."""
    return "code" in probe.authorize(probe.asked(prompt="none", scope="openid"), by=browser).told


CHECKS = (
    Check("sign-out-redirect", "RP-Initiated Logout §3", sign_out_leads_nowhere_strange),
    Check("sign-out-bare", "RP-Initiated Logout §6", sign_out_needs_a_reason),
    Check("sign-out-forged", "RP-Initiated Logout §4", forged_hint_signs_nobody_out),
    Check("issuer", "RFC 8414 §3.3", issuer_is_exact),
    Check("metadata", "RFC 8414 §3.3", metadata_agree),
    Check("host", "RFC 9700 §2.6", host_is_not_believed),
    Check("cors-token", "CORS §3.2", tokens_are_not_for_every_origin),
    Check("cors-credentials", "CORS §3.2.5", no_credentials_for_strangers),
    Check("admin-read", "CORS §3.2", admin_is_not_readable),
    Check("admin-write", "Fetch Metadata §2", admin_takes_no_orders),
)
