"""What the newer endpoints put up with, where a provider has them: RFC 9126, RFC 9449, RFC 8628, RFC 7591."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from harness.code_flow import challenge
from harness.strictness.probe import OK, Probe, given, refused
from harness.strictness.verdict import Absent, Check, Unclear, Verdict, shown

CREATED = 201
AN_HOUR_S = 3600
EVIL = "https://evil.example/callback"
MADE_UP = "urn:ietf:params:oauth:request_uri:made-up"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


def pushed_once(probe: Probe) -> Verdict:
    """A pushed request is good once."""
    asked = _pushed(probe)
    if "code" not in probe.authorize(asked).told:
        raise Unclear("an honest pushed request got no code")
    landing = probe.authorize(asked)
    return Verdict.of(strict="code" not in landing.told, evidence=landing)


def pushed_by_its_client(probe: Probe) -> Verdict:
    """A pushed request is bound to its client."""
    landing = probe.authorize(_pushed(probe) | {"client_id": probe.other_client()})
    return Verdict.of(strict="code" not in landing.told, evidence=landing)


def pushed_and_not_made_up(probe: Probe) -> Verdict:
    """A made-up request_uri gets no code, and the browser goes at most to an address of the client."""
    probe.endpoint("pushed_authorization_request")
    landing = probe.authorize({"client_id": probe.application.client_id, "request_uri": MADE_UP})
    at_home = landing.address is None or landing.address.startswith(probe.application.redirect_uri)
    return Verdict.of(strict=at_home and "code" not in landing.told, evidence=landing)


def pushed_is_checked(probe: Probe) -> Verdict:
    """A request that would be refused cannot be pushed."""
    for changes in ({"redirect_uri": EVIL}, {"code_challenge_method": "plain"}, {"request_uri": MADE_UP}):
        answer = _push(probe, probe.asked(**changes))
        if not refused(answer):
            return Verdict.of(strict=False, evidence=f"{changes}: {shown(answer)}")
    return Verdict.of(strict=True, evidence="another redirect_uri, plain, a request_uri inside")


def bound_token_needs_its_key(probe: Probe) -> Verdict:
    """A token that is bound to a key is worth nothing without it."""
    key, place = Key(), probe.endpoint("userinfo")
    for resource in (probe.application.resource, None):  # some have tokens for userinfo only where none is named
        token = _bound(probe, key, resource=resource).json()["access_token"]
        proof = key.proof(probe, htm="GET", htu=place, ath=challenge(token))
        honest = probe.http.get(place, headers={"authorization": f"DPoP {token}", "dpop": proof})
        if honest.status_code == OK:
            answer = probe.http.get(place, headers={"authorization": f"Bearer {token}"})
            return Verdict.of(strict=answer.status_code != OK, evidence=answer)
    raise Unclear("userinfo refuses an honest proof", evidence=shown(honest))


def bound_refresh_needs_its_key(probe: Probe) -> Verdict:
    """A public client's refresh token is bound to the key, too."""
    key = Key()
    told = _bound(probe, key).json()
    if "refresh_token" not in told:
        raise Absent("it gives out no refresh tokens")
    for proof in (None, Key().proof(probe)):
        answer = probe.token(_refreshing(probe, told["refresh_token"]), headers=_header(proof))
        if not refused(answer):
            return Verdict.of(strict=False, evidence=answer)
    answer = probe.token(_refreshing(probe, told["refresh_token"]), headers=_header(key.proof(probe)))
    if answer.status_code != OK:
        raise Unclear("an honest proof was refused", evidence=shown(answer))
    return Verdict.of(strict=True, evidence="neither without a proof nor with another key")


def proof_is_good_once(probe: Probe) -> Verdict:
    """A proof is good once."""
    key = Key()
    proof = key.proof(probe)
    first = _redeemed(probe, proof)
    if first.status_code != OK:
        raise Unclear("an honest proof was refused", evidence=shown(first))
    answer = _redeemed(probe, proof)
    return Verdict.of(strict=refused(answer), evidence=answer)


