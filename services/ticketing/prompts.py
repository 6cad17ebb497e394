"""The prompts: what people often want of a ticket, as a message with the ticket in it."""

from __future__ import annotations

from services.shared.mcp.prompt import fenced, prompt
from services.ticketing.tools import Desk, Key
from services.ticketing.views import TicketView


@prompt(scope="tickets:read", title="Triage a ticket")
def triage_ticket(desk: Desk, key: Key) -> str:
    """Ask for type, priority and next step of a ticket."""
    ticket = TicketView.of(desk.get(key))
    return f"""\
Triage ticket {ticket.key}: which type and priority fit it, what is missing to work on it, and what is the next step?
Give a reason for each, and change nothing before I have agreed.

{fenced(ticket)}"""


PROMPTS = (triage_ticket,)
