"""Tokens that nobody should believe, made from one that is good."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from harness.strictness.verdict import Absent

PARTS = 3
SECRET_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


def header_of(token: str) -> dict[str, Any]:
    """The JOSE header; raises Absent when the token is opaque."""
    return _part(token, 0)


def claims_of(token: str) -> dict[str, Any]:
    """What it says; raises Absent when the token is opaque."""
    return _part(token, 1)


def public_key(members: Mapping[str, Any], algorithm: str) -> jwt.PyJWK:
    """To check with, even where the private one is published."""
    public = {name: value for name, value in members.items() if name not in SECRET_MEMBERS}
    return jwt.PyJWK(public, algorithm)


def unsigned(token: str, **changes: object) -> str:
    """The same with these changes, under the algorithm none (RFC 7518 §3.6)."""
    return f"{_encoded(header_of(token) | {'alg': 'none'})}.{_encoded(claims_of(token) | changes)}."


def forged(token: str, published: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Variants of a token with the same claims, each with the name of the attack (RFC 8725 §2)."""
    header, claims = header_of(token), claims_of(token)
    _, payload, signature = token.split(".")
    flipped = bytes([*_decoded(signature)[:-1], _decoded(signature)[-1] ^ 1])
    yield "none", unsigned(token)
    yield "none, signature kept", f"{unsigned(token)}{signature}"
    yield "signature cut off", f"{token.rsplit('.', 1)[0]}."
    yield "one bit of the signature flipped", f"{token.rsplit('.', 1)[0]}.{_text(flipped)}"
    yield (
        "claims changed",
        f"{token.split('.', maxsplit=1)[0]}.{_encoded(claims | {'exp': claims.get('exp', 0) + 1})}.{signature}",
    )
    for name, secret in _public_bytes(published, header):
        signed = f"{_encoded(header | {'alg': 'HS256'})}.{payload}"
        digest = hmac.digest(secret, signed.encode(), hashlib.sha256)
        yield f"HS256 by the public key ({name})", f"{signed}.{_text(digest)}"
    attacker = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    embedded = jwt.get_algorithm_by_name("RS256")
    own: Mapping[str, Any] = {"jwk": _jwk(embedded, attacker)}
    for name, extra in (("same kid", {}), ("jwk in the header", own)):
        yield (
            f"another key, {name}",
            jwt.encode(claims, attacker, algorithm="RS256", headers={**header, "alg": "RS256", **extra}),
        )


def _jwk(algorithm: Any, private: rsa.RSAPrivateKey) -> dict[str, Any]:
    members: dict[str, Any] = algorithm.to_jwk(private.public_key(), as_dict=True)
    return members


def _public_bytes(published: list[dict[str, Any]], header: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """What an attacker may have taken for the secret of an HMAC."""
    for members in published:
        if members.get("kid") == header.get("kid"):
            key = public_key(members, header["alg"]).key
            yield "PEM", key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            yield "JWK", json.dumps(members).encode()


def _part(token: str, number: int) -> dict[str, Any]:
    parts = token.split(".")
    if len(parts) != PARTS:
        raise Absent("the token is opaque")
    try:
        read: dict[str, Any] = json.loads(_decoded(parts[number]))
    except ValueError:
        raise Absent("the token is opaque") from None
    return read


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _encoded(value: Mapping[str, Any]) -> str:
    return _text(json.dumps(value, separators=(",", ":")).encode())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
