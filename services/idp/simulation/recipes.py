"""The attack matrix: malformed tokens by name, each with what a resource server must answer.

``recipes.py`` is data; :mod:`~services.idp.simulation.mint` makes the tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from services.idp.simulation.forge import Forgery, Tampering

Presentation = Literal["bearer", "lower-case", "nothing", "basic", "empty", "query", "form", "twice"]
"""How the token is brought: as ``Authorization: Bearer``, and in the ways that look like it (RFC 6750 §2)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A status and, in the challenge that comes with it, the ``error``; None for a challenge without one."""

    status: int
    error: str | None = None
    challenge: bool = True
    """Whether ``WWW-Authenticate`` must be there."""


ACCEPTED = Outcome(200, challenge=False)
NO_TOKEN = Outcome(401)
"""RFC 6750 §3.1: whoever shows no token is told the scheme, and of no error."""
INVALID = Outcome(401, "invalid_token")
STEP_UP = Outcome(403, "insufficient_scope")
"""With ``scope``, the scopes to ask for."""
FORBIDDEN = Outcome(403, challenge=False)
"""No other token would help."""
AMBIGUOUS = Outcome(400, "invalid_request")


@dataclass(frozen=True, slots=True)
class Setting:
    """What a recipe is cooked with: the token's issuer, its audience, and the time (POSIX seconds)."""

    issuer: str
    audience: str
    at: int


@dataclass(frozen=True, slots=True)
class Recipe:
    """A named token. ``outcomes`` are what a resource server may answer, in most cases one thing."""

    name: str
    about: str
    outcomes: tuple[Outcome, ...]
    forgery: Callable[[Setting], Forgery]
    present: Presentation = "bearer"
    literal: str | None = None
    """The token itself, where it is no JWT of any kind."""
    revoked: bool = False
    """Whether the provider is told to revoke it."""
    machine: bool = False
    """Whether a client asks for itself, and no person is the subject."""


def _bent(**bent: Any) -> Callable[[Setting], Forgery]:
    return lambda _setting: Forgery(**bent)


def _claims(**claims: Any) -> Callable[[Setting], Forgery]:
    return _bent(claims=claims)


def _header(**header: Any) -> Callable[[Setting], Forgery]:
    return _bent(header=header)


def _as_issued(_setting: Setting) -> Forgery:
    return Forgery()


def _recipe(
    name: str, about: str, outcome: Outcome, forgery: Callable[[Setting], Forgery] = _as_issued, **more: Any
) -> Recipe:
    return Recipe(name, about, (outcome,), forgery, **more)


def _tampered(name: str, about: str, how: Tampering) -> Recipe:
    return _recipe(name, about, INVALID, _bent(tamper=how))


_FORM = (
    _recipe("valid", "as this provider issues it", ACCEPTED),
    _recipe("scheme-in-lower-case", "`bearer` (RFC 9110 §11.1: schemes have no case)", ACCEPTED, present="lower-case"),
    _recipe("no-token", "no Authorization header", NO_TOKEN, present="nothing"),
    _recipe("other-scheme", "Basic credentials", NO_TOKEN, present="basic"),
    _recipe("in-the-query", "`?access_token=` (RFC 9700 §4.3.2)", NO_TOKEN, present="query"),
    _recipe("in-a-form", "`access_token=` in a form body (RFC 6750 §2.2)", NO_TOKEN, present="form"),
    _recipe("twice", "two Authorization headers (RFC 6750 §3.1)", AMBIGUOUS, present="twice"),
    Recipe("empty", "`Bearer` and nothing behind it", (NO_TOKEN, INVALID), _as_issued, present="empty"),
    _recipe("garbage", "no token of any kind", INVALID, literal="this-is-no-token"),
    _recipe("oversized", "fifty thousand characters", INVALID, _claims(padding="x" * 37_000)),
    _recipe("opaque", "a refresh token or code in place of it", INVALID, literal="kq3Jm0ZbQm7Jr1yXh2p8Wf5Ln9T"),
    _tampered("two-parts", "the signature is missing with its dot", "two-parts"),
    _tampered("five-parts", "as many parts as an encrypted token", "five-parts"),
    _tampered("padded", "base64 with padding (RFC 7515 §2)", "pad"),
)  # fmt: skip

