"""The prompts: what people often want of a ticket, as a message with the ticket in it."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field

from services.shared.mcp.prompt import fenced, prompt
from services.ticketing.arguments import Desk, Key

Tone = Literal["friendly", "formal", "brief", "apologetic"]
TONES: tuple[Tone, ...] = get_args(Tone)

InTone = Annotated[Tone, Field(description="How the reply shall sound.")]


@prompt(scope="tickets:read", title="Triage a ticket")
def triage_ticket(desk: Desk, key: Key) -> str:
    """Ask for type, priority and next step of a ticket."""
    return f"""\
Triage ticket {desk.get(key).key}: which type and priority fit it, what is missing to work on it, and what is the next
step? Give a reason for each, and change nothing before I have agreed.

{_told(desk, key)}"""


@prompt(scope="tickets:read", title="Summarize a ticket")
def summarize_ticket(desk: Desk, key: Key) -> str:
    """Ask for what a ticket is about, what was done, and what is open."""
    return f"""\
Summarize ticket {desk.get(key).key} in at most five sentences: what it is about, what was done so far, what is open,
and whom it waits for. Say only what the ticket says.

{_told(desk, key)}"""


@prompt(scope="tickets:read", title="Draft a reply to a ticket")
def draft_reply(desk: Desk, key: Key, tone: InTone = "friendly") -> str:
    """Ask for a public comment that answers the reporter of a ticket."""
    return f"""\
Draft a {tone} public comment on ticket {desk.get(key).key} that answers its reporter: what was understood, what
happens next, and what is needed from them, if anything. Repeat nothing from internal comments. Show me the draft,
and do not post it.

{_told(desk, key)}"""


def _told(desk: Desk, key: str) -> str:
    return fenced(desk.get(key, frozenset({"comments"})))


PROMPTS = (triage_ticket, summarize_ticket, draft_reply)
