"""Signing keys: made for this run, held as objects, named by their thumbprint (RFC 7517, RFC 7638)."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from services.shared.jws import PublicKey

_NICE = 10
_THUMBPRINT_MEMBERS = ("e", "kty", "n")  # RFC 7638 §3.2, for RSA


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with its public half: to check with, and as it is published."""

    algorithm: str
    private: rsa.RSAPrivateKey = field(repr=False)
    public: PublicKey
    jwk: Mapping[str, Any]

    @classmethod
    def generate(cls) -> Self:
        """A new RS256 key of 2048 bits; takes some 40 ms."""
        algorithm = "RS256"
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        members: dict[str, Any] = jwt.get_algorithm_by_name(algorithm).to_jwk(private.public_key(), as_dict=True)
        required = {name: members[name] for name in _THUMBPRINT_MEMBERS}
        jwk = required | {"kid": thumbprint(required), "use": "sig", "alg": algorithm}
        return cls(algorithm, private, PublicKey(jwk["kid"], algorithm, jwt.PyJWK(jwk)), jwk)


class KeyRing:
    """The keys of this provider. One signs; all are published and believed.

    The first is made when somebody needs it, or by :meth:`prepare` in the background: it takes longer than all the rest
    of a start, and many a provider ends before anybody signs in.
    """

    def __init__(self) -> None:
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="signing-key", initializer=_give_way)
        self._first: Future[SigningKey] | None = None
        self.others: tuple[SigningKey, ...] = ()

    def close(self) -> None:
        """Want no more keys; one that is just being made is not waited for."""
        self._maker.shutdown(wait=False, cancel_futures=True)

    def prepare(self) -> Future[SigningKey]:
        """Begin to make the first key, unless that has begun; returns it as it will be."""
        if self._first is None:
            self._first = self._maker.submit(SigningKey.generate)
        return self._first

    @property
    def active(self) -> SigningKey:
        """The key that signs."""
        return self.prepare().result()

    @property
    def all(self) -> tuple[SigningKey, ...]:
        return (self.active, *self.others)

    @property
    def algorithms(self) -> list[str]:
        """Those that tokens may be signed with."""
        return sorted({key.algorithm for key in self.all})

    def sign(self, claims: Mapping[str, Any], *, typ: str) -> str:
        """A compact JWS by the active key."""
        key = self.active
        headers = {"typ": typ, "kid": key.public.kid}
        return jwt.encode(dict(claims), key.private, algorithm=key.algorithm, headers=headers)

    def find(self, kid: str) -> PublicKey | None:
        """The public key of that id, if it is one of ours."""
        return next((key.public for key in self.all if key.public.kid == kid), None)

    def published(self) -> dict[str, Any]:
        """The JWK Set (RFC 7517 §5)."""
        return {"keys": [dict(key.jwk) for key in self.all]}


def _give_way() -> None:
    """Let whoever else starts now have the processor first (Linux counts niceness by thread)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # a wish, no more
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, max(_NICE, os.getpriority(os.PRIO_PROCESS, thread)))


def thumbprint(required: Mapping[str, Any]) -> str:
    """SHA-256 over the required members in lexicographic order (RFC 7638 §3)."""
    canonical = json.dumps(required, sort_keys=True, separators=(",", ":")).encode()
    return urlsafe_b64encode(sha256(canonical).digest()).rstrip(b"=").decode()
