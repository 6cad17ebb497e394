"""Clients that are described at their own address: draft-ietf-oauth-client-id-metadata-document, over a real server."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import httpx2 as httpx
import pytest

from scenarios.services.idp.conftest import ALONE, LOOPBACK, Alone, Living, claims, refused, told
from scenarios.services.idp.signed import Signer
from services.idp import metadata_documents
from services.idp.client_auth import JWT_BEARER


@dataclass
class Publisher:
    """Where a client describes itself."""

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    changes: dict[str, Any] = field(default_factory=dict)
    body: bytes | None = None
    released: Event = field(default_factory=Event)
    slow: bool = False
    asked: list[str] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)
    """The header of the last request, by names in lower case."""

    @property
    def document(self) -> bytes:
        if self.body is not None:
            return self.body
        usual = {"client_id": self.url, "client_name": "A published application", "redirect_uris": [LOOPBACK]}
        return json.dumps({name: value for name, value in (usual | self.changes).items() if value is not ...}).encode()


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    here = Publisher()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here.asked.append(self.path)
            here.told = {name.lower(): value for name, value in self.headers.items()}
            if here.slow:
                here.released.wait(30)
            self.send_response(here.status)
            for name, value in here.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(here.document)

        def log_message(self, *arguments: object) -> None:
            """A test has no use for it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        here.url = f"http://127.0.0.1:{server.server_port}/client.json"
        yield here
        here.released.set()
        server.shutdown()


def test_a_client_signs_somebody_in_whom_nobody_registered(alone: Alone, publisher: Publisher) -> None:
    begun = alone.authorize(alone.asked(client_id=publisher.url))
    consent = alone.pick("alice", begun)
    page = alone.http.get(consent.headers["location"])
    assert "A published application" in page.text
    answer = {"interaction": told(consent)["interaction"], "answer": "allow"}
    code = told(alone.http.post("/consent", data=answer))["code"]
    token = alone.redeem(code, client_id=publisher.url).json()["access_token"]
    assert claims(token)["client_id"] == publisher.url
    assert publisher.asked == ["/client.json"]


def test_a_description_is_believed_for_a_while(alone: Alone, publisher: Publisher) -> None:
    def fetched() -> int:
        assert alone.authorize(alone.asked(client_id=publisher.url)).status_code == 303
        return len(publisher.asked)

    assert [fetched(), fetched()] == [1, 1]
    alone.seconds += 301
    publisher.headers["Cache-Control"] = "max-age=100000"
    assert fetched() == 2
    alone.seconds += 3599
    assert fetched() == 2
    alone.seconds += 2
    publisher.headers["Cache-Control"] = "no-store"
    assert [fetched(), fetched()] == [3, 4]


def test_a_description_that_changes_is_the_client(alone: Alone, publisher: Publisher) -> None:
    publisher.headers["Cache-Control"] = "no-cache"
    assert alone.authorize(alone.asked(client_id=publisher.url)).status_code == 303
    publisher.changes = {"redirect_uris": ["https://elsewhere.example/callback"]}
    assert alone.authorize(alone.asked(client_id=publisher.url)).status_code == 400


def test_a_description_that_stays_as_it_was_is_the_same_client(alone: Alone, publisher: Publisher) -> None:
    """Nothing is written then: where it says ``no-store``, every request would."""
    publisher.headers["Cache-Control"] = "no-store"
    known = []
    for _ in range(2):
        alone.authorize(alone.asked(client_id=publisher.url))
        known.append(alone.provider.registry.clients[publisher.url])
        alone.seconds += 60
    assert known[0] is known[1]


def test_the_person_is_told_where_the_application_describes_itself(alone: Alone, publisher: Publisher) -> None:
    """Its name is whatever it likes to be called; its address is what others can check."""
    consent = alone.pick("alice", alone.authorize(alone.asked(client_id=publisher.url)))
    page = alone.http.get(consent.headers["location"]).text
    assert f'<strong class="address">{publisher.url}</strong>' in page


@pytest.fixture
def service(publisher: Publisher) -> Signer:
    """A service that publishes its key and asks for itself."""
    signer = Signer(publisher.url, f"{ALONE.idp}/token")
    publisher.changes = {
        "redirect_uris": ...,
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": signer.jwks,
    }
    publisher.headers["Cache-Control"] = "no-store"
    return signer


def proven(alone: Alone, path: str, signer: Signer, **form: str) -> httpx.Response:
    """Ask with a signature and without a ``client_id``, which an assertion makes needless (RFC 7521 §4.2)."""
    assertion = signer.assertion(at=alone.seconds)
    return alone.post(path, {"client_assertion_type": JWT_BEARER, "client_assertion": assertion} | form)


