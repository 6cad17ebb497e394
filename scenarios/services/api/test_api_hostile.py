"""Requests no honest client sends, to every operation with a body: each is refused, and every row stays what it was."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from harness.toolfuzz.digest import Digest
from scenarios.services.api.answers import refused
from scenarios.services.api.raw import Raw, chunked
from services.api.app import create_app

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack

Member = Callable[[str], "Person"]

JSON = ("Content-Type", "application/json")
MATCH = ("If-Match", '"1"')
IN_PATHS = {"key": "ACME-1", "id": "usr_1", "member_id": "usr_1"}
DOCUMENT = create_app().openapi()
OPERATIONS = {
    operation["operationId"]: (method.upper(), path.format_map(IN_PATHS), operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
WITH_BODY = {name: told for name, told in OPERATIONS.items() if "requestBody" in told[2]}

NOT_JSON = {
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "-Infinity": b"-Infinity",
    "beyond a double": b"1e999",
    "an integer of 5000 digits": b"9" * 5000,
    "a number with a leading zero": b"01",
    "half a surrogate pair": b'"\\ud800"',
    "halves the wrong way round": b'"\\udc00\\ud800"',
    "half a surrogate pair in a name": b'{"\\udfff": 1}',
    "a repeated name": b'{"a": 1, "a": 2}',
    "a repeated name, escaped once": b'{"a": 1, "\\u0061": 2}',
    "lists 900 deep": b"[" * 900 + b"]" * 900,
    "objects 900 deep": b'{"a":' * 900 + b"1" + b"}" * 900,
    "lists 100000 deep": b"[" * 100_000 + b"]" * 100_000,
    "a bare U+0000": b'"a\x00b"',
    "not UTF-8": b'"\xff"',
    "an overlong form": b'"\xc0\x80"',
    "a surrogate as UTF-8": b'"\xed\xa0\x80"',
    "a bare line feed": b'"a\nb"',
    "single quotes": b"'a'",
    "a trailing comma": b"[1,]",
    "a comment": b"1 /* one */",
    "hexadecimal": b"0x1F",
}
"""Values that are none, or that readers disagree about."""

UNFIT: Mapping[str, Any] = {
    "U+0000": "\u0000",
    "an integer beyond 64 bits": 2**64,
    "an integer of 400 digits": 10**400,
    "a fraction": 0.5,
    "a list": [],
    "a list of itself": [[["x"]]],
    "an object": {"$ne": None},
    "a truth": True,
    "a text of 200000 characters": "x" * 200_000,
}
"""Of no text and no choice that is taken anywhere."""

MEDIA_TYPES = {
    "none": [],
    "an empty one": [("Content-Type", "")],
    "text": [("Content-Type", "text/plain")],
    "a form": [("Content-Type", "application/x-www-form-urlencoded")],
    "a form in parts": [("Content-Type", "multipart/form-data; boundary=x")],
    "XML": [("Content-Type", "application/xml")],
    "nearly JSON": [("Content-Type", "application/jsonx")],
    "JSON as a suffix": [("Content-Type", "application/merge-patch+json")],
    "two": [("Content-Type", "text/plain"), JSON],
    "two the other way round": [JSON, ("Content-Type", "text/plain")],
    "two in one": [("Content-Type", "application/json, text/plain")],
}


@pytest.fixture(scope="module")
def world(shared_stack: Stack) -> Iterator[Digest]:
    """Every row of every database but the identity provider's, who has to remember who signed in."""
    files = [file for file in sorted(shared_stack.folder.glob("*.db")) if file.stem != "idp"]
    assert {"ticketing", "organizations"} <= {file.stem for file in files}
    with closing(Digest(files)) as digest:
        yield digest


@pytest.fixture(autouse=True)
def nothing_is_changed(world: Digest) -> Iterator[None]:
    """By nothing that is refused here."""
    before = world.now()
    yield
    assert world.now() == before


every_body = pytest.mark.parametrize(("method", "path", "operation"), WITH_BODY.values(), ids=WITH_BODY)


@every_body
def test_json_that_is_none_or_means_several_things_is_malformed(
    member: Member, method: str, path: str, operation: dict[str, Any]
) -> None:
    body = _valid(operation)
    olivia = member("olivia")
    for name, value in NOT_JSON.items():
        content = b'{"unheardOf": ' + value + b", " + json.dumps(body).encode()[1:]
        _refused(Raw(content).sent(olivia, method, path, MATCH), 400, "malformed", name)
    text = json.dumps(body)
    for encoding in ("utf-16", "utf-16-le", "utf-32", "utf-8-sig"):
        declared = [("Content-Type", f"application/json; charset={encoding}")]
        _refused(Raw(text.encode(encoding), declared).sent(olivia, method, path, MATCH), 400, "malformed", encoding)
    for name, wrong in {"cut off": text[:-1], "two": text * 2, "blanks": "  "}.items():
        answer = Raw(wrong.encode()).sent(olivia, method, path, MATCH)
        _refused(answer, 400, "malformed", name)


