"""Keys and assertions of somebody outside: a client that proves itself by a signature, or another issuer."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from services.idp.registry import Algorithm

MAKERS: dict[Algorithm, Any] = {
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


@dataclass
class Signer:
    """A private key and its owner's name; ``None`` leaves a claim or header out."""

    name: str
    audience: str
    algorithm: Algorithm = "ES256"
    kid: str | None = "key-1"
    private: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.private = self.private or MAKERS[self.algorithm]()

    @property
    def jwks(self) -> dict[str, Any]:
        members: dict[str, Any] = jwt.get_algorithm_by_name(self.algorithm).to_jwk(
            self.private.public_key(), as_dict=True
        )
        members.pop("key_ops", None)
        return {"keys": [members | {"use": "sig"} | ({"kid": self.kid} if self.kid else {})]}

    def assertion(self, *, at: float, headers: dict[str, Any] | None = None, **changes: Any) -> str:
        """About itself, for a minute, with these changes of the claims."""
        usual = {
            "iss": self.name,
            "sub": self.name,
            "aud": self.audience,
            "exp": int(at) + 60,
            "iat": int(at),
            "jti": secrets.token_urlsafe(8),
        }
        claims = {name: value for name, value in (usual | changes).items() if value is not None}
        header = {name: value for name, value in ({"kid": self.kid} | (headers or {})).items() if value is not None}
        # Not jwt.encode, which looks at the claims: what is wrong here is wrong on purpose.
        return jwt.api_jws.encode(json.dumps(claims).encode(), self.private, self.algorithm, header)
