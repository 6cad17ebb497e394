"""What tokens say and who believes them: RFC 9068, RFC 8707, RFC 7517, OIDC Core, RFC 6750, RFC 8725."""

from __future__ import annotations

import jwt

from harness.strictness import forgery
from harness.strictness.probe import OK, UNAUTHORIZED, Probe, refused
from harness.strictness.verdict import Absent, Check, Unclear, Verdict, shown

ACCESS_TOKEN_CLAIMS = {"iss", "exp", "aud", "sub", "client_id", "iat", "jti"}
NOBODYS = "https://nobody.example/"


def typ_at_jwt(probe: Probe) -> Verdict:
    """A JWT access token says that it is one."""
    typ = forgery.header_of(probe.tokens()["access_token"]).get("typ")
    return Verdict.of(strict=typ in ("at+jwt", "application/at+jwt"), evidence=f"typ: {typ}")


def access_token_claims(probe: Probe) -> Verdict:
    """A JWT access token has every claim it must have."""
    missing = ACCESS_TOKEN_CLAIMS - forgery.claims_of(probe.tokens()["access_token"]).keys()
    return Verdict.of(strict=not missing, evidence=f"missing: {', '.join(sorted(missing)) or 'none'}")


def audience_is_the_resource(probe: Probe) -> Verdict:
    """A token is for the resource that was asked for."""
    if probe.application.resource is None:
        raise Absent("no resource is known")
    audience = forgery.claims_of(probe.tokens()["access_token"]).get("aud")
    return Verdict.of(strict=audience in (probe.application.resource, [probe.application.resource]), evidence=audience)


def unknown_resource_refused(probe: Probe) -> Verdict:
    """Nobody gets a token for a resource that does not exist."""
    landing = probe.authorize(probe.asked(resource=NOBODYS))
    if "code" not in landing.told:
        return Verdict.of(strict=True, evidence=landing)
    answer = probe.redeem(probe.code(), resource=NOBODYS)
    return Verdict.of(strict=refused(answer), evidence=answer)


def keys_are_public(probe: Probe) -> Verdict:
    """The published keys are public."""
    secret = [key for key in probe.keys if key.keys() & forgery.SECRET_MEMBERS]
    return Verdict.of(strict=bool(probe.keys) and not secret, evidence=f"{len(secret)} of {len(probe.keys)} private")


def keys_are_named(probe: Probe) -> Verdict:
    """Each published key has a name of its own."""
    names = [key.get("kid") for key in probe.keys]
    named = all(names) and len({*names}) == len(names)
    return Verdict.of(strict=bool(probe.keys) and named, evidence=names)


def id_token_verifies(probe: Probe) -> Verdict:
    """The ID token verifies and repeats the nonce."""
    code = probe.code()
    answer = probe.redeem(code)
    token = answer.json().get("id_token") if answer.status_code == OK else None
    if token is None:
        raise Absent("it gives out no ID tokens")
    header = jwt.get_unverified_header(token)
    fitting = [key for key in probe.keys if key.get("kid") == header.get("kid")]
    # Of a single key the token need not tell the name (OIDC Core §10.1).
    key = next(iter(fitting or (probe.keys if "kid" not in header and len(probe.keys) == 1 else [])), None)
    if key is None:
        return Verdict.of(strict=False, evidence=f"no key called {header.get('kid')}")
    try:
        claims = jwt.decode(
            token, forgery.public_key(key, header["alg"]), algorithms=[header["alg"]], leeway=5,
            audience=probe.application.client_id, issuer=probe.application.issuer,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )  # fmt: skip
    except jwt.PyJWTError as error:
        return Verdict.of(strict=False, evidence=repr(error))
    strict = header["alg"] != "none" and claims.get("nonce") == code.nonce
    return Verdict.of(strict=strict, evidence=f"alg {header['alg']}, nonce {claims.get('nonce')}")


def forgeries_refused(probe: Probe) -> Verdict:
    """Userinfo refuses every forged token."""
    honest = _believed(probe)
    # Where access tokens are opaque, an ID token is what an attacker would start from.
    start = honest["access_token"] if str(honest["access_token"]).count(".") == 2 else honest.get("id_token")  # noqa: PLR2004
    if start is None:
        raise Absent("all its tokens are opaque")
    for attack, token in forgery.forged(str(start), probe.keys):
        status = _asked(probe, token)
        if status == OK:
            return Verdict.of(strict=False, evidence=f"{attack}: {status}")
    return Verdict.of(strict=True, evidence="none, HS256 by the public key, other keys, changed claims")


def id_token_is_no_access_token(probe: Probe) -> Verdict:
    """Userinfo refuses an ID token."""
    token = _believed(probe).get("id_token")
    if token is None:
        raise Absent("it gives out no ID tokens")
    status = _asked(probe, str(token))
    return Verdict.of(strict=status != OK, evidence=status)


def token_in_address_refused(probe: Probe) -> Verdict:
    """Userinfo takes no token from the address."""
    honest = _believed(probe)
    answer = probe.http.get(probe.endpoint("userinfo"), params={"access_token": str(honest["access_token"])})
    return Verdict.of(strict=answer.status_code != OK, evidence=answer)


def challenges(probe: Probe) -> Verdict:
    """Userinfo says why it refuses."""
    answer = probe.http.get(probe.endpoint("userinfo"), headers={"authorization": "Bearer made-up"})
    told = answer.headers.get("www-authenticate", "")
    strict = answer.status_code == UNAUTHORIZED and told.startswith("Bearer") and "invalid_token" in told
    return Verdict.of(strict=strict, evidence=f"{answer.status_code}, WWW-Authenticate: {told or 'none'}")


def _believed(probe: Probe) -> dict[str, object]:
    """Tokens of which the access token is good for userinfo: by itself, or where no resource is named."""
    for changes in ({}, {"resource": None}):
        told = probe.tokens(**changes)
        if _asked(probe, str(told["access_token"])) == OK:
            return dict(told)
    raise Unclear("userinfo refuses an honest token", evidence=shown(told))


def _asked(probe: Probe, token: str) -> int:
    headers = {"authorization": f"Bearer {token}"}
    return probe.http.get(probe.endpoint("userinfo"), headers=headers).status_code


CHECKS = (
    Check("at-jwt", "RFC 9068 §2.1", typ_at_jwt),
    Check("at-claims", "RFC 9068 §2.2", access_token_claims),
    Check("audience", "RFC 8707 §2", audience_is_the_resource),
    Check("resource-unknown", "RFC 8707 §2", unknown_resource_refused),
    Check("jwks-public", "RFC 7517 §9", keys_are_public),
    Check("jwks-named", "OIDC Core §10.1", keys_are_named),
    Check("id-token", "OIDC Core §3.1.3.7", id_token_verifies),
    Check("forgeries", "RFC 8725 §3", forgeries_refused),
    Check("id-token-bearer", "RFC 8725 §3.12", id_token_is_no_access_token),
    Check("token-in-address", "RFC 9700 §4.3.2", token_in_address_refused),
    Check("challenge", "RFC 6750 §3", challenges),
)
