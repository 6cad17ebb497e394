"""The approval of a person for one call: asked in both protocol eras, bound to that call, and used up by it.

In 2026-07-28 the question is the answer to the call (an input-required result), and the client repeats the call with
what the person said. In the eras before, the server asks while the call waits (elicitation).
"""

from __future__ import annotations

import functools
import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from secrets import token_urlsafe
from typing import Any

import mcp_types
from anyio import fail_after, to_thread
from fastmcp.server.context import Context
from fastmcp.server.dependencies import get_access_token, get_context
from mcp import MCPError
from mcp.server.request_state import AESGCMRequestStateCodec, RequestStateSecurity
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from services.shared.problems import Conflict, ProblemError, Unauthenticated

VALID_FOR_S = 600.0
"""Of the time between the question and its answer; a person who took longer is asked again."""

MOST_OPEN = 5
"""Questions that wait for one person at a time, in the eras in which a call waits with them."""

_QUESTION = "confirmation"
_ANSWER = "confirm"
_FORM: dict[str, Any] = {
    "type": "object",
    "properties": {_ANSWER: {"type": "boolean", "title": "Do it", "description": "Only true is an approval."}},
    "required": [_ANSWER],
}


class Declined(ProblemError):  # noqa: N818 - named like the other problems
    """The person who was asked did not approve."""

    status, code, says = 403, "declined", "The person did not approve."


class ConfirmationRequired(ProblemError):  # noqa: N818
    """Nobody could be asked, or nobody answered."""

    status, code, says = 428, "confirmation_required", "A person must approve the call."


class Approvals:
    """The seal on what was asked and not answered yet, and what was answered already.

    The key is made anew with each start, so what was asked before a restart has to be asked again.
    """

    def __init__(self) -> None:
        self._used: dict[str, float] = {}
        self._open = Counter[str]()
        self.renew()

    def renew(self) -> None:
        """Take another key: nothing that was sealed so far is worth anything from now on."""
        self._codec = AESGCMRequestStateCodec([os.urandom(32)])
        self._used.clear()

    def seal(self, payload: bytes) -> str:
        """The state that a client brings back."""
        return self._codec.seal(payload)

    def unseal(self, token: str) -> bytes:
        """What was sealed. Raises InvalidRequestState."""
        return self._codec.unseal(token)

    def use(self, question: str) -> bool:
        """Whether this is the first answer; there is only one."""
        now = time.time()
        self._used = {each: until for each, until in self._used.items() if until > now}
        if question in self._used:
            return False
        self._used[question] = now + VALID_FOR_S
        return True

    @contextmanager
    def open(self, person: str) -> Iterator[None]:
        """While a call waits for what somebody says. Raises ConfirmationRequired: too many of theirs do already."""
        if self._open[person] >= MOST_OPEN:
            raise ConfirmationRequired(
                f"Nothing was changed. {MOST_OPEN} questions to this person are open: let them be answered or "
                "cancelled, then call again."
            )
        self._open[person] += 1
        try:
            yield
        finally:
            self._open[person] -= 1
            self._open += Counter()  # forgets whom no question is open to

    def security(self, name: str) -> RequestStateSecurity:
        """The library's part: states expire, and are good for the same call of the same caller only."""
        return RequestStateSecurity(codec=self, ttl=VALID_FOR_S, bind_principal=_principal, audience=name)


def confirmed(function: Callable[..., Any], question: Callable[..., str]) -> Callable[..., Any]:
    """``function``, which runs only after a person has said yes to ``question`` of the same desk and arguments.

    What keeps the call from succeeding is raised by ``question``, before anybody is asked.
    """

    @functools.wraps(function)
    async def call(*arguments: Any, **named: Any) -> Any:
        ask = partial(to_thread.run_sync, partial(question, *arguments, **named))
        asked, context = await ask(), get_context()
        if _request(context).protocol_version not in MODERN_PROTOCOL_VERSIONS:
            await _elicit(context, asked)
            if await ask() != asked:
                raise Conflict("Nothing was changed: by now the question would be another one. Call again.")
        elif (unanswered := _unanswered(context, asked)) is not None:
            return unanswered
        return await to_thread.run_sync(partial(function, *arguments, **named))

    return call


