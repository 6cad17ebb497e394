"""Tokens as no honest issuer makes them: any header, any claims, any signature (RFC 7515 §3.1 without its rules)."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from typing import Any, Literal

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import BaseModel, ConfigDict, Field

from services.idp.keys import KeyRing, SigningKey
from services.shared.base64url import decoded, encoded

Tampering = Literal[
    "change-payload", "duplicate-claim", "empty-signature", "flip-signature", "truncate-signature", "pad", "two-parts",
    "five-parts",
]  # fmt: skip

_TENANT = "tenant:"


class UnknownSigner(LookupError):  # noqa: N818 - says what is wrong
    """``sign_with`` names no way to sign."""


class Forgery(BaseModel):
    """What is done to a good token before it is given out. An empty one leaves it good."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    claims: dict[str, Any] = Field(default_factory=dict)
    """Set in place of the usual ones."""
    header: dict[str, Any] = Field(default_factory=dict)
    """The same for the header. ``alg`` is also how it is signed, if the key can do that."""
    drop: tuple[str, ...] = ()
    """Claims that are left out; ``header.kid`` leaves that out of the header."""
    sign_with: str = "active"
    """``active``, ``next`` or ``retired`` (made if there is none), the id of a key of ours, ``tenant:NAME`` for the key
    of another tenant, ``foreign`` for a key nobody knows under the id of the active one, ``unpublished`` for one under
    its own id, ``hmac-public-key`` and ``hmac-modulus`` for HS256 with what is public as the secret, ``none``."""
    tamper: Tampering | None = None
    """What happens to it afterwards."""


def forged(claims: Mapping[str, Any], forgery: Forgery, keys: KeyRing, tenants: Mapping[str, KeyRing]) -> str:
    """A compact JWS of these claims, bent as asked.

    Raises:
        UnknownSigner: ``sign_with`` names nothing that is known here.
    """
    dropped = {name.removeprefix("header.") for name in forgery.drop if name.startswith("header.")}
    told = {name: value for name, value in (dict(claims) | forgery.claims).items() if name not in forgery.drop}
    payload = json.dumps(told).encode()
    if forgery.tamper == "duplicate-claim":
        payload = b'{"aud": "http://elsewhere.example", ' + payload[1:]
    header, sign = _signer(forgery, keys, tenants)
    header = {name: value for name, value in (header | forgery.header).items() if name not in dropped}
    signed = f"{encoded(json.dumps(header).encode())}.{encoded(payload)}"
    return _tampered(signed, sign(signed.encode()), told, forgery.tamper)


def resigned(token: str, keys: KeyRing, *, sign_with: str = "active", **changes: Any) -> str:
    """The same token with other claims, properly signed by the active key or as ``sign_with`` says."""
    header, payload = (json.loads(decoded(part)) for part in token.split(".")[:2])
    return forged(payload, Forgery(claims=changes, header={"typ": header["typ"]}, sign_with=sign_with), keys, {})


def _signer(forgery: Forgery, keys: KeyRing, tenants: Mapping[str, KeyRing]) -> tuple[dict[str, Any], Any]:
    """The header such a signer writes, and its signature as a function of what is signed."""
    how, kid = forgery.sign_with, keys.active.kid
    if how == "none":
        return {"typ": "at+jwt", "alg": "none", "kid": kid}, lambda _signed: b""
    if how.startswith("hmac-"):
        secret = _public_secret(how, keys.active)
        return {"typ": "at+jwt", "alg": "HS256", "kid": kid}, lambda signed: hmac.digest(secret, signed, "sha256")
    if how == "foreign":
        key = SigningKey.generate(keys.active.algorithm)
    elif how == "unpublished":
        key = SigningKey.generate(keys.active.algorithm)
        kid = key.kid
    elif how.startswith(_TENANT):
        if how.removeprefix(_TENANT) not in tenants:
            raise UnknownSigner(f"there is no tenant {how.removeprefix(_TENANT)!r}; there are {', '.join(tenants)}")
        key = tenants[how.removeprefix(_TENANT)].active
        kid = key.kid
    else:
        key = _own(how, keys)
        kid = key.kid
    header = {"typ": "at+jwt", "alg": key.algorithm, "kid": kid}
    return header, lambda signed: _signature(key, str(forgery.header.get("alg")), signed)


def _own(how: str, keys: KeyRing) -> SigningKey:
    if how in keys.held:
        return keys.held[how].key
    if how not in ("active", "next", "retired"):
        raise UnknownSigner(f"sign_with {how!r} is neither a way to sign nor the id of a key")
    found = [held.key for held in keys.held.values() if held.state == how and not held.hidden]
    if found:
        return found[-1]
    key = keys.publish()
    if how == "retired":
        keys.retire(key.kid)
    return key


def _signature(key: SigningKey, algorithm: str, signed: bytes) -> bytes:
    """By the algorithm the header names if it is one for RSA and the key is, too; else by the key's own."""
    rsa_can = isinstance(key.private, rsa.RSAPrivateKey) and algorithm[:2] in ("RS", "PS")
    told: Any = jwt.get_algorithm_by_name(algorithm if rsa_can else key.algorithm)
    signature: bytes = told.sign(signed, key.private)
    return signature


def _public_secret(how: str, key: SigningKey) -> bytes:
    if how == "hmac-modulus":
        return str(key.jwk.get("n", key.jwk.get("x"))).encode()
    if how == "hmac-public-key":
        return key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    raise UnknownSigner(f"sign_with {how!r} is neither a way to sign nor the id of a key")


def _tampered(signed: str, raw: bytes, claims: Mapping[str, Any], how: Tampering | None) -> str:
    head, _, body = signed.partition(".")
    signature = encoded(raw)
    changed = encoded(json.dumps({**claims, "roles": ["owner"]}).encode())
    ways = {
        "change-payload": f"{head}.{changed}.{signature}",
        "empty-signature": f"{signed}.",
        "flip-signature": f"{signed}.{encoded(bytes([byte ^ 1 for byte in raw[:1]]) + raw[1:])}",
        "truncate-signature": f"{signed}.{encoded(raw[:-8])}",
        "pad": f"{signed}.{signature}==",
        "two-parts": signed,
        "five-parts": f"{signed}.{signature}.{head}.{body}",
    }
    return ways.get(how or "", f"{signed}.{signature}")
