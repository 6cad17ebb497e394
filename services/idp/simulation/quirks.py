"""Bent answers by name: what real providers get wrong, for clients to notice. The strict answer is made first.

A quirk is data: an endpoint, and a function from a good answer to a bad one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from services.idp.provider import Provider
from services.idp.simulation.forge import resigned

Endpoint = Literal["metadata", "jwks", "authorization", "token", "userinfo"]
"""Whose answers are bent; ``authorization`` is the redirect back to the client."""

_ELSEWHERE = "http://elsewhere.example"
_LONG_AGO = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, and the form it answers."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    asked: Mapping[str, str] = field(default_factory=dict)

    @property
    def told(self) -> Any:
        """Its JSON."""
        return json.loads(self.body)

    @property
    def good(self) -> bool:
        """Whether there is anything to bend."""
        return self.status in (200, 201, 303)

    def telling(self, told: Any) -> Answer:
        """The same with another JSON."""
        return replace(self, body=json.dumps(told).encode())

    def header(self, name: str) -> str:
        """The first of that name, or nothing."""
        return next((value.decode("latin-1") for key, value in self.headers if key == name.encode()), "")

    def with_header(self, name: str, value: str) -> Answer:
        """The same with that header in place of the one it has."""
        others = tuple(pair for pair in self.headers if pair[0] != name.encode())
        return replace(self, headers=(*others, (name.encode(), value.encode())))

    def measured(self) -> Answer:
        """The same with the length that the body has by now."""
        return self.with_header("content-length", str(len(self.body)))


Bend = Callable[[Answer, Provider], Answer]


@dataclass(frozen=True, slots=True)
class Quirk:
    """One way to be wrong."""

    name: str
    on: Endpoint
    about: str
    bend: Bend


def _member(name: str, value: Any) -> Bend:
    """JSON with one member set; ``...`` takes it out, a function is given what is there."""

    def bend(answer: Answer, _provider: Provider) -> Answer:
        told = answer.told
        if value is ...:
            told.pop(name, None)
        elif name in told or not callable(value):
            told[name] = value(told[name]) if callable(value) else value
        return answer.telling(told)

    return bend


def _parameter(name: str, value: Any) -> Bend:
    """The same with a parameter of the redirect."""

    def bend(answer: Answer, _provider: Provider) -> Answer:
        url = urlsplit(answer.header("location"))
        told = dict(parse_qsl(url.query, keep_blank_values=True))
        if value is ...:
            told.pop(name, None)
        elif name in told or not callable(value):
            told[name] = value(told[name]) if callable(value) else value
        return answer.with_header("location", urlunsplit(url._replace(query=urlencode(told))))

    return bend


def _id_token(sign_with: str = "active", **changes: Any) -> Bend:
    """An ID token with other claims, signed again."""

    def bend(answer: Answer, provider: Provider) -> Answer:
        told = answer.told
        if "id_token" in told:
            told["id_token"] = resigned(told["id_token"], provider.keys, sign_with=sign_with, **changes)
        return answer.telling(told)

    return bend


def _for_the_issuer(answer: Answer, provider: Provider) -> Answer:
    told = answer.told
    told["access_token"] = resigned(told["access_token"], provider.keys, aud=provider.issuer)
    return answer.telling(told)


def _same_refresh_token(answer: Answer, provider: Provider) -> Answer:
    old, told = answer.asked.get("refresh_token"), answer.told
    if old is None or "refresh_token" not in told:
        return answer
    provider.store.spare_refresh_token(old)
    return answer.telling(told | {"refresh_token": old})


def _unavailable(answer: Answer, _provider: Provider) -> Answer:
    return replace(answer, status=503, body=b'{"error": "temporarily_unavailable"}')


def _not_json(answer: Answer, _provider: Provider) -> Answer:
    page = replace(answer, body=b"<!doctype html><title>Maintenance</title>")
    return page.with_header("content-type", "text/html; charset=utf-8")


def _duplicate_kid(answer: Answer, provider: Provider) -> Answer:
    told = answer.told
    active = dict(provider.keys.active.jwk)
    name = next(name for name in ("n", "x") if name in active)
    other = active | {name: ("A" if active[name][0] != "A" else "B") + active[name][1:]}
    return answer.telling(told | {"keys": [other, *told["keys"]]})


def _without_the_active_key(answer: Answer, provider: Provider) -> Answer:
    told = answer.told
    return answer.telling({"keys": [key for key in told["keys"] if key["kid"] != provider.keys.active.kid]})


_METADATA = (
    Quirk("issuer-wrong", "metadata", "the issuer is another (RFC 8414 §3.3)", _member("issuer", _ELSEWHERE)),
    Quirk("issuer-missing", "metadata", "the issuer is not named", _member("issuer", ...)),
    Quirk("issuer-with-slash", "metadata", "the issuer has a slash more", _member("issuer", lambda iss: f"{iss}/")),
    Quirk("pkce-not-advertised", "metadata", "no code_challenge_methods_supported",
          _member("code_challenge_methods_supported", ...)),
    Quirk("pkce-plain-only", "metadata", "plain is the only challenge method",
          _member("code_challenge_methods_supported", ["plain"])),
    Quirk("token-endpoint-missing", "metadata", "no token_endpoint", _member("token_endpoint", ...)),
    Quirk("jwks-uri-missing", "metadata", "no jwks_uri", _member("jwks_uri", ...)),
    Quirk("metadata-unavailable", "metadata", "503", _unavailable),
    Quirk("metadata-not-json", "metadata", "a page in place of JSON", _not_json),
)  # fmt: skip

_KEYS = (
    Quirk("jwks-empty", "jwks", "no keys", _member("keys", [])),
    Quirk("jwks-stale", "jwks", "the key that signs is not there yet", _without_the_active_key),
    Quirk("jwks-duplicate-kid", "jwks", "another key under the same id", _duplicate_kid),
    Quirk("jwks-unavailable", "jwks", "503", _unavailable),
    Quirk("jwks-not-json", "jwks", "a page in place of JSON", _not_json),
)

_AUTHORIZATION = (
    Quirk("iss-missing", "authorization", "no iss, though it is announced (RFC 9207 §2.4)", _parameter("iss", ...)),
    Quirk("iss-wrong", "authorization", "iss is another issuer: a mix-up", _parameter("iss", _ELSEWHERE)),
    Quirk("iss-with-slash", "authorization", "iss has a slash more", _parameter("iss", lambda iss: f"{iss}/")),
    Quirk("state-missing", "authorization", "no state", _parameter("state", ...)),
    Quirk("state-wrong", "authorization", "another state", _parameter("state", "not-the-state-you-sent")),
    Quirk("code-missing", "authorization", "neither code nor error", _parameter("code", ...)),
    Quirk("code-wrong", "authorization", "a code nobody gave out", _parameter("code", "not-a-code")),
)

_TOKEN = (
    Quirk("token-unavailable", "token", "503", _unavailable),
    Quirk("token-not-json", "token", "a page in place of JSON", _not_json),
    Quirk("access-token-missing", "token", "no access_token", _member("access_token", ...)),
    Quirk("access-token-not-text", "token", "access_token is an object", _member("access_token", {"value": "x"})),
    Quirk("token-type-missing", "token", "no token_type", _member("token_type", ...)),
    Quirk("token-type-unknown", "token", "token_type is mac", _member("token_type", "mac")),
    Quirk("expires-in-negative", "token", "expires_in is below zero", _member("expires_in", -600)),
    Quirk("expires-in-as-text", "token", "expires_in is no number", _member("expires_in", "ten minutes")),
    Quirk("refresh-token-missing", "token", "no refresh token, though offline_access was granted",
          _member("refresh_token", ...)),
    Quirk("no-rotation", "token", "the old refresh token is given back and stays good", _same_refresh_token),
    Quirk("resource-ignored", "token", "the access token is for the issuer, whatever was asked", _for_the_issuer),
    Quirk("id-token-missing", "token", "no ID token, though openid was granted", _member("id_token", ...)),
    Quirk("id-token-issuer-wrong", "token", "the ID token is another issuer's", _id_token(iss=_ELSEWHERE)),
    Quirk("id-token-audience-wrong", "token", "the ID token is for another client", _id_token(aud="somebody-else")),
    Quirk("id-token-nonce-wrong", "token", "the ID token answers another request", _id_token(nonce="not-your-nonce")),
    Quirk("id-token-expired", "token", "the ID token expired long ago", _id_token(iat=_LONG_AGO, exp=_LONG_AGO + 600)),
    Quirk("id-token-at-hash-wrong", "token", "the ID token goes with another access token",
          _id_token(at_hash="AAAAAAAAAAAAAAAAAAAAAA")),
    Quirk("id-token-unsigned", "token", "the ID token has alg none", _id_token("none")),
    Quirk("id-token-foreign-key", "token", "the ID token is signed by somebody else", _id_token("foreign")),
)  # fmt: skip

_USERINFO = (Quirk("userinfo-subject-wrong", "userinfo", "about somebody else", _member("sub", "usr_somebody_else")),)

QUIRKS: Mapping[str, Quirk] = {
    quirk.name: quirk for group in (_METADATA, _KEYS, _AUTHORIZATION, _TOKEN, _USERINFO) for quirk in group
}
"""Every quirk by its name."""


class UnknownQuirk(LookupError):  # noqa: N818 - says what is wrong
    """No quirk has that name; the text says which there are."""


class ActiveQuirks:
    """What a tenant gets wrong now."""

    def __init__(self) -> None:
        self._left: dict[str, int | None] = {}

    def set(self, name: str, *, times: int | None = None) -> None:
        """Bend every answer from now on, or so many. Raises UnknownQuirk."""
        if name not in QUIRKS:
            raise UnknownQuirk(f"there is no quirk {name!r}; there are {', '.join(QUIRKS)}")
        self._left[name] = times

    def clear(self, names: Iterable[str] | None = None) -> None:
        """Be right again: about these, or about everything."""
        for name in list(self._left if names is None else names):
            self._left.pop(name, None)

    @property
    def left(self) -> Mapping[str, int | None]:
        """The active ones, and how many answers each will still bend; None is no end."""
        return self._left

    def concern(self, endpoint: Endpoint | None) -> bool:
        """Whether an answer of this endpoint would be bent."""
        return bool(self._left) and any(QUIRKS[name].on == endpoint for name in self._left)

    def bend(self, answer: Answer, endpoint: Endpoint, provider: Provider) -> Answer:
        """The answer as these quirks have it; one that refuses something is left as it is."""
        if not answer.good:
            return answer
        for name, left in list(self._left.items()):
            quirk = QUIRKS[name]
            if quirk.on == endpoint:
                answer = quirk.bend(answer, provider)
                if left is not None:
                    self._left[name] = left - 1
                    if left <= 1:
                        del self._left[name]
        return answer
