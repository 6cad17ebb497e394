"""How a ticket goes from one status to the next: pure rules."""

from __future__ import annotations

from itertools import product

import pytest

from services.shared.problems import Conflict, Invalid
from services.ticketing import workflow
from services.ticketing.workflow import STATUSES, Status

EVERY_STEP = pytest.mark.parametrize(("status", "to"), list(product(STATUSES, STATUSES)))


def attempt(status: Status, to: Status, given: str | None) -> bool:
    try:
        workflow.resolution_after(status, to, given=given, present=None)
    except (Conflict, Invalid):
        return False
    return True


def test_every_status_stands_in_one_column_of_the_board() -> None:
    columns = {status: workflow.category(status) for status in STATUSES}
    assert columns == {
        "open": "todo",
        "in_progress": "in_progress",
        "pending": "in_progress",
        "resolved": "done",
        "closed": "done",
        "cancelled": "done",
    }


@EVERY_STEP
def test_what_is_listed_is_what_succeeds_with_exactly_what_it_requires(status: Status, to: Status) -> None:
    listed = {way.to: way.requires for way in workflow.transitions(status)}
    assert attempt(status, to, None) is (to in listed and not listed[to])
    assert attempt(status, to, "Fixed") is (to in listed and listed[to] == ("resolution",))


@pytest.mark.parametrize("status", ["closed", "cancelled"])
def test_nothing_leads_out_of_the_end(status: Status) -> None:
    assert workflow.transitions(status) == ()


def test_every_status_can_be_reached_from_the_first_one() -> None:
    reached: set[Status] = {workflow.FIRST_STATUS}
    for _ in STATUSES:
        reached |= {way.to for status in reached for way in workflow.transitions(status)}
    assert reached == set(STATUSES)


def test_a_refused_transition_names_those_there_are() -> None:
    with pytest.raises(Conflict, match="It can become open, closed") as refused:
        workflow.resolution_after("resolved", "pending", given=None, present="Fixed")
    assert "resolved cannot become pending" in refused.value.detail
    with pytest.raises(Conflict, match="Nothing leads out of closed"):
        workflow.resolution_after("closed", "open", given=None, present="Fixed")


def test_reopening_clears_the_resolution_and_closing_keeps_it() -> None:
    assert workflow.resolution_after("resolved", "open", given=None, present="Fixed") is None
    assert workflow.resolution_after("resolved", "closed", given=None, present="Fixed") == "Fixed"


def test_what_is_missing_or_too_much_is_named() -> None:
    for to, given in (("resolved", None), ("pending", "Fixed")):
        with pytest.raises(Invalid) as refused:
            workflow.resolution_after("open", to, given=given, present=None)  # type: ignore[arg-type]
        assert [flaw.pointer for flaw in refused.value.errors or ()] == ["arguments.resolution"]
