"""OpenID Connect Back-Channel Logout 1.0: whoever took part in a session is told that it has ended."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest

from scenarios.services.idp.conftest import ALONE, LOOPBACK, Alone, claims, refused, told
from services.idp import backchannel, people, sessions
from services.idp.outbound import Outbound
from services.idp.registry import Client as Registered

EVENT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass
class Party:
    """A client's logout endpoint, which answers what it is told to."""

    url: str = ""
    answers: list[int] = field(default_factory=lambda: [200])
    """One after the other; the last one stays."""
    open: threading.Event = field(default_factory=threading.Event)
    _asked: queue.Queue[tuple[str, str, dict[str, list[str]]]] = field(default_factory=queue.Queue)
    seen: int = 0

    def note(self, path: str, kind: str, form: dict[str, list[str]]) -> int:
        self._asked.put((path, kind, form))
        answer = self.answers[min(self.seen, len(self.answers) - 1)]
        self.seen += 1
        return answer

    def token(self) -> str:
        """The logout token of the next request."""
        path, kind, form = self._asked.get(timeout=10)
        assert (path, kind, set(form)) == ("/logged-out", "application/x-www-form-urlencoded", {"logout_token"})
        (token,) = form["logout_token"]
        return token


@pytest.fixture
def party() -> Iterator[Party]:
    """It answers only while it is ``open``, which it is at first."""
    party = Party()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            status = party.note(self.path, self.headers["Content-Type"], parse_qs(body))
            party.open.wait(20)
            self.send_response(status)
            if status in (302, 307):
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """A test has no use for it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        party.url = f"http://127.0.0.1:{server.server_port}/logged-out"
        party.open.set()
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield party
        party.open.set()
        server.shutdown()


@pytest.fixture
def told_party(alone: Alone, party: Party) -> Party:
    """The command line has registered it."""
    change(alone, "cli", backchannel_logout_uri=party.url)
    return party


def change(alone: Alone, client_id: str, **changes: Any) -> None:
    clients = alone.provider.registry.clients
    clients.put(client_id, Registered.model_validate(clients[client_id].model_dump() | changes))


def leave(alone: Alone, id_token: str) -> None:
    assert alone.http.get("/logout", params={"id_token_hint": id_token}).status_code == 200


def idle(alone: Alone) -> None:
    """Wait until nothing is under way any more."""
    alone.portal.call(alone.provider.outbound.finish)


def test_the_token_is_one_of_section_2_4(alone: Alone, told_party: Party) -> None:
    id_token = alone.tokens()["id_token"]
    leave(alone, id_token)
    token = told_party.token()
    key = jwt.PyJWKSet.from_dict(alone.http.get("/jwks").json())[jwt.get_unverified_header(token)["kid"]]
    said = jwt.decode(token, key, audience="cli", issuer=ALONE.idp, options={"verify_iat": False, "verify_exp": False})
    assert jwt.get_unverified_header(token)["typ"] == "logout+jwt"
    assert set(said) == {"iss", "sub", "aud", "iat", "exp", "jti", "sid", "events"}
    assert said["events"] == {EVENT: {}}
    assert (said["sid"], said["sub"]) == (claims(id_token)["sid"], claims(id_token)["sub"])
    assert 0 < said["exp"] - said["iat"] <= 120
    assert said["iat"] == int(alone.seconds)


def test_everybody_who_took_part_is_told_once_and_nobody_else(alone: Alone, told_party: Party) -> None:
    change(alone, "ui", backchannel_logout_uri=told_party.url)
    id_token = alone.tokens()["id_token"]
    alone.authorize(alone.asked())
    alone.authorize(alone.as_ui())
    clients = alone.provider.registry.clients
    clients.put("absent", clients["cli"].model_copy(update={"id": "absent"}))
    leave(alone, id_token)
    idle(alone)
    assert {claims(told_party.token())["aud"], claims(told_party.token())["aud"]} == {"cli", "ui"}
    assert told_party.seen == 2


def test_who_took_part_is_told_long_after_its_tokens_have_expired(alone: Alone, told_party: Party) -> None:
    id_token = alone.tokens(scope="openid tickets:read")["id_token"]
    alone.seconds += 7 * 3600
    leave(alone, id_token)
    assert claims(told_party.token())["aud"] == "cli"


def test_signing_out_does_not_wait_for_them(alone: Alone, told_party: Party) -> None:
    told_party.open.clear()
    leave(alone, alone.tokens()["id_token"])
    assert told(alone.authorize(alone.asked(prompt="none")))["error"] == "login_required"
    told_party.open.set()
    assert told_party.token()


@pytest.mark.parametrize(
    ("answers", "times"),
    [([200], 1), ([204], 1), ([400], 1), ([302], 1), ([307], 1), ([503, 200], 2), ([503], 3), ([500, 429, 200], 3)],
)
def test_a_failure_is_tried_again_a_few_times_and_an_answer_is_not(
    alone: Alone, told_party: Party, answers: list[int], times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backchannel, "PAUSES_S", (0.0, 0.0))
    told_party.answers = answers
    leave(alone, alone.tokens()["id_token"])
    idle(alone)
    assert told_party.seen == times
    assert len({told_party.token() for _ in range(times)}) == 1


def test_who_does_not_answer_is_given_up(
    alone: Alone, told_party: Party, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(backchannel, "PAUSES_S", ())
    monkeypatch.setattr(backchannel, "TIMEOUT_S", 2.0)  # for the way there, however busy this machine is
    told_party.open.clear()
    leave(alone, alone.tokens()["id_token"])
    idle(alone)
    assert told_party.seen == 1
    assert "TimeoutError" in caplog.text
    assert told_party.token() not in caplog.text


def test_nobody_listening_is_no_trouble(alone: Alone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backchannel, "PAUSES_S", (0.0,))
    change(alone, "cli", backchannel_logout_uri="http://127.0.0.1:1/logged-out")
    leave(alone, alone.tokens()["id_token"])
    idle(alone)
    assert "code" in alone.sign_in()


def test_another_host_is_not_asked(alone: Alone, told_party: Party, caplog: pytest.LogCaptureFixture) -> None:
    change(alone, "cli", backchannel_logout_uri="http://logout.example/logged-out")
    leave(alone, alone.tokens()["id_token"])
    idle(alone)
    assert "cli" in caplog.text
    assert "logout.example" in caplog.text
    assert told_party.seen == 0


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("http://127.0.0.1:9/x", True),
        ("http://localhost/x", True),
        ("http://LOCALHOST/x", True),
        ("http://[::1]:9/x", True),
        ("https://localhost/x", True),
        ("https://rp.example:8443/x", True),
        ("http://rp.example.evil.example/x", False),
        ("http://localhost.evil.example/x", False),
        ("http://localhost@evil.example/x", False),
        ("http://evil.example#@localhost/x", False),
        ("http://127.0.0.1:9/x#y", False),
        ("http://user:secret@127.0.0.1/x", False),
        ("http://10.0.0.1/x", False),
        ("http://169.254.169.254/x", False),
        ("http://[::ffff:10.0.0.1]/x", False),
        ("http://0.0.0.0/x", False),
        ("file:///etc/passwd", False),
        ("http:///x", False),
        ("http://[", False),
        ("http://localhost:99999/x", False),
        ("localhost", False),
    ],
)
def test_only_this_machine_and_named_hosts_are_ever_asked(url: str, allowed: bool) -> None:
    assert Outbound(frozenset({"rp.example"})).allows(url) is allowed


def test_tokens_end_with_the_session_unless_they_were_to_outlive_it(alone: Alone) -> None:
    online = alone.tokens(scope="openid tickets:read")
    offline = alone.redeem(told(alone.authorize(alone.asked()))["code"]).json()
    other = dict(alone.http.cookies)
    leave(alone, online["id_token"])
    assert alone.userinfo(online["access_token"]).status_code == 401
    assert alone.userinfo(offline["access_token"]).status_code == 200
    assert alone.refresh(offline["refresh_token"]).status_code == 200
    alone.has_cookies(other)
    assert told(alone.authorize(alone.asked(prompt="none")))["error"] == "login_required"


def test_a_code_on_its_way_when_the_session_ends_is_worth_nothing(alone: Alone) -> None:
    id_token = alone.tokens()["id_token"]
    code = told(alone.authorize(alone.asked(scope="openid")))["code"]
    leave(alone, id_token)
    refused(alone.redeem(code), 400, "invalid_grant")


def test_signing_in_again_goes_on_with_the_session(alone: Alone, told_party: Party) -> None:
    before, old = claims(alone.tokens()["id_token"]), dict(alone.http.cookies)
    alone.seconds += 3600
    after = alone.tokens()["id_token"]
    assert claims(after)["sid"] == before["sid"]
    assert claims(after)["auth_time"] == before["auth_time"] + 3600
    new = dict(alone.http.cookies)
    alone.has_cookies(old)
    assert told(alone.authorize(alone.asked(prompt="none")))["error"] == "login_required"
    alone.has_cookies(new)
    alone.seconds += 7.5 * 3600
    leave(alone, after)
    assert claims(told_party.token())["sid"] == before["sid"]


def test_somebody_else_signing_in_ends_the_session(alone: Alone, told_party: Party) -> None:
    of_alice = alone.tokens("alice", scope="openid tickets:read")
    alone.sign_in("adam")
    assert claims(told_party.token())["sub"] == claims(of_alice["id_token"])["sub"]
    assert alone.userinfo(of_alice["access_token"]).status_code == 401


def test_a_question_alone_ends_nothing(alone: Alone, told_party: Party) -> None:
    alone.tokens()
    assert "Sign out?" in alone.http.get("/logout").text
    idle(alone)
    assert told_party.seen == 0


def test_it_is_announced(alone: Alone) -> None:
    announced = alone.http.get("/.well-known/openid-configuration").json()
    assert announced["backchannel_logout_supported"] is True
    assert announced["backchannel_logout_session_supported"] is True


def test_a_logout_token_opens_nothing(alone: Alone, told_party: Party) -> None:
    id_token = alone.tokens()["id_token"]
    leave(alone, id_token)
    token = told_party.token()
    assert alone.userinfo(token).status_code == 401
    assert alone.http.get("/logout", params={"id_token_hint": token}).status_code == 400
    assert json.dumps(claims(token)).count("nonce") == 0
    assert alone.redeem(token, redirect_uri=LOOPBACK).status_code == 400


@pytest.mark.parametrize("how", ["deactivated", "dropped", "revoked"])
def test_a_session_ended_from_outside_is_told_too(alone: Alone, told_party: Party, how: str) -> None:
    sid = claims(alone.tokens("rita")["id_token"])["sid"]
    provider, at = alone.provider, alone.seconds
    rita = provider.registry.user_named("rita")
    assert rita

    async def end() -> None:
        if how == "deactivated":
            people.put(rita.model_copy(update={"active": False}), provider, at=at)
        elif how == "dropped":
            people.drop(rita.sub, provider, at=at)
        else:
            assert sessions.revoke(sid, provider, at=at)

    alone.portal.call(end)
    assert claims(told_party.token())["sid"] == sid