_SIGNATURE = (
    _tampered("empty-signature", "the signature is missing", "empty-signature"),
    _tampered("truncated-signature", "the signature has lost its end", "truncate-signature"),
    _tampered("flipped-signature", "one bit of the signature is another", "flip-signature"),
    _tampered("changed-payload", "an owner's role, after signing", "change-payload"),
    _recipe("alg-none", "unsigned (RFC 8725 §3.2)", INVALID, _bent(sign_with="none")),
    _recipe("alg-none-in-mixed-case", "unsigned, as `nOnE`", INVALID, _bent(sign_with="none", header={"alg": "nOnE"})),
    _recipe("alg-none-with-signature", "`none` over a good signature", INVALID, _header(alg="none")),
    _recipe("hmac-public-key", "HS256 with our public key as secret", INVALID, _bent(sign_with="hmac-public-key")),
    _recipe("hmac-modulus", "HS256 with a member of our JWK as secret", INVALID, _bent(sign_with="hmac-modulus")),
    _recipe("rs512", "another algorithm by the same key", INVALID, _header(alg="RS512")),
    _recipe("ps256", "another padding by the same key", INVALID, _header(alg="PS256")),
)

_KEY = (
    _recipe("next-key", "signed by a key that is published and not used yet", ACCEPTED, _bent(sign_with="next")),
    _recipe("retired-key", "signed by a key that is still published", ACCEPTED, _bent(sign_with="retired")),
    _recipe("foreign-key", "another key under the id of ours", INVALID, _bent(sign_with="foreign")),
    _recipe("unpublished-key", "a key nobody has published", INVALID, _bent(sign_with="unpublished")),
    _recipe("no-kid", "the key is not named", INVALID, _bent(drop=("header.kid",))),
    _recipe("kid-path", "a path in place of a key id", INVALID, _header(kid="../../dev/null")),
    _recipe("kid-sql", "SQL in place of a key id", INVALID, _header(kid="x' UNION SELECT 'k' --")),
    _recipe("jku", "it says where its key is", INVALID,
            _bent(sign_with="foreign", header={"jku": "http://127.0.0.1:9/jwks"})),
    _recipe("x5u", "it says where its certificate is", INVALID,
            _bent(sign_with="foreign", header={"x5u": "http://127.0.0.1:9/certificate"})),
    _recipe("embedded-jwk", "it brings a key along", INVALID,
            _bent(sign_with="foreign", header={"jwk": {"kty": "oct", "k": "c2VjcmV0"}})),
    _recipe("crit", "a critical header nobody understands (RFC 7515 §4.1.11)", INVALID,
            _header(crit=["b64"], b64=False)),
)  # fmt: skip

_TYPE = (
    _recipe("type-in-full", "`application/at+jwt` (RFC 9068 §4)", ACCEPTED, _header(typ="application/at+jwt")),
    _recipe("no-type", "no `typ`", INVALID, _bent(drop=("header.typ",))),
    _recipe("id-token", "an ID token for its client", INVALID,
            _bent(header={"typ": "JWT"}, claims={"aud": "cli", "nonce": "n", "auth_time": 1})),
    _recipe("id-token-for-us", "an ID token's form with our audience (RFC 8725 §3.11)", INVALID,
            _bent(header={"typ": "JWT"}, claims={"nonce": "n"})),
    _recipe("logout-token", "a back-channel logout token", INVALID,
            _bent(header={"typ": "logout+jwt"}, claims={"events": {
                "http://schemas.openid.net/event/backchannel-logout": {}}})),
    _tampered("duplicate-claim", "`aud` twice, as two readers would read it in two ways", "duplicate-claim"),
)  # fmt: skip