@every_body
def test_a_value_that_is_taken_nowhere_is_invalid_everywhere(
    member: Member, method: str, path: str, operation: dict[str, Any]
) -> None:
    body = _valid(operation)
    for field in body:
        for name, value in UNFIT.items():
            content = json.dumps({**body, field: value}).encode()
            answer = Raw(content).sent(member("olivia"), method, path, MATCH)
            assert answer.status_code == 422, (field, name, answer.text)
            assert len(answer.content) < 2_000, (field, name)  # what was sent is not sent back
            flaws = refused(answer, 422, "invalid")["errors"]
            assert all(flaw["pointer"].startswith("body") for flaw in flaws), (field, name, flaws)
    for wrong in ({"x" * 200_000: 1}, dict.fromkeys(map(str, range(10_000)), 1)):
        answer = Raw(json.dumps({**body, **wrong}).encode()).sent(member("olivia"), method, path, MATCH)
        assert 0 < len(refused(answer, 422, "invalid")["errors"]) <= 20
        assert len(answer.content) < 5_000


@every_body
def test_a_body_has_one_media_type_and_no_coding(
    member: Member, method: str, path: str, operation: dict[str, Any]
) -> None:
    content, olivia = json.dumps(_valid(operation)).encode(), member("olivia")
    for name, declared in MEDIA_TYPES.items():
        answer = Raw(content, declared).sent(olivia, method, path, MATCH)
        _refused(answer, 415, "unsupported_media_type", name)
    for coding, coded in {"gzip": gzip.compress(content), "br": content, "identity, gzip": content}.items():
        answer = Raw(coded, [JSON, ("Content-Encoding", coding)]).sent(olivia, method, path, MATCH)
        _refused(answer, 415, "unsupported_media_type", coding)


@every_body
def test_a_body_in_chunks_is_read_like_any_other(
    member: Member, method: str, path: str, operation: dict[str, Any]
) -> None:
    olivia, framed = member("olivia"), [JSON, ("Transfer-Encoding", "chunked")]
    hostile = json.dumps(_valid(operation)).encode()[:-1] + b', "a": 1, "a": 2}'
    _refused(Raw(chunked(hostile), framed).sent(olivia, method, path, MATCH), 400, "malformed", "in chunks")


@every_body
def test_where_a_body_ends_is_told_once(member: Member, method: str, path: str, operation: dict[str, Any]) -> None:
    """Else two readers could find two requests in it (RFC 9112 §6.3)."""
    content, olivia = json.dumps(_valid(operation)).encode(), member("olivia")
    length = ("Content-Length", str(len(content)))
    for name, framed, body in (
        ("a length and chunks", [JSON, length, ("Transfer-Encoding", "chunked")], chunked(content)),
        ("two lengths", [JSON, length, ("Content-Length", "2")], content),
        ("no number", [JSON, ("Content-Length", "two")], content),
        ("a negative number", [JSON, ("Content-Length", "-2")], content),
        ("a number beyond all", [JSON, ("Content-Length", "9" * 30)], content),
        ("chunks of no length", [JSON, ("Transfer-Encoding", "chunked")], b"zz\r\n" + content),
    ):
        assert Raw(body, framed).sent(olivia, method, path, MATCH).status_code in (400, 413), name


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS.values(), ids=OPERATIONS)
def test_what_is_told_twice_is_not_understood_at_random(
    member: Member, method: str, path: str, operation: dict[str, Any]
) -> None:
    olivia = member("olivia")
    content = json.dumps(_valid(operation)).encode() if "requestBody" in operation else b""
    token = ("Authorization", f"Bearer {olivia.token('api')}")
    answer = Raw(content, [JSON, token]).sent(olivia, method, path, MATCH)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    answer = Raw(content, [JSON]).sent(olivia, method, f"{path}?{'x' * 9_000}=1", MATCH)
    refused(answer, 414, "uri_too_long")


def test_no_header_makes_another_method_of_one(member: Member) -> None:
    olivia = member("olivia")
    names = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
    for method, path, operation in OPERATIONS.values():
        if method == "GET" and "application/json" in operation["responses"]["200"]["content"]:
            plain, *others = (
                Raw(b"", [(name, other) for name in names]).sent(olivia, "GET", path)
                for other in ("GET", "DELETE", "POST", "PATCH")
            )
            assert all((each.status_code, each.content) == (plain.status_code, plain.content) for each in others), path


def _valid(operation: dict[str, Any]) -> dict[str, Any]:
    """A body that would be taken."""
    schema = next(iter(operation["requestBody"]["content"].values()))["schema"]
    while "examples" not in schema:
        schema = next(iter(schema["oneOf"])) if "oneOf" in schema else _named(schema["$ref"])
    example: dict[str, Any] = schema["examples"][0]
    return example


def _named(reference: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][reference.rpartition("/")[2]]
    return found


def _refused(answer: httpx.Response, status: int, code: str, name: str) -> None:
    assert answer.status_code == status, (name, answer.status_code, answer.text)
    refused(answer, status, code)
