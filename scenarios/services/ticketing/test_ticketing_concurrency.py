"""Several processes on one database, each with connections of its own: nothing is lost, doubled or skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from threading import Barrier
from typing import TypeVar

import pytest

from services.shared.database import Database, connected
from services.shared.problems import Conflict
from services.ticketing.desk import Draft, TicketDesk
from services.ticketing.tables import Base
from services.ticketing.wanted import Wanted

WRITERS = 4
ROUNDS = 5
DRAFT = Draft("Kettle leaks", "On the second floor", "incident", "high", ())

Answer = TypeVar("Answer")


@pytest.fixture
def desks(database: Database, desk_of: Callable[..., TicketDesk]) -> Iterator[list[TicketDesk]]:
    """Alice's desk in several processes' eyes."""
    with ExitStack() as opened:
        url = database.engine.url.render_as_string()
        databases = [opened.enter_context(connected(url, Base.metadata)) for _ in range(WRITERS)]
        yield [replace(desk_of("alice"), database=each) for each in databases]


def at_once(desks: list[TicketDesk], act: Callable[[TicketDesk], Answer]) -> list[Answer]:
    """What every desk answers, all asked in the same moment."""
    together = Barrier(len(desks))

    def asked(desk: TicketDesk) -> Answer:
        together.wait()
        return act(desk)

    with ThreadPoolExecutor(len(desks)) as threads:
        return list(threads.map(asked, desks))


def test_of_writers_that_expect_the_same_version_exactly_one_wins(desks: list[TicketDesk]) -> None:
    key = desks[0].create(DRAFT).key

    def titled(desk: TicketDesk, version: int) -> str:
        title = f"Version {version} by {desks.index(desk)}"
        try:
            return desk.update(key, {"title": title}, expected_version=version).title
        except Conflict:
            return ""

    for version in range(1, ROUNDS + 1):
        (winner,) = filter(None, at_once(desks, partial(titled, version=version)))
        ticket = desks[0].get(key)
        assert (ticket.title, ticket.version) == (winner, version + 1)


def test_numbers_have_no_gap_and_no_double(desks: list[TicketDesk]) -> None:
    before = desks[0].search(Wanted(), limit=1, cursor=None).total
    made = [ticket.key for _ in range(ROUNDS) for ticket in at_once(desks, lambda desk: desk.create(DRAFT))]
    expected = range(before + 1, before + 1 + ROUNDS * WRITERS)
    assert sorted(made) == sorted(f"ACME-{number}" for number in expected)


def test_a_call_sent_again_while_the_first_is_under_way_has_one_effect(desks: list[TicketDesk]) -> None:
    before = desks[0].search(Wanted(), limit=1, cursor=None).total
    made = at_once(desks, lambda desk: desk.create(DRAFT, idempotency_key="the same"))
    assert made == [made[0]] * WRITERS
    assert desks[0].search(Wanted(), limit=1, cursor=None).total == before + 1


def test_comments_of_the_same_moment_are_all_there_in_one_order(desks: list[TicketDesk]) -> None:
    said = [
        each.body
        for number in range(ROUNDS)
        for each in at_once(
            desks,
            lambda desk: desk.comment("ACME-2", f"{number} by {desks.index(desk)}", "public"),  # noqa: B023
        )
    ]
    listed = desks[0].comments("ACME-2", limit=100, cursor=None)
    assert sorted(comment.body for comment in listed.items) == sorted(said)
    sequence = [entry.seq for entry in desks[0].history("ACME-2", limit=100, cursor=None).items]
    assert sorted(sequence) == list(range(1, len(sequence) + 1))
