"""The simulation API as a Python class: mint, forge, bend, watch. Over HTTP, so that any program can do the same."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

import httpx

TIMEOUT_S = 90.0
"""Longer than the longest wait the API allows."""


class ControlError(ValueError):
    """The API refused; the text is its reason."""


class IdpControl:
    """One tenant of a running identity provider. Close it, or use it in a ``with``."""

    def __init__(self, url: str, secret: str) -> None:
        """``url`` is that of the issuer, without a trailing slash."""
        self.url = url
        self.secret = secret
        # Plain HTTP on this machine: a context without certificates costs nothing.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        headers = {"Authorization": f"Bearer {secret}"}
        self._http = httpx.Client(base_url=f"{url}/_sim", headers=headers, timeout=TIMEOUT_S, verify=context)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def tenant(self, name: str) -> IdpControl:
        """The same for the issuer at ``/t/NAME``."""
        return IdpControl(f"{self.url}/t/{name}", self.secret)

    def add_tenant(self, name: str, **entries: Any) -> IdpControl:
        """A new issuer with ``resources``, ``scopes``, ``clients``, ``users`` and ``algorithm`` of its own."""
        self._ask("PUT", f"/tenants/{name}", entries)
        return self.tenant(name)

    # Tokens

    def mint(self, **asked: Any) -> dict[str, Any]:
        """A token of any kind.

        ``user``, ``organization``, ``machine``, ``client``, ``audience``, ``scopes`` and ``ttl`` (seconds) say what a
        good one would be; ``claims``, ``header``, ``drop``, ``sign_with`` and ``tamper`` what is done to it.

        Returns ``token``, its ``claims``, and the ``request`` (headers, query, form) that brings it along.
        """
        return self._ask("POST", "/mint", asked)

    def recipe(self, name: str, **asked: Any) -> dict[str, Any]:
        """A token of the attack matrix; ``expect`` lists what a resource server may answer to it."""
        return self.mint(recipe=name, **asked)

    def recipes(self) -> list[dict[str, Any]]:
        """The attack matrix: ``name``, ``about``, ``expect``."""
        return self._list("/recipes", "recipes")

    # Keys

    def signing_keys(self) -> list[dict[str, Any]]:
        """``kid``, ``algorithm``, ``state`` (next, active, retired) and ``hidden`` of each."""
        return self._list("/keys", "keys")

    def publish_key(self, algorithm: str | None = None) -> dict[str, Any]:
        """A new key in the published set, which does not sign yet."""
        return self._ask("POST", "/keys", {"algorithm": algorithm})

    def rotate_keys(self, algorithm: str | None = None) -> dict[str, Any]:
        """A new key signs at once; tokens of the old one are still believed."""
        return self._ask("POST", "/keys/rotate", {"algorithm": algorithm})

    def activate_key(self, kid: str) -> dict[str, Any]:
        """It signs from now on."""
        return self._ask("POST", f"/keys/{kid}/activate")

    def retire_key(self, kid: str) -> dict[str, Any]:
        """It will sign nothing more."""
        return self._ask("POST", f"/keys/{kid}/retire")

    def hide_key(self, kid: str) -> dict[str, Any]:
        """Out of the published set."""
        return self._ask("POST", f"/keys/{kid}/hide")

    def show_key(self, kid: str) -> dict[str, Any]:
        """In it again."""
        return self._ask("POST", f"/keys/{kid}/show")

    # Signing in

    def session(self, user: str, *, organization: str | None = None) -> dict[str, Any]:
        """Somebody signed in, to one of their organizations (id or slug): ``cookie`` goes into a browser, by
        Playwright's ``context.add_cookies([cookie])``.
        """
        return self._ask("POST", "/session", {"user": user, "organization": organization})

    def end_session(self, sid: str) -> None:
        """Sign out whoever has the session of that ``sid``; clients are told by the back channel."""
        self._ask("DELETE", f"/sessions/{sid}")

    def next_sign_ins(self, *outcomes: str | Mapping[str, str]) -> None:
        """Answer the next authorization requests without the page: a username, ``{"user": …, "organization": …}``, or
        ``{"error": "access_denied"}``.
        """
        sign_ins = [{"user": each} if isinstance(each, str) else dict(each) for each in outcomes]
        self._ask("POST", "/sign-ins", {"sign_ins": sign_ins})

    def sign_ins(self) -> list[dict[str, Any]]:
        """Those that wait."""
        return self._list("/sign-ins", "sign_ins")

    def clear_sign_ins(self) -> None:
        """Show people the page again."""
        self._ask("DELETE", "/sign-ins")

    # People, clients, resources

    def users(self) -> list[dict[str, Any]]:
        """Everybody."""
        return self._list("/users", "users")

    def put_user(self, username: str, **changes: Any) -> dict[str, Any]:
        """A new person, or one changed: ``name``, ``email``, ``memberships``, ``active``, ``claims``; and ``role``,
        ``org_id``, ``org_name`` of the first organization.
        """
        return self._ask("PUT", f"/users/{username}", changes)

    def put_membership(self, username: str, organization: str, **changes: Any) -> dict[str, Any]:
        """Somebody in one more organization (id or slug), or changed in it: ``role``, ``active``."""
        return self._ask("PUT", f"/users/{username}/memberships/{organization}", changes)

    def drop_membership(self, username: str, organization: str) -> dict[str, Any]:
        """No member there any more; in their last organization people stay."""
        return self._ask("DELETE", f"/users/{username}/memberships/{organization}")

    def drop_user(self, username: str) -> None:
        """Nobody of that name any more."""
        self._ask("DELETE", f"/users/{username}")

    def clients(self) -> list[dict[str, Any]]:
        """Every client, without its secret."""
        return self._list("/clients", "clients")

    def put_client(self, client_id: str, **changes: Any) -> dict[str, Any]:
        """A new client, or one changed: ``grants``, ``resources`` (URIs), ``redirect_uris``, ``secret`` and so on."""
        return self._ask("PUT", f"/clients/{client_id}", changes)

    def register(self, **metadata: Any) -> dict[str, Any]:
        """A client that registers itself, as any may (RFC 7591); returns what it is told, its secrets among it."""
        answer = self._http.post(f"{self.url}/register", json=metadata)
        return self._told(answer)

    def drop_client(self, client_id: str) -> None:
        """No such client any more."""
        self._ask("DELETE", f"/clients/{client_id}")

    def resources(self) -> list[dict[str, Any]]:
        """Every resource server."""
        return self._list("/resources", "resources")

    def put_resource(self, uri: str, *, name: str, scopes: Sequence[str]) -> dict[str, Any]:
        """A new resource server, or another of the same URI."""
        return self._ask("PUT", "/resources", {"uri": uri, "name": name, "scopes": list(scopes)})

    def drop_resource(self, uri: str) -> None:
        """No such resource server any more."""
        self._ask("DELETE", "/resources", uri=uri)

    def issuers(self) -> list[dict[str, Any]]:
        """Whose assertions about people are believed."""
        return self._list("/issuers", "issuers")

    def put_issuer(self, *, subject: str = "email", **issuer: Any) -> dict[str, Any]:
        """Believe somebody: a ``tenant``, or ``issuer`` with its ``jwks``. ``subject`` says by what both know a person:
        ``sub``, ``username`` or ``email``.
        """
        return self._ask("PUT", "/issuers", {"subject": subject, **issuer})

    def drop_issuer(self, issuer: str) -> None:
        """Believe it no more."""
        self._ask("DELETE", "/issuers", issuer=issuer)

    # Bent answers

    def quirks(self) -> list[dict[str, Any]]:
        """``name``, ``on`` (whose answers it bends) and ``about`` of each."""
        return self._list("/quirks", "quirks")

    def set_quirk(self, name: str, *, times: int | None = None) -> None:
        """Be wrong in this way, always or for so many answers."""
        self._ask("PUT", f"/quirks/{name}", {"times": times})

    def clear_quirks(self) -> None:
        """Be right in everything."""
        self._ask("DELETE", "/quirks")

    @contextmanager
    def quirk(self, name: str, *, times: int | None = None) -> Iterator[None]:
        """Be wrong in this way until the block ends."""
        self.set_quirk(name, times=times)
        try:
            yield
        finally:
            self._ask("DELETE", f"/quirks/{name}")

    # What was asked

    def requests(self, **wanted: str) -> list[dict[str, Any]]:
        """Requests with these values: ``endpoint`` (token, authorize …), ``client_id``, ``grant_type``, ``status`` …

        Secrets are told as fingerprints, so that a code can be followed to the token it was traded for, and by ``jti``
        a token to those it was exchanged for.
        """
        found: list[dict[str, Any]] = self._ask("GET", "/requests", **wanted)["requests"]
        return found

    def wait_for_requests(self, count: int = 1, *, within: float = 10.0, **wanted: str) -> list[dict[str, Any]]:
        """The same, as soon as there are ``count``.

        Raises:
            AssertionError: there are not, ``within`` so many seconds.
        """
        told = self._ask("GET", "/requests", count=str(count), wait=str(within), **wanted)
        found: list[dict[str, Any]] = told["requests"]
        if not told["complete"]:
            raise AssertionError(f"{len(found)} of {count} requests with {wanted} within {within} s: {found}")
        return found

    def assert_no_requests(self, **wanted: str) -> None:
        """Nothing of that kind was asked.

        Raises:
            AssertionError: it was.
        """
        found = self.requests(**wanted)
        if found:
            raise AssertionError(f"{len(found)} requests with {wanted}: {found}")

    def forget_requests(self) -> None:
        """Begin to record anew."""
        self._ask("DELETE", "/requests")

    def reset(self, *, keys: bool = False) -> None:
        """As the tenant began; with ``keys``, nothing issued before is believed either."""
        self._ask("POST", "/reset", {"keys": keys})

    def _list(self, path: str, name: str) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self._ask("GET", path)[name]
        return listed

    def _ask(self, method: str, path: str, body: Any = None, /, **query: str) -> dict[str, Any]:
        if body is None and method == "POST":
            body = {}
        return self._told(self._http.request(method, path, json=body, params=query))

    @staticmethod
    def _told(answer: httpx.Response) -> dict[str, Any]:
        if answer.is_error:
            told = answer.json() if answer.headers.get("content-type") == "application/json" else {}
            description = told.get("error_description", answer.text[:300])
            raise ControlError(f"{answer.request.method} {answer.url} answered {answer.status_code}: {description}")
        return dict(answer.json()) if answer.content else {}