def _unanswered(context: Context, asked: str) -> mcp_types.InputRequiredResult | None:
    """None if the call brings an approval of what is asked; otherwise the question, or the error it has earned.

    Each question is answered once: a no cannot be turned into a yes by saying it again.
    """
    question, _, digest = (context.request_state or "").partition(" ")
    answer = (context.input_responses or {}).get(_QUESTION)
    if digest == _digest(asked) and isinstance(answer, mcp_types.ElicitResult) and _approvals(context).use(question):
        _approve(answer)
        return None
    _require_capability(context)
    form = mcp_types.ElicitRequestFormParams(message=asked, requested_schema=_FORM)
    return mcp_types.InputRequiredResult(
        input_requests={_QUESTION: mcp_types.ElicitRequest(params=form)},
        request_state=f"{token_urlsafe(16)} {_digest(asked)}",
    )


async def _elicit(context: Context, asked: str) -> None:
    if not _can_ask(context):
        raise ConfirmationRequired(
            "Nothing was changed. A person must approve this call, and this client cannot ask anybody: use one "
            "that declares the capability elicitation."
        )
    token = get_access_token()
    if token is None:
        raise RuntimeError("somebody was asked without authentication")
    with _approvals(context).open(repr((token.claims.get("iss"), token.subject))):
        try:
            with fail_after(VALID_FOR_S):
                answer = await context.session.elicit_form(asked, _FORM, related_request_id=context.request_id)
        except TimeoutError as error:
            minutes = f"{VALID_FOR_S / 60:.0f} minutes"
            raise ConfirmationRequired(
                f"Nothing was changed: nobody answered within {minutes}. Call again when somebody can."
            ) from error
    _approve(answer)
    if time.time() >= token.claims["exp"]:
        raise Unauthenticated("Nothing was changed: the approval came too late. Call again, with a valid token.")


def _approve(answer: mcp_types.ElicitResult) -> None:
    if answer.action != "accept" or (answer.content or {}).get(_ANSWER) is not True:
        raise Declined("Nothing was changed: the person who was asked did not approve. Do not call again unasked.")


def _require_capability(context: Context) -> None:
    # MCP 2026-07-28, basic/patterns/mrtr: nobody is asked who has not said that they can be.
    if not _can_ask(context):
        needed = mcp_types.ClientCapabilities(elicitation=mcp_types.ElicitationCapability(form={}))
        raise MCPError(
            mcp_types.MISSING_REQUIRED_CLIENT_CAPABILITY,
            "Nothing was changed. A person must approve this call: declare the capability elicitation, and repeat it.",
            {"requiredCapabilities": needed.model_dump(mode="json", by_alias=True, exclude_none=True)},
        )


def _can_ask(context: Context) -> bool:
    capabilities = context.session.client_capabilities
    can = None if capabilities is None else capabilities.elicitation
    # Until 2025-11-25 there were only forms, so that an empty object means them; who only opens pages has said so.
    return can is not None and (can.form is not None or can.url is None)


def _approvals(context: Context) -> Approvals:
    approvals: Approvals = context.lifespan_context["approvals"]
    return approvals


def _request(context: Context) -> Any:
    if context.request_context is None:
        raise RuntimeError("a tool ran outside a request")
    return context.request_context


def _digest(asked: str) -> str:
    return hashlib.sha256(asked.encode()).hexdigest()


def _principal(_context: object) -> str:
    """Who asked, in which organization, by which application."""
    token = get_access_token()
    if token is None:
        raise RuntimeError("a state was bound without authentication")
    return repr((token.client_id, token.claims.get("iss"), token.subject, token.claims.get("org_id")))