def test_a_service_names_itself_by_its_signature_alone(alone: Alone, service: Signer) -> None:
    asked = {"grant_type": "client_credentials", "resource": ALONE.api}
    token = proven(alone, "/token", service, **asked).json()["access_token"]
    assert claims(token)["client_id"] == service.name


def test_a_key_that_is_published_no_more_opens_nothing(alone: Alone, service: Signer, publisher: Publisher) -> None:
    asked = {"grant_type": "client_credentials", "resource": ALONE.api}
    assert proven(alone, "/token", service, **asked).status_code == 200
    renewed = Signer(service.name, service.audience, kid="key-2")
    publisher.changes["jwks"] = renewed.jwks
    refused(proven(alone, "/token", service, **asked), 401, "invalid_client")
    assert proven(alone, "/token", renewed, **asked).status_code == 200


@pytest.mark.parametrize("path", ["/introspect", "/revoke"])
def test_such_a_service_is_known_wherever_clients_prove_themselves(alone: Alone, service: Signer, path: str) -> None:
    service.audience = ALONE.idp
    assert proven(alone, path, service, token="unknown").status_code == 200


def test_a_key_that_is_of_no_use_makes_no_client(alone: Alone, service: Signer, publisher: Publisher) -> None:
    publisher.changes["jwks"] = {"keys": [*service.jwks["keys"], {"kty": "oct", "k": "c2VjcmV0"}]}
    asked = {"grant_type": "client_credentials", "resource": ALONE.api}
    refused(proven(alone, "/token", service, **asked), 401, "invalid_client")
    assert service.name not in alone.provider.registry.clients


def test_a_signature_that_is_none_makes_nobody_ask(alone: Alone, publisher: Publisher) -> None:
    form = {"client_assertion_type": JWT_BEARER, "client_assertion": f"{publisher.url}.b.c"}
    refused(alone.post("/token", form | {"grant_type": "client_credentials"}), 401, "invalid_client")
    assert publisher.asked == []


def test_nothing_of_an_earlier_answer_is_sent_along(alone: Alone, publisher: Publisher) -> None:
    """Cookies know no ports: what one program on this machine sets would reach all others."""
    publisher.headers |= {"Cache-Control": "no-store", "Set-Cookie": "session=planted; Path=/"}
    for _ in range(2):
        assert alone.authorize(alone.asked(client_id=publisher.url)).status_code == 303
    assert len(publisher.asked) == 2
    assert "cookie" not in publisher.told


def test_a_description_is_taken_only_as_it_is(alone: Alone, publisher: Publisher) -> None:
    """Compressed, its ten kilobytes would be as many megabytes before anybody could count them."""
    publisher.body = gzip.compress(publisher.document)
    publisher.headers["Content-Encoding"] = "gzip"
    assert alone.authorize(alone.asked(client_id=publisher.url)).status_code == 400
    assert publisher.told["accept-encoding"] == "identity"


