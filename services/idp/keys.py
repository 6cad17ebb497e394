"""Signing keys: held as objects, named by their thumbprint (RFC 7517, RFC 7638), kept for the next start."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import Any, Literal, Self, TypeAlias, cast

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from pydantic_core import to_json

from services.idp.records import KeptKey
from services.idp.registry import Algorithm
from services.idp.shelf import Shelf
from services.idp.signing import Signatures
from services.shared.base64url import encoded
from services.shared.jws import PublicKey

State: TypeAlias = Literal["next", "active", "retired"]
"""Published and not yet used; signing; still believed and no longer used."""

PrivateKey: TypeAlias = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

_NICE = 10
_SHA256 = SHA256()
_PKCS1, _ECDSA = PKCS1v15(), ec.ECDSA(_SHA256)
REQUIRED = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x")}
"""Members that make a thumbprint (RFC 7638 §3.2, RFC 8037 §2)."""


class UnknownKey(LookupError):  # noqa: N818 - says what is wrong
    """No key of this tenant has that id."""


class KeyInUse(ValueError):  # noqa: N818 - says what is wrong
    """The key signs; another one has to be activated first."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with its public half: to check with, and as it is published."""

    algorithm: Algorithm
    private: PrivateKey = field(repr=False)
    public: PublicKey
    jwk: Mapping[str, Any]

    @property
    def kid(self) -> str:
        """Its thumbprint."""
        return self.public.kid

    @classmethod
    def generate(cls, algorithm: Algorithm) -> Self:
        """A new key. One for RS256 takes some 40 ms, another next to nothing."""
        match algorithm:
            case "RS256":
                return cls.of(algorithm, rsa.generate_private_key(public_exponent=65537, key_size=2048))
            case "ES256":
                return cls.of(algorithm, ec.generate_private_key(ec.SECP256R1()))
            case "EdDSA":
                return cls.of(algorithm, ed25519.Ed25519PrivateKey.generate())

    @classmethod
    def of(cls, algorithm: Algorithm, private: PrivateKey) -> Self:
        """The key with everything that is derived from it."""
        # An overloaded method, of which the type of the key chooses the one that fits.
        told: Any = jwt.get_algorithm_by_name(algorithm)
        members: dict[str, Any] = told.to_jwk(private.public_key(), as_dict=True)
        required = {name: members[name] for name in REQUIRED[members["kty"]]}
        jwk = required | {"kid": thumbprint(required), "use": "sig", "alg": algorithm}
        return cls(algorithm, private, PublicKey(jwk["kid"], algorithm, jwt.PyJWK(jwk)), jwk)

    def signer(self, typ: str) -> Signer:
        """What signs tokens of one type; to be kept, since half of the work is done by then."""
        header = json.dumps({"typ": typ, "alg": self.algorithm, "kid": self.kid}).encode()
        return Signer(_signing(self.private), f"{encoded(header)}.", slow=self.algorithm == "RS256")


