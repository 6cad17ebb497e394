"""A client of the provider under examination, which can do everything wrong that a client can do wrong."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import httpx

from harness.code_flow import TIMEOUT_S, challenge, tls
from harness.errors import HarnessError
from harness.strictness.pages import sign_in_form
from harness.strictness.verdict import Absent, Unclear, shown

STEPS = 12
"""So many pages and redirects a sign-in may take."""

OK, REDIRECTED, UNAUTHORIZED = 200, range(300, 400), 401


@dataclass(frozen=True)
class Application:
    """A client as the provider knows it, best a public one, and somebody who signs in."""

    issuer: str
    client_id: str
    redirect_uri: str
    secret: str | None = field(default=None, repr=False)
    """For a provider that knows no public clients; sent by HTTP Basic."""
    other_client_id: str | None = None
    """Another public client."""
    post_logout_redirect_uri: str | None = None
    resource: str | None = None
    scope: str = "openid offline_access"
    username: str = "alice"


def metadata_of(issuer: str, http: httpx.Client) -> Mapping[str, Any]:
    """What a provider says of itself.

    Raises:
        HarnessError: there is none at this issuer's URL.
    """
    place = f"{issuer}/.well-known/openid-configuration"
    try:
        answer = http.get(place).raise_for_status()
        found: dict[str, Any] = answer.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        todo = f"is the provider running, and is {issuer} what it calls itself (issuer)?"
        raise HarnessError(f"{place} has no metadata of a provider", evidence=repr(error), todo=todo) from error
    return found


def registered(issuer: str, *, redirect_uri: str, scope: str, username: str, public: bool = True) -> Application:
    """A client that is registered here and now, and another one (RFC 7591).

    Raises:
        HarnessError: the provider registers nobody.
    """
    method = "none" if public else "client_secret_basic"
    with httpx.Client(verify=tls(), timeout=TIMEOUT_S) as http:
        place = metadata_of(issuer, http).get("registration_endpoint")
        if place is None:
            raise HarnessError(f"{issuer} registers no clients", todo="name one that it knows: --client-id")
        asked = {"redirect_uris": [redirect_uri], "token_endpoint_auth_method": method, "scope": scope}
        answers = [http.post(place, json=asked) for _ in range(2)]
    if any(not answer.is_success for answer in answers):
        raise HarnessError(f"{issuer} did not register a client", evidence=shown(answers[0]))
    one, other = (answer.json() for answer in answers)
    return Application(
        issuer,
        one["client_id"],
        redirect_uri,
        secret=None if public else one["client_secret"],
        other_client_id=other["client_id"] if public else None,
        scope=scope,
        username=username,
    )


@dataclass(frozen=True)
class Landing:
    """Where an authorization request ended: at an address outside the provider, or on a page of it."""

    responses: tuple[httpx.Response, ...]
    address: str | None

    @cached_property
    def told(self) -> Mapping[str, str]:
        """Parameters of the address, of its query and of its fragment."""
        parts = urlsplit(self.address or "")
        return dict(parse_qsl(parts.query)) | dict(parse_qsl(parts.fragment))

    @property
    def page(self) -> httpx.Response:
        """The last answer of the provider."""
        return self.responses[-1]

    def __str__(self) -> str:
        return self.address or shown(self.page)


@dataclass(frozen=True)
class Code:
    """An authorization code with what belongs to it."""

    code: str
    verifier: str
    nonce: str


@dataclass
class Browser:
    """A browser without scripts, which nobody has used before."""

    application: Application
    http: httpx.Client = field(
        default_factory=lambda: httpx.Client(verify=tls(), timeout=TIMEOUT_S, follow_redirects=False)
    )

    def visit(self, url: str, parameters: Iterable[tuple[str, str]] = (), *, signs_in: bool = True) -> Landing:
        """Follow redirects and, where that is wanted, fill in forms, until it leads away or gets no further."""
        origin = urlsplit(self.application.issuer)[:2]
        response = self.http.get(url, params=[*parameters]) if parameters else self.http.get(url)
        responses = [response]
        for _ in range(STEPS):
            if response.status_code in REDIRECTED and "location" in response.headers:
                address = urljoin(str(response.url), response.headers["location"])
                if urlsplit(address)[:2] != origin:
                    return Landing(tuple(responses), address)
                response = self.http.get(address)
            else:
                form = sign_in_form(response.text, self.application.username) if signs_in else None
                if form is None or response.status_code != OK:
                    break
                target = urljoin(str(response.url), form.action) if form.action else str(response.url)
                response = self.http.post(target, data=form.filled(self.application.username))
            responses.append(response)
        return Landing(tuple(responses), None)


class Probe:
    """One provider under examination."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.http = httpx.Client(verify=tls(), timeout=TIMEOUT_S, follow_redirects=False)

    def close(self) -> None:
        """Close the connections."""
        self.http.close()

    @cached_property
    def metadata(self) -> Mapping[str, Any]:
        """What the provider says of itself."""
        return metadata_of(self.application.issuer, self.http)

    def endpoint(self, name: str) -> str:
        """Address of ``NAME_endpoint``; raises Absent where there is none."""
        if f"{name}_endpoint" not in self.metadata:
            raise Absent(f"it has no {name} endpoint")
        return str(self.metadata[f"{name}_endpoint"])

    @cached_property
    def keys(self) -> list[dict[str, Any]]:
        """The published keys."""
        found: list[dict[str, Any]] = self.http.get(self.metadata["jwks_uri"]).json()["keys"]
        return found

    def asked(self, **changes: str | None) -> dict[str, str]:
        """An honest authorization request with these changes; None leaves a parameter out."""
        application = self.application
        usual: dict[str, str | None] = {
            "response_type": "code",
            "client_id": application.client_id,
            "redirect_uri": application.redirect_uri,
            "scope": application.scope,
            "state": secrets.token_urlsafe(12),
            "nonce": secrets.token_urlsafe(12),
            "prompt": "consent",  # without it offline_access is ignored (OIDC Core §11)
            "resource": application.resource,
            "code_challenge": challenge(secrets.token_urlsafe(48)),
            "code_challenge_method": "S256",
        }
        return given(usual | changes)

    def authorize(self, asked: Mapping[str, str] | Iterable[tuple[str, str]], *, by: Browser | None = None) -> Landing:
        """Send it, and sign in where asked to."""
        pairs = [*asked.items()] if isinstance(asked, Mapping) else [*asked]
        return (by or Browser(self.application)).visit(self.endpoint("authorization"), pairs)

    def code(self, *, by: Browser | None = None, **changes: str | None) -> Code:
        """A code, honestly asked for unless ``changes`` say otherwise; honest ones do yield tokens.

        Raises:
            Unclear: none is given, or not even an honest one yields tokens, so that no refusal means anything.
        """
        self.accepts_codes  # noqa: B018  # looked at once
        return self._code(by=by, **changes)

    @cached_property
    def accepts_codes(self) -> bool:
        """True. Raises Unclear where an honest code is refused."""
        self.redeemed(self._code())
        return True

    def _code(self, *, by: Browser | None = None, **changes: str | None) -> Code:
        verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(12)
        landing = self.authorize(self.asked(code_challenge=challenge(verifier), nonce=nonce, **changes), by=by)
        if "code" not in landing.told:
            raise Unclear("an honest request got no code", evidence=str(landing))
        return Code(landing.told["code"], verifier, nonce)

    def redeem(self, code: Code, **changes: str | None) -> httpx.Response:
        """Hand a code in."""
        return self.token(self.redemption(code, **changes))

    def redeemed(self, code: Code, **changes: str | None) -> httpx.Response:
        """The answer to an honest code. Raises Unclear where it is refused."""
        answer = self.redeem(code, **changes)
        if answer.status_code != OK:
            raise Unclear("an honest code was refused", evidence=shown(answer))
        return answer

    def redemption(self, code: Code, **changes: str | None) -> dict[str, str]:
        """The form by which a code is handed in."""
        usual: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "client_id": self.application.client_id,
            "redirect_uri": self.application.redirect_uri,
            "code": code.code,
            "code_verifier": code.verifier,
            "resource": self.application.resource,
        }
        return given(usual | changes)

    def tokens(self, *, by: Browser | None = None, **changes: str | None) -> Mapping[str, Any]:
        """The answer to an honest code. Raises Unclear where there is none."""
        resource = changes.get("resource", self.application.resource)
        told: dict[str, Any] = self.redeemed(self.code(by=by, **changes), resource=resource).json()
        return told

    def refresh_token(self) -> str:
        """One that was honestly got; raises Absent where none is given out."""
        told = self.tokens()
        if "refresh_token" not in told:
            raise Absent("it gives out no refresh tokens")
        return str(told["refresh_token"])

    def refresh(self, token: str, **changes: str | None) -> httpx.Response:
        """Hand a refresh token in."""
        usual: dict[str, str | None] = {
            "grant_type": "refresh_token",
            "client_id": self.application.client_id,
            "refresh_token": token,
        }
        return self.token(given(usual | changes))

    def token(self, form: Mapping[str, str] | str, **request: Any) -> httpx.Response:
        """Post to the token endpoint; text goes as it is."""
        return self.post(self.endpoint("token"), form, **request)

    def post(self, place: str, form: Mapping[str, str] | str, **request: Any) -> httpx.Response:
        """Post a form, as the client that authenticates where it has a secret."""
        application = self.application
        content = form if isinstance(form, str) else urlencode(form)
        headers = {"content-type": "application/x-www-form-urlencoded", **request.pop("headers", {})}
        own = isinstance(form, str) or form.get("client_id") == application.client_id
        if application.secret is not None and own:
            request["auth"] = (application.client_id, application.secret)
        return self.http.post(place, content=content, headers=headers, **request)

    def other_client(self) -> str:
        """Raises Absent where there is none."""
        if self.application.other_client_id is None:
            raise Absent("it knows no other client")
        return self.application.other_client_id


def given(values: Mapping[str, str | None]) -> dict[str, str]:
    """Without what was left out."""
    return {name: value for name, value in values.items() if value is not None}


def refused(answer: httpx.Response) -> bool:
    """Whether a token endpoint said no in the way of RFC 6749 §5.2."""
    return answer.status_code in (400, 401)