_TIME = (
    _recipe("expired", "a minute ago", INVALID, lambda setting: Forgery(claims={"exp": setting.at - 60})),
    _recipe("expired-and-unscoped", "401 comes before 403", INVALID,
            lambda setting: Forgery(claims={"exp": setting.at - 60, "scope": ""})),
    _recipe("no-exp", "it would never end", INVALID, _bent(drop=("exp",))),
    _recipe("exp-as-text", "`exp` is a string", INVALID, _claims(exp="4102444800")),
    _recipe("exp-negative", "`exp` before 1970", INVALID, _claims(exp=-1)),
    _recipe("exp-beyond-time", "`exp` no date can hold", INVALID, _claims(exp=10**30)),
    _recipe("exp-with-fraction", "NumericDate may have one (RFC 7519 §2)", ACCEPTED,
            lambda setting: Forgery(claims={"exp": setting.at + 300.5})),
    _recipe("not-yet-valid", "`nbf` in an hour", INVALID, lambda setting: Forgery(claims={"nbf": setting.at + 3600})),
    Recipe("issued-in-the-future", "`iat` in an hour, about which RFC 7519 has no rule", (ACCEPTED, INVALID),
           lambda setting: Forgery(claims={"iat": setting.at + 3600})),
)  # fmt: skip

_CLAIMS = (
    _recipe("wrong-audience", "for somebody else", INVALID, _claims(aud="http://elsewhere.example/mcp")),
    _recipe("no-audience", "for nobody", INVALID, _bent(drop=("aud",))),
    _recipe("audience-with-slash", "URIs are compared as text", INVALID,
            lambda setting: Forgery(claims={"aud": f"{setting.audience}/"})),
    _recipe("audience-as-number", "`aud` is a number", INVALID, _claims(aud=1)),
    _recipe("audience-list", "for us and another (RFC 7519 §4.1.3)", ACCEPTED,
            lambda setting: Forgery(claims={"aud": ["http://elsewhere.example", setting.audience]})),
    _recipe("wrong-issuer", "from another issuer by our key", INVALID, _claims(iss="http://elsewhere.example")),
    _recipe("no-issuer", "from nobody", INVALID, _bent(drop=("iss",))),
    _recipe("issuer-with-slash", "issuers are compared as text (RFC 8414 §3.3)", INVALID,
            lambda setting: Forgery(claims={"iss": f"{setting.issuer}/"})),
    _recipe("other-tenant", "another tenant's token for our audience", INVALID,
            lambda setting: Forgery(sign_with="tenant:partner", claims={"iss": f"{setting.issuer}/t/partner"})),
    _recipe("other-tenants-key", "our issuer by another tenant's key", INVALID, _bent(sign_with="tenant:partner")),
    _recipe("no-subject", "about nobody", INVALID, _bent(drop=("sub",))),
    _recipe("no-client", "given to nobody (RFC 9068 §2.2)", INVALID, _bent(drop=("client_id",))),
    _recipe("no-id", "without `jti` (RFC 9068 §2.2)", INVALID, _bent(drop=("jti",))),
    _recipe("actor-as-text", "`act` is no object (RFC 8693 §4.1)", INVALID, _claims(act="api")),
    _recipe("roles-as-text", "`roles` is no list", INVALID, _claims(roles="owner")),
    _recipe("bound-to-a-key", "a DPoP token as bearer (RFC 9449 §7.2)", INVALID,
            _claims(cnf={"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"})),
)  # fmt: skip

_AUTHORITY = (
    _recipe("no-scope", "no `scope` at all", STEP_UP, _bent(drop=("scope",))),
    _recipe("wrong-scope", "scopes that mean nothing here", STEP_UP, _claims(scope="openid profile")),
    _recipe("scope-by-prefix", "`tickets:readonly` is not `tickets:read`", STEP_UP,
            _claims(scope="tickets:readonly orgs:readonly")),
    _recipe("scopes-as-scp", "under the name other providers use", STEP_UP,
            _bent(drop=("scope",), claims={"scp": ["tickets:read", "orgs:read"]})),
    _recipe("machine", "a client asks for itself, and no person is the subject", FORBIDDEN, machine=True),
    Recipe("no-organization", "about no organization, which the provider refuses, if asked", (FORBIDDEN, INVALID),
           _bent(drop=("org_id",))),
    Recipe("revoked", "good by its signature until it ends, unless somebody is asked", (ACCEPTED, INVALID), _as_issued,
           revoked=True),
)  # fmt: skip

RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe for group in (_FORM, _SIGNATURE, _KEY, _TYPE, _TIME, _CLAIMS, _AUTHORITY) for recipe in group
}
"""Every recipe by its name."""