def test_who_was_registered_by_hand_needs_no_description(
    alone: Alone, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some providers give out ids like ``api://tickets``; a registry may have them, and a flood leaves them alone."""
    monkeypatch.setattr(metadata_documents, "MOST", 1)
    clients, place = alone.provider.registry.clients, publisher.url
    for name in ("api://tickets", f"{place}?by-hand"):
        clients.put(name, clients["cli"].model_copy(update={"id": name}))
    for number in range(3):
        publisher.changes["client_id"] = f"{place}?{number}"
        assert alone.authorize(alone.asked(client_id=f"{place}?{number}")).status_code == 303
    for name in ("api://tickets", f"{place}?by-hand"):
        assert alone.authorize(alone.asked(client_id=name)).status_code == 303
    assert len(publisher.asked) == 3


Break = Callable[[Publisher], None]


def changed(**changes: Any) -> Break:
    return lambda publisher: publisher.changes.update(changes)


def answered(**fields: Any) -> Break:
    def change(publisher: Publisher) -> None:
        for name, value in fields.items():
            setattr(publisher, name, value)

    return change


@pytest.mark.parametrize(
    "bent",
    [
        changed(client_id="http://127.0.0.1:1/client.json"),
        changed(client_id=...),
        changed(client_secret="s3cret"),
        changed(client_secret_expires_at=0),
        changed(token_endpoint_auth_method="client_secret_basic"),
        changed(token_endpoint_auth_method="private_key_jwt"),
        changed(redirect_uris=["http://evil.example/callback"]),
        changed(redirect_uris=...),
        changed(grant_types=["password"]),
        changed(client_name=7),
        answered(status=404),
        answered(status=302, headers={"Location": "/other.json", "Content-Type": "application/json"}),
        answered(headers={"Content-Type": "text/html"}),
        answered(headers={}),
        answered(body=b"{"),
        answered(body=b"[]"),
        answered(body=b"\xff"),
        answered(body=b"[" * 2000),
        answered(body=b" " * 11_000),
    ],
)
def test_a_description_that_is_not_as_it_must_be_makes_no_client(
    alone: Alone, publisher: Publisher, bent: Break
) -> None:
    bent(publisher)
    response = alone.authorize(alone.asked(client_id=publisher.url))
    assert (response.status_code, "location" in response.headers) == (400, False)
    assert "Unknown application" in response.text
    refused(alone.redeem("code", client_id=publisher.url), 401, "invalid_client")
    refused(alone.post("/par", alone.asked(client_id=publisher.url)), 401, "invalid_client")
    assert publisher.url not in alone.provider.registry.clients
    assert "/other.json" not in publisher.asked


@pytest.mark.parametrize(
    "address",
    [
        "http://example.test/client.json",
        "https://example.test/client.json",
        "http://192.168.0.1/client.json",
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1.evil.example/client.json",
        "http://user@127.0.0.1:9/client.json",
        "http://127.0.0.1:9/client.json#fragment",
        "http://127.0.0.1:9/a/../client.json",
        "http://127.0.0.1:9/./client.json",
        f"{ALONE.idp}/client.json",
        f"{ALONE.idp.replace('localhost', '127.0.0.1')}/authorize?client_id=x",
        "http://127.0.0.1:9/a/%2e%2E/client.json",
        "http://127.0.0.1:9/.%2E/client.json",
        "http://127.0.0.1:9/%2e/client.json",
        "http://127.0.0.1:9/a client.json",
        " http://127.0.0.1:9/client.json",
        "http://127.0.0.1:9/",
        "http://127.0.0.1:9",
        "http://127.0.0.1:0/client.json",
        "http://[/client.json",
        "ftp://127.0.0.1/client.json",
        "file:///etc/passwd",
        "://",
        "http://127.0.0.1:9/" + "x" * 2000,
    ],
)
def test_an_address_that_may_not_be_asked_is_not_asked(
    alone: Alone, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("it was asked")

    monkeypatch.setattr(metadata_documents, "_fetched", never)
    assert alone.authorize(alone.asked(client_id=address)).status_code == 400
    refused(alone.redeem("code", client_id=address), 401, "invalid_client")


def test_nobody_listens_there(alone: Alone) -> None:
    refused(alone.redeem("code", client_id="http://127.0.0.1:9/client.json"), 401, "invalid_client")


def test_a_description_that_does_not_come_is_not_waited_for(
    alone: Alone, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata_documents, "WITHIN_S", 0.2)
    publisher.slow = True
    began = time.monotonic()
    assert "in time" in refused(alone.redeem("code", client_id=publisher.url), 401, "invalid_client")
    assert time.monotonic() - began < 10


def test_another_host_must_be_allowed(living: Living, monkeypatch: pytest.MonkeyPatch, publisher: Publisher) -> None:
    asked: list[str] = []

    async def noted(address: str, _provider: object) -> tuple[bytes, float]:
        asked.append(address)
        publisher.changes["client_id"] = address
        return publisher.document, 60

    monkeypatch.setenv("OUTBOUND_HOSTS", "apps.example")
    monkeypatch.setattr(metadata_documents, "_fetched", noted)
    with living() as alone:
        assert alone.authorize(alone.asked(client_id="https://apps.example/client.json")).status_code == 303
        assert alone.authorize(alone.asked(client_id="http://apps.example/client.json")).status_code == 400
    assert asked == ["https://apps.example/client.json"]


def test_a_flood_takes_the_place_of_the_oldest(
    alone: Alone, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata_documents, "MOST", 2)
    place = publisher.url
    for number in range(4):
        publisher.changes["client_id"] = f"{place}?{number}"
        assert alone.authorize(alone.asked(client_id=f"{place}?{number}")).status_code == 303
    described = [client_id for client_id in alone.provider.registry.clients if "://" in client_id]
    assert described == [f"{place}?2", f"{place}?3"]


def test_ordinary_clients_are_not_looked_for_anywhere(alone: Alone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata_documents, "know", None)
    assert alone.tokens()["access_token"]


def test_the_metadata_say_who_offers_it(alone: Alone) -> None:
    root, partner = (alone.http.get(f"{path}/.well-known/openid-configuration").json() for path in ("", "/t/partner"))
    assert root["client_id_metadata_document_supported"] is True
    assert partner["client_id_metadata_document_supported"] is False
    address = "http://127.0.0.1:9/client.json"
    form = {"grant_type": "refresh_token", "client_id": address, "refresh_token": "x"}
    refused(alone.http.post("/t/partner/token", data=form), 401, "invalid_client")