@dataclass(frozen=True, slots=True)
class Signer:
    """A key and the header that it writes."""

    _sign: Callable[[bytes], bytes] = field(repr=False)
    _head: str
    slow: bool
    """Whether a signature takes longer than all that is done around it."""

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A compact JWS (RFC 7515 §3.1). Takes 0.3 ms for RS256 and a tenth of that for others."""
        signed = self._signed(claims)
        return f"{signed}.{encoded(self._sign(signed.encode()))}"

    async def sign_beside(self, claims: Mapping[str, Any], signatures: Signatures) -> str:
        """The same, while others are served."""
        signed = self._signed(claims)
        return f"{signed}.{encoded(await signatures.made(partial(self._sign, signed.encode())))}"

    def _signed(self, claims: Mapping[str, Any]) -> str:
        return self._head + encoded(to_json(claims))


def _signing(private: PrivateKey) -> Callable[[bytes], bytes]:
    """How a key makes the signatures of its algorithm (RFC 7518 §3.3 and §3.4, RFC 8037 §3.1)."""
    if isinstance(private, rsa.RSAPrivateKey):
        return partial(private.sign, padding=_PKCS1, algorithm=_SHA256)
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return partial(_ecdsa, private)
    return private.sign


def _ecdsa(private: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    """Two numbers of 32 bytes, and not DER."""
    return b"".join(number.to_bytes(32) for number in decode_dss_signature(private.sign(data, _ECDSA)))


@dataclass(slots=True)
class HeldKey:
    """A key and what it is used for now."""

    key: SigningKey
    state: State
    hidden: bool = False
    """Not published, so that nobody can check what it signs; this provider does not believe it either."""


class KeyRing:
    """The keys of a tenant. One signs; all that are not hidden are published and believed.

    The first is made when somebody needs it, or by :meth:`prepare` in the background: it takes longer than all the rest
    of a start, and many a provider ends before anybody signs in.
    """

    def __init__(
        self, shelf: Shelf[KeptKey], algorithm: Algorithm, maker: ThreadPoolExecutor, signatures: Signatures
    ) -> None:
        self._shelf, self._algorithm, self._maker, self._signatures = shelf, algorithm, maker, signatures
        self._first: Future[SigningKey] | None = None
        self._held: dict[str, HeldKey] = {}
        self._signers: dict[str, Signer] = {}
        for kid, kept in shelf.all(at=0).items():
            self._held[kid] = HeldKey(_unpacked(kept), cast(State, kept.state), kept.hidden)

    def prepare(self) -> None:
        """Begin to make the first key, unless there is one."""
        if self._first is None and not self._held:
            self._first = self._maker.submit(SigningKey.generate, self._algorithm)

    @property
    def held(self) -> Mapping[str, HeldKey]:
        """Every key by its id, the oldest first."""
        if not self._held:
            self.prepare()
            assert self._first is not None  # noqa: S101  # prepare() has begun it
            self._hold(self._first.result(), "active")
        return self._held

    @property
    def active(self) -> SigningKey:
        """The key that signs."""
        return next(held.key for held in self.held.values() if held.state == "active")

    @property
    def algorithms(self) -> list[str]:
        """Those that tokens may be signed with."""
        return sorted({held.key.algorithm for held in self.held.values() if not held.hidden})

    def sign(self, claims: Mapping[str, Any], *, typ: str) -> str:
        """A compact JWS by the active key."""
        return self._signer(typ).sign(claims)

    async def sign_beside(self, claims: Mapping[str, Any], *, typ: str) -> str:
        """The same, and where it takes long, others are served meanwhile."""
        signer = self._signer(typ)
        return await signer.sign_beside(claims, self._signatures) if signer.slow else signer.sign(claims)

    def _signer(self, typ: str) -> Signer:
        signer = self._signers.get(typ)
        if signer is None:
            signer = self._signers[typ] = self.active.signer(typ)
        return signer

    def find(self, kid: str) -> PublicKey | None:
        """The public key of that id, if it is a published one of ours."""
        held = self.held.get(kid)
        return None if held is None or held.hidden else held.key.public

    def published(self) -> dict[str, Any]:
        """The JWK Set (RFC 7517 §5)."""
        return {"keys": [dict(held.key.jwk) for held in self.held.values() if not held.hidden]}

    def publish(self, algorithm: Algorithm | None = None) -> SigningKey:
        """Make a key that everybody can fetch before it signs anything."""
        told = algorithm or self.active.algorithm
        key = self._maker.submit(SigningKey.generate, told).result()
        self._hold(key, "next")
        return key

    def activate(self, kid: str) -> None:
        """From now on this one signs; the one before is retired. Raises UnknownKey."""
        chosen = self._known(kid)
        for held in self.held.values():
            if held.state == "active" and held is not chosen:
                self._set(held, state="retired")
        self._set(chosen, state="active")

    def retire(self, kid: str) -> None:
        """It will sign nothing more. Raises UnknownKey, or KeyInUse if it is the active one."""
        held = self._known(kid)
        if held.state == "active":
            raise KeyInUse(f"{kid} is active: activate another key first")
        self._set(held, state="retired")

    def hide(self, kid: str, *, hidden: bool = True) -> None:
        """Withdraw it from the published set, or lay it there again. Raises UnknownKey."""
        self._set(self._known(kid), hidden=hidden)

    def rotate(self, algorithm: Algorithm | None = None) -> SigningKey:
        """A new key signs from now on; the old one is still believed."""
        key = self.publish(algorithm)
        self.activate(key.kid)
        return key

    def renew(self) -> None:
        """Forget all keys, so that nothing signed before is believed."""
        self._shelf.clear()
        self._held, self._first = {}, None
        self._signers.clear()
        self.prepare()

    def _known(self, kid: str) -> HeldKey:
        if kid not in self.held:
            raise UnknownKey(f"there is no key {kid!r}; there are {', '.join(self.held)}")
        return self.held[kid]

    def _hold(self, key: SigningKey, state: State) -> None:
        self._held[key.kid] = held = HeldKey(key, state)
        self._keep(held)

    def _set(self, held: HeldKey, *, state: State | None = None, hidden: bool | None = None) -> None:
        self._signers.clear()
        held.state = held.state if state is None else state
        held.hidden = held.hidden if hidden is None else hidden
        self._keep(held)

    def _keep(self, held: HeldKey) -> None:
        raw = held.key.private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        self._shelf.put(
            held.key.kid, KeptKey(held.key.algorithm, b64encode(raw).decode(), held.state, hidden=held.hidden)
        )


def key_maker() -> ThreadPoolExecutor:
    """One thread that makes keys while others work."""
    return ThreadPoolExecutor(1, thread_name_prefix="signing-key", initializer=_give_way)


def _give_way() -> None:
    """Let whoever else starts now have the processor first (Linux counts niceness by thread)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # a wish, no more
            thread = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, thread, max(_NICE, os.getpriority(os.PRIO_PROCESS, thread)))


def _unpacked(kept: KeptKey) -> SigningKey:
    # Written by this provider: to check an RSA key again would take longer than to make one.
    private = load_der_private_key(b64decode(kept.private), None, unsafe_skip_rsa_key_validation=True)
    return SigningKey.of(cast(Algorithm, kept.algorithm), cast(PrivateKey, private))


def thumbprint(required: Mapping[str, Any]) -> str:
    """SHA-256 over the required members in lexicographic order (RFC 7638 §3)."""
    canonical = json.dumps(required, sort_keys=True, separators=(",", ":")).encode()
    return encoded(sha256(canonical).digest())
