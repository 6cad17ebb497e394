"""What is wrong with an answer, whatever was asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator

from harness.toolfuzz.wire import Answer

TRACES = re.compile(
    r"Traceback \(most recent call last\)|site-packages|File \\?\"/|sqlalchemy|sqlite3?\.\w*Error|psycopg"
)
PROBLEM = {"type", "title", "status", "detail", "code"}
REFUSALS = {400, 403, 404, 413, 422}
"""Statuses of a request that is not one, or that this caller may not make; all else is told with 200."""
ERRORS = {-32700, -32600, -32601, -32602, -32003, -32020, -32021}
"""Codes that tell the sender what they have done. -32603 is a server that broke."""


def rejected(answer: Answer) -> bool:
    """Whether the request had no effect, as far as its sender is told."""
    return not answer.result or answer.result.get("isError") is True or answer.asks


def flaws(answer: Answer) -> Iterator[str]:
    """All that no answer may be."""
    if answer.status is None:
        yield f"there was no answer: {answer.text}"
    elif answer.status >= 500:  # noqa: PLR2004 - RFC 9110 §15.6
        yield f"status {answer.status}"
    elif answer.status not in (200, *REFUSALS):
        yield f"unexpected status {answer.status}"
    elif answer.body is None:
        yield "the answer is no JSON object"
    if rejected(answer) and TRACES.search(answer.text):
        yield "the answer tells of the server's inside"
    if answer.error is not None and answer.error.get("code") not in ERRORS:
        yield f"the error has the code {answer.error.get('code')}: {answer.error.get('message')}"


def of_tool(answer: Answer, tool: Mapping[str, Any]) -> Iterator[str]:
    """All that the answer of a tool may not be."""
    yield from flaws(answer)
    if "isError" not in answer.result:
        return
    told = answer.result.get("structuredContent")
    errors = Draft202012Validator(tool["outputSchema"]).iter_errors(told)
    yield from (f"the answer breaks the output schema: {error.message[:200]}" for error in errors)
    problem = told if isinstance(told, dict) and told.keys() >= PROBLEM else None
    if answer.result["isError"] is not (problem is not None):
        yield "a problem object and isError do not go together"
    elif problem and problem["status"] >= 500 and problem["code"] not in ("unavailable", "bad_gateway"):  # noqa: PLR2004
        yield f"the tool broke: {problem['detail']}"


def fits(arguments: object, tool: Mapping[str, Any]) -> bool:
    """Whether the tool's input schema allows these arguments."""
    return bool(Draft202012Validator(tool["inputSchema"]).is_valid(arguments))