def proof_is_checked(probe: Probe) -> Verdict:
    """A proof for another place, method or time, or not by its own key, is refused."""
    _bound(probe, Key())
    for name, proof in _bad_proofs(probe):
        answer = _redeemed(probe, proof)
        if not refused(answer):
            return Verdict.of(strict=False, evidence=f"{name}: {shown(answer)}")
    return Verdict.of(strict=True, evidence="htu, htm, iat, typ, signature, private key")


def device_waits(probe: Probe) -> Verdict:
    """A device gets nothing before somebody has agreed."""
    answer = _poll(probe, _device(probe)["device_code"])
    strict = refused(answer) and answer.json().get("error") in ("authorization_pending", "slow_down")
    return Verdict.of(strict=strict, evidence=answer)


def device_code_is_its_clients(probe: Probe) -> Verdict:
    """A device code is bound to its client, and a made-up one is refused."""
    code = _device(probe)["device_code"]
    for form in ({"device_code": code, "client_id": probe.other_client()}, {"device_code": "made-up"}):
        answer = probe.token({"grant_type": DEVICE_CODE, "client_id": probe.application.client_id} | form)
        told = answer.json().get("error") if refused(answer) else None
        if told in (None, "authorization_pending"):
            return Verdict.of(strict=False, evidence=answer)
    return Verdict.of(strict=True, evidence="another client, a made-up code")


def registration_refuses_schemes(probe: Probe) -> Verdict:
    """Nobody registers a redirect_uri that is a script, or has a fragment."""
    for address in ("javascript:alert(1)", "data:text/html,hello", "https://client.example/callback#here", "callback"):
        answer = _register(probe, redirect_uris=[address])
        if answer.is_success:
            return Verdict.of(strict=False, evidence=f"{address}: {answer.status_code}")
    return Verdict.of(strict=True, evidence="javascript:, data:, a fragment, a relative one")


def registration_is_its_owners(probe: Probe) -> Verdict:
    """Who registered a client can change it, and nobody else."""
    told = _register(probe, redirect_uris=[probe.application.redirect_uri]).json()
    place = told.get("registration_client_uri")
    if place is None:
        raise Absent("registrations cannot be managed")
    other = _register(probe, redirect_uris=[probe.application.redirect_uri]).json()
    for token in (None, "made-up", other["registration_access_token"]):
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        for method in ("GET", "DELETE"):
            answer = probe.http.request(method, place, headers=headers)
            if answer.is_success:
                return Verdict.of(strict=False, evidence=f"{method} {shown(answer)}")
    return Verdict.of(strict=True, evidence="no token, a made-up one, that of another client")


