"""Bodies that other readers would take, each in its own way: here they are refused, and nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from scenarios.services.api.answers import refused

if TYPE_CHECKING:
    from harness.person import Person

Member = Callable[[str], "Person"]

JSON = {"Content-Type": "application/json"}

NOT_JSON = {
    "NaN": b'{"title": "x", "priority": NaN}',
    "Infinity": b'{"title": "x", "priority": -Infinity}',
    "beyond a double": b'{"title": "x", "priority": 1e999}',
    "an integer of 5000 digits": b'{"title": ' + b"9" * 5000 + b"}",
    "half a surrogate pair": b'{"title": "\\ud800"}',
    "half a surrogate pair in a name": b'{"title": "x", "\\udfff": 1}',
    "a repeated name": b'{"title": "mine", "title": "yours"}',
    "a repeated name deep inside": b'{"title": "x", "labels": [{"a": 1, "a": 2}]}',
    "nested 900 deep": b'{"title": ' + b"[" * 900 + b"]" * 900 + b"}",
    "nested 100000 deep": b'{"title": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "not UTF-8": b'{"title": "\xff"}',
    "UTF-16": '{"title": "x"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"title": "x"}',
    "cut off": b'{"title": "x"',
    "two documents": b'{"title": "x"}{"title": "y"}',
    "a comment": b'{"title": "x"} // hello',
}

UNFIT = {
    "nothing": (b"", "body"),
    "null": (b"null", "body"),
    "a list": (b"[]", "body"),
    "no title": (b"{}", "body.title"),
    "an empty title": (b'{"title": ""}', "body.title"),
    "a title of zero width": (b'{"title": "\\u200b\\u2060"}', "body.title"),
    "a title of two lines": (b'{"title": "one\\ntwo"}', "body.title"),
    "a blank title": (b'{"title": " \\t\\u00a0\\u0085\\u2003"}', "body.title"),
    "a title of 201": (json.dumps({"title": "x" * 201}).encode(), "body.title"),
    "U+0000 in the title": (b'{"title": "a\\u0000b"}', "body.title"),
    "U+0000 in the description": (b'{"title": "x", "description": "\\u0000"}', "body.description"),
    "a number for a title": (b'{"title": 1}', "body.title"),
    "a type nobody knows": (b'{"title": "x", "type": "epic"}', "body.type"),
    "a name nobody knows": (b'{"title": "x", "assignee": "me"}', "body.assignee"),
    "the name of the tool's argument": (b'{"title": "x", "assignee_id": "me"}', "body.assignee_id"),
    "a label of 51": (json.dumps({"title": "x", "labels": ["ok", "y" * 51]}).encode(), "body.labels.1"),
    "21 labels": (json.dumps({"title": "x", "labels": ["y"] * 21}).encode(), "body.labels"),
    "one label without a list": (b'{"title": "x", "labels": "y"}', "body.labels"),
}


pytestmark = pytest.mark.usefixtures("nothing_is_stored")


@pytest.fixture
def nothing_is_stored(member: Member) -> Iterator[None]:
    """What was refused has left no ticket behind."""
    before = member("alice").api.get("/api/tickets").json()
    yield
    assert member("alice").api.get("/api/tickets").json() == before


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_not_strictly_json_is_malformed(member: Member, body: bytes) -> None:
    answer = member("alice").api.post("/api/tickets", content=body, headers=JSON)
    assert "JSON" in refused(answer, 400, "malformed")["detail"]


@pytest.mark.parametrize(("body", "pointer"), UNFIT.values(), ids=UNFIT)
def test_json_that_does_not_fit_is_invalid_and_says_where(member: Member, body: bytes, pointer: str) -> None:
    problem = refused(member("alice").api.post("/api/tickets", content=body, headers=JSON), 422, "invalid")
    assert [flaw["pointer"] for flaw in problem["errors"]] == [pointer]


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", None])
@pytest.mark.parametrize("path", ["/api/tickets", "/api/chat"])
def test_a_body_must_be_declared_as_json(member: Member, path: str, media_type: str | None) -> None:
    headers = {"Content-Type": media_type} if media_type else {}
    answer = member("alice").api.post(path, content=b'{"title": "x", "message": "x"}', headers=headers)
    refused(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("chunked", [False, True], ids=["declared", "chunked"])
def test_a_body_without_end_is_cut_short(member: Member, chunked: bool) -> None:
    def pieces() -> Iterator[bytes]:
        yield from [b" " * 64 * 1024] * 8

    body = pieces() if chunked else b"".join(pieces())
    refused(member("alice").api.post("/api/tickets", content=body, headers=JSON), 413, "too_large")


@pytest.mark.parametrize(
    "body",
    [
        b'{"message": ""}',
        b'{"message": "a\\u0000"}',
        b'{"message": "x", "threadId": "1"}',
        b'{"message": "x", "to": 1}',
    ],
)
def test_a_chat_message_is_checked_as_strictly(member: Member, body: bytes) -> None:
    refused(member("alice").api.post("/api/chat", content=body, headers=JSON), 422, "invalid")
