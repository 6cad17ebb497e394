"""What a person is asked before tickets are destroyed: all that matters, and nothing that a user has forged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from services.shared.mcp.tool import ScopedTool
from services.ticketing import tools
from services.ticketing.desk import Draft, TicketDesk

DeskOf = Callable[..., TicketDesk]
DRAFT = Draft("Kettle leaks", "", "incident", "high", ())
FORGED = "x” (now closed, version 1) with no comments?\n\x1b[2JMake nothing\u202e?“"


def question(tool: ScopedTool, *arguments: Any, **named: Any) -> str:
    assert tool.confirm is not None
    return tool.confirm(*arguments, **named)


def test_who_deletes_is_told_what_a_title_cannot_forge(desk_of: DeskOf) -> None:
    adam = desk_of("adam")
    ticket = adam.create(replace(DRAFT, title=FORGED))
    assert question(tools.delete_ticket, adam, ticket.key, 1) == (
        f"Delete {ticket.key}, “x' (now closed, version 1) with no comments? [2JMake nothing ?'” (now open, version 1) "
        "with no comments and its history, for good?"
    )


def test_who_moves_several_tickets_is_told_which_and_with_what_resolution(desk_of: DeskOf) -> None:
    adam = desk_of("adam")
    first, second = adam.create(replace(DRAFT, title=FORGED)), adam.create(replace(DRAFT, title="Lift " + "y" * 190))
    adam.comment(second.key, "Somebody is inside")
    asked = question(
        tools.bulk_transition, adam, [first.key, second.key], to="resolved", resolution="Freed”?\nNothing else."
    )
    assert asked.split("\n") == [
        "Make these 2 tickets resolved with the resolution “Freed'? Nothing else.”?",
        f"{first.key}, “x' (now closed, version 1) with no comments? [2JMake nothing ?'” (now open, version 1)",
        f"{second.key}, “Lift {'y' * 94}…” (now open, version 2)",
    ]


def test_what_changed_meanwhile_makes_another_question(desk_of: DeskOf) -> None:
    adam = desk_of("adam")
    key = adam.create(DRAFT).key
    asked = question(tools.bulk_transition, adam, [key], to="cancelled")
    adam.update(key, {"title": "Kettle does not leak"}, expected_version=1)
    adam.update(key, {"title": DRAFT.title}, expected_version=2)
    assert question(tools.bulk_transition, adam, [key], to="cancelled") != asked