class Key:
    """A client's own key, and the proofs it makes (RFC 9449 §4.2)."""

    def __init__(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        self._algorithm: Any = jwt.get_algorithm_by_name("ES256")

    def proof(self, probe: Probe, *, header: Mapping[str, Any] | None = None, **changes: Any) -> str:
        """For a request of tokens, with these changes of its header and claims."""
        usual = {
            "jti": secrets.token_urlsafe(12),
            "htm": "POST",
            "htu": probe.endpoint("token"),
            "iat": int(time.time()),
        }
        headers = {"typ": "dpop+jwt", "jwk": self.jwk()} | dict(header or {})
        return jwt.encode(usual | changes, self._private, algorithm="ES256", headers=headers)

    def jwk(self, *, private: bool = False) -> dict[str, Any]:
        """As it is published, or with all that should not be."""
        key = self._private if private else self._private.public_key()
        members: dict[str, Any] = self._algorithm.to_jwk(key, as_dict=True)
        members.pop("key_ops", None)
        return members


def _bad_proofs(probe: Probe) -> Iterator[tuple[str, str]]:
    key = Key()
    yield "another place", key.proof(probe, htu="https://evil.example/token")
    yield "another method", key.proof(probe, htm="GET")
    yield "an hour old", key.proof(probe, iat=int(time.time()) - AN_HOUR_S)
    yield "no jti", key.proof(probe, jti="")
    yield "no proof by its type", key.proof(probe, header={"typ": "JWT"})
    yield "another's key in it", key.proof(probe, header={"jwk": Key().jwk()})
    yield "the private key in it", key.proof(probe, header={"jwk": key.jwk(private=True)})
    yield "nonsense", "made-up"


def _pushed(probe: Probe) -> dict[str, str]:
    """What is left to send the browser with."""
    answer = _push(probe, probe.asked())
    if answer.status_code not in (OK, CREATED):
        raise Unclear("an honest request could not be pushed", evidence=shown(answer))
    return {"client_id": probe.application.client_id, "request_uri": answer.json()["request_uri"]}


def _push(probe: Probe, asked: Mapping[str, str]) -> httpx.Response:
    return probe.post(probe.endpoint("pushed_authorization_request"), asked)


def _bound(probe: Probe, key: Key, **changes: str | None) -> httpx.Response:
    """Tokens bound to a key."""
    answer = _redeemed(probe, key.proof(probe), **changes)
    if answer.status_code != OK:
        raise Unclear("an honest proof was refused", evidence=shown(answer))
    if answer.json().get("token_type", "").lower() != "dpop":
        raise Unclear("the tokens were not bound to the key", evidence=shown(answer))
    return answer


def _redeemed(probe: Probe, proof: str, **changes: str | None) -> httpx.Response:
    """A fresh code handed in with a proof."""
    if "dpop_signing_alg_values_supported" not in probe.metadata:
        raise Absent("it binds no tokens to keys")
    code = probe.code(by=None, **changes)
    return probe.token(probe.redemption(code, **changes), headers=_header(proof))


def _header(proof: str | None) -> dict[str, str]:
    return {} if proof is None else {"dpop": proof}


def _refreshing(probe: Probe, token: str) -> dict[str, str]:
    return {"grant_type": "refresh_token", "client_id": probe.application.client_id, "refresh_token": token}


def _device(probe: Probe) -> dict[str, Any]:
    application = probe.application
    form = given({"client_id": application.client_id, "scope": application.scope, "resource": application.resource})
    answer = probe.post(probe.endpoint("device_authorization"), form)
    if answer.status_code != OK:
        raise Absent(f"the client may not use it: {shown(answer)}")
    told: dict[str, Any] = answer.json()
    return told


def _poll(probe: Probe, code: str) -> httpx.Response:
    return probe.token({"grant_type": DEVICE_CODE, "client_id": probe.application.client_id, "device_code": code})


def _register(probe: Probe, **metadata: Any) -> httpx.Response:
    asked = {"token_endpoint_auth_method": "none", "application_type": "native", **metadata}
    return probe.http.post(probe.endpoint("registration"), json=asked)


CHECKS = (
    Check("par-once", "RFC 9126 §7.3", pushed_once),
    Check("par-client", "RFC 9126 §2.2", pushed_by_its_client),
    Check("par-made-up", "RFC 9126 §4", pushed_and_not_made_up),
    Check("par-checked", "RFC 9126 §2.1", pushed_is_checked),
    Check("dpop-bearer", "RFC 9449 §7.1", bound_token_needs_its_key),
    Check("dpop-refresh", "RFC 9449 §5", bound_refresh_needs_its_key),
    Check("dpop-once", "RFC 9449 §11.1", proof_is_good_once),
    Check("dpop-checked", "RFC 9449 §4.3", proof_is_checked),
    Check("device-waits", "RFC 8628 §3.5", device_waits),
    Check("device-client", "RFC 8628 §3.4", device_code_is_its_clients),
    Check("registration-scheme", "RFC 7591 §5", registration_refuses_schemes),
    Check("registration-owner", "RFC 7592 §2", registration_is_its_owners),
)
