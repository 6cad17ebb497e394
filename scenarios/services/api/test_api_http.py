"""The rules of HTTP that hold for every answer: headers, queries, conditions, pages, traces, failures."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from scenarios.services.api.answers import refused
from scenarios.services.api.raw import Raw
from services.api import failures
from services.api.headers import SafeHeaders
from services.api.query import LONGEST

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack

Member = Callable[[str], "Person"]

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


@pytest.mark.parametrize("path", ["/api/tickets", "/api/tickets/ACME-1", "/api/nothing", "/healthz", "/openapi.json"])
def test_every_answer_says_that_it_is_no_page_and_not_for_others(member: Member, path: str) -> None:
    answer = member("alice").api.get(path)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    kept = answer.headers["Cache-Control"]
    assert kept == ("private, no-cache" if "ETag" in answer.headers else "no-store")


def test_a_refusal_before_the_routes_has_the_headers_too(shared_stack: Stack, nobody: httpx.Client) -> None:
    preflight = {"Origin": "http://evil.example", "Access-Control-Request-Method": "GET"}
    answer = nobody.options(shared_stack.url("api") + "/api/me", headers=preflight)
    refused(answer, 400, "preflight_refused")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Vary"].startswith("Origin")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/me"), ("GET", "/api/tickets/ACME-1"), ("GET", "/api/assistant"), ("POST", "/api/tickets")],
)
def test_a_parameter_nobody_knows_is_named_on_every_route(member: Member, method: str, path: str) -> None:
    answer = member("alice").api.request(method, path, params={"verbose": "1"}, json={"title": "x"})
    assert [flaw["pointer"] for flaw in refused(answer, 422, "invalid")["errors"]] == ["query.verbose"]


@pytest.mark.parametrize("query", ["limit=1&limit=2", "query=a&query=b", "limit=5&%6Cimit=5"])
def test_a_single_value_given_twice_is_ambiguous(member: Member, query: str) -> None:
    problem = refused(member("alice").api.get(f"/api/tickets?{query}"), 422, "invalid")
    assert [flaw["detail"] for flaw in problem["errors"]] == ["Give it once."]


def test_a_query_that_is_not_text_is_refused(member: Member) -> None:
    problem = refused(member("alice").api.get("/api/tickets?query=%ff"), 422, "invalid")
    assert problem["errors"] == [{"pointer": "query", "detail": "It is not UTF-8."}]


def test_a_thousand_wrong_names_are_not_answered_one_by_one(member: Member) -> None:
    query = "&".join(f"a{number}=" for number in range(1000))
    assert len(refused(member("alice").api.get(f"/api/tickets?{query}"), 422, "invalid")["errors"]) == 20


def test_an_endless_address_is_too_long(member: Member) -> None:
    api = member("alice").api
    refused(api.get("/api/tickets?query=" + "x" * LONGEST), 414, "uri_too_long")
    refused(api.get("/api/tickets/" + "x" * LONGEST), 414, "uri_too_long")


def test_who_has_the_version_already_gets_no_body(member: Member) -> None:
    api = member("alice").api
    tag = api.get("/api/tickets/ACME-1").headers["ETag"]
    for known in (tag, f"W/{tag}", f'"999", {tag}', "*"):
        answer = api.get("/api/tickets/ACME-1", headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag), known
        assert "Content-Type" not in answer.headers
    answer = Raw(headers=[("If-None-Match", '"999"')]).sent(
        member("alice"), "GET", "/api/tickets/ACME-1", ("If-None-Match", tag)
    )
    assert (answer.status_code, answer.content) == (304, b"")
    for unknown in ('"999"', tag.strip('"'), "", "é"):
        answer = api.get("/api/tickets/ACME-1", headers={b"If-None-Match": unknown.encode()})
        assert answer.status_code == 200, unknown
    refused(api.get("/api/tickets/ACME-999", headers={"If-None-Match": "*"}), 404, "not_found")


@pytest.mark.parametrize("path", ["/api/tickets?limit=5&status=open&status=pending", "/api/members?limit=2&query=a"])
def test_the_link_leads_to_the_next_page_of_the_same_list(member: Member, path: str) -> None:
    api = member("alice").api
    page, pages = api.get(path), 1
    while (cursor := page.json()["nextCursor"]) is not None:
        assert page.links["next"] == {"url": f"{path}&cursor={cursor}", "rel": "next"}
        page, pages = api.get(page.links["next"]["url"]), pages + 1
    assert "Link" not in page.headers
    assert pages > 1


def test_a_trace_goes_on_through_every_service(shared_stack: Stack, member: Member) -> None:
    began = time.monotonic()
    traceparent = f"00-{TRACE}-{PARENT}-01"
    member("olivia").api.get("/api/tickets/ACME-1", headers={"traceparent": traceparent}).raise_for_status()
    heard = [entry for entry in shared_stack.journal(since=began) if entry["trace"] == TRACE]
    assert {entry["service"] for entry in heard} >= {"api", "ticketing"}


@pytest.mark.parametrize(
    "wrong",
    [
        *("", "00", f"ff-{TRACE}-{PARENT}-01", f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE.upper()}-{PARENT}-01"),
        f"00-{TRACE}-{PARENT}-01-more",
    ],
)
def test_a_trace_that_breaks_the_rules_is_begun_anew(shared_stack: Stack, member: Member, wrong: str) -> None:
    """W3C Trace Context §3.2.2.3: a broken header counts as none."""
    began = time.monotonic()
    member("olivia").api.get("/api/tickets/ACME-2", headers={"traceparent": wrong}).raise_for_status()
    (call,) = [
        entry
        for entry in shared_stack.journal(since=began)
        if entry["service"] == "ticketing" and entry["rpc"] == "tools/call get_ticket"
    ]
    assert len(call["trace"]) == 32
    assert call["trace"] not in wrong.lower()


def test_what_nobody_foresaw_is_a_problem_with_all_headers_and_says_nothing_of_the_inside() -> None:
    app = FastAPI()
    failures.install(app)
    app.add_middleware(SafeHeaders)

    @app.get("/broken")
    async def broken() -> None:
        raise LookupError("the inside")

    with TestClient(app) as client:
        answer = client.get("/broken")
    problem = refused(answer, 500, "internal")
    assert "the inside" not in str(problem)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
