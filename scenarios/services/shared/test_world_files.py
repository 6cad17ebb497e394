"""What is no world is refused with its file, the place, and what is allowed there."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.shared import world
from services.shared.world import files, written

PERSON = "{username: hal, name: Hal, role: owner}"
TICKET = "title: T, type: task, status: open, priority: low, reporter: hal"


def hooli(*, people: str = f"[{PERSON}]", rest: str = "") -> str:
    return f"extends: small\norganizations: [{{slug: hooli, name: Hooli, prefix: HOO, people: {people}{rest}}}]"


def hal(rest: str) -> str:
    return hooli(people=f"[{{username: hal, name: Hal, {rest}}}]")


def ticket(told: str) -> str:
    return hooli(rest=f", tickets: [{{{told}}}]")


def refused(path: Path) -> str:
    with pytest.raises(ValueError) as error:  # noqa: PT011  # its whole text is what the scenarios are about
        files.read(str(path))
    told = str(error.value)
    assert path.name in told
    return told


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[]", "must be a mapping, not []"),
        ("null", "must be a mapping, not None"),
        ("{", "cannot be read"),
        ("epoch: 2026-13-45", "cannot be read: month must be in 1..12"),
        ("organizations: []", "epoch is missing"),
        ("extends: small\ntickets: 7", "has unknown tickets; there may be epoch, organizations, "),
        ("extends: [small]", "extends: Input should be a valid string"),
        ("extends: small\norganizations: [5]", "organizations: entry 1: must be a mapping, not 5"),
        ("extends: small\norganizations: null", "organizations: Input should be a valid list, not None"),
        ("epoch: 2026-01-05T09:00:00Z\norganizations: [5]", "organizations: entry 1: must be a mapping, not 5"),
        ("epoch: 2026-01-05T09:00:00Z\norganizations: null", "organizations: Input should be a valid list"),
        ("epoch: 2026-01-05T09:00:00Z\norganizations: []", "organizations: List should have at least 1 item"),
        ("extends: small\norganizations: [{slug: new}]", "organizations: 'new': name is missing"),
        ("extends: small\norganizations: [{slug: new}, {slug: new}]", "the same slug twice: new"),
        ("extends: small\nepoch: soon", "epoch: Input should be a valid datetime, not 'soon'"),
        ("extends: small\nepoch: 2026-01-05 09:00:00", "epoch: must be a time in UTC"),
        ("extends: small\nepoch: 9999-12-31T23:59:59Z", "epoch: must be a time in UTC"),
        ("extends: small\nminutes_between_tickets: 0", "minutes_between_tickets: Input should be greater"),
        (hooli(people="null"), "'hooli': people: Input should be a valid list"),
        (hooli(people="[5]"), "'hooli': people: entry 1: must be a mapping, not 5"),
        (hooli(people=f"[{PERSON}, {PERSON}]"), "'hooli': the same username twice: hal"),
        (hooli(people="[{username: rita, name: Rita, role: agent}]"), "the same username twice: rita; who is in two"),
        (hooli(people="[{username: rita, role: agent}]"), "lacks a name"),
        (hooli(people="[{username: rita, role: agent, home: globex}]"), "rita is said to be at home in 'globex'"),
        (hal("role: king"), "role: Input should be 'owner', 'admin', 'agent', 'requester' or 'viewer', not 'king'"),
        (hal("role: agent, status: asleep"), "'hal': status: Input should be 'active', 'invited' or 'inactive'"),
        (hal("role: agent, invited: yes"), "'hal': invited: Input should be a valid datetime"),
        (hooli(rest=", status: bankrupt"), "'hooli': status: Input should be 'active' or 'suspended'"),
        (hooli().replace("HOO", "ACME"), "the same prefix twice: ACME"),
        (hooli().replace("HOO", "hoo"), "'hooli': prefix: String should match pattern"),
        (hooli(rest=", people_in_all: -1"), "'hooli': people_in_all: Input should be greater"),
        (hooli(rest=", people_in_all: 481"), "'hooli': people_in_all: Input should be less"),
        (hooli(rest=", tickets_in_all: 2.5"), "'hooli': tickets_in_all: Input should be a valid integer"),
        (hooli(rest=", tickets_in_all: true"), "'hooli': tickets_in_all: Input should be a valid integer"),
        (hooli(rest=", tickets_in_all: null"), "'hooli': tickets_in_all: Input should be a valid integer"),
        (hooli(people="[]", rest=", tickets_in_all: 1"), "no active agent, admin or owner"),
        (hooli(rest=", teams: [{name: A, members: []}, {name: a, members: []}]"), "the same team twice: a"),
        (hooli(rest=", teams: [{name: A, members: [hal, hal]}]"), "teams: 'A': the same member twice: hal"),
        (hooli(rest=", teams: [{name: A, members: [bob]}]"), "team 'A' names bob, who is not written"),
        (ticket(TICKET.replace("T,", "5,")), "tickets: 5: title: Input should be a valid string"),
        (ticket(TICKET.replace("T,", '"a\\0b",')), "title: must not hold NUL"),
        (ticket(TICKET.replace("open", "lost")), "tickets: 'T': status: Input should be 'open', "),
        (ticket(TICKET.replace("low", "9")), "tickets: 'T': priority: Input should be 'low', "),
        (ticket(TICKET.replace("task", "wish")), "tickets: 'T': type: Input should be 'incident', "),
        (ticket(TICKET.replace("hal", "bob")), "ticket 'T' names bob, who is not written among the people"),
        (ticket(f"{TICKET}, team: Nobody"), "ticket 'T' names Nobody, which is no team here"),
        (ticket(f"{TICKET}, labels: [a, A]"), "the same label twice: a"),
        (ticket(f"{TICKET}, comments: [{{author: hal, body: B, minutes_later: -1}}]"), "entry 1: minutes_later: Input"),
    ],
)  # fmt: skip
def test_what_is_no_world_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    assert complaint in refused(path)


def test_what_these_files_have_in_common_is_a_world(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(ticket(TICKET), encoding="utf-8")
    (made,) = (each for each in world.load(str(path), 1).organizations if each.slug == "hooli")
    assert (made.people[0].name, made.tickets[0].title) == ("Hal", "T")


@pytest.mark.parametrize("name", files.known())
def test_the_worlds_that_come_with_the_services_are_such_files(name: str) -> None:
    written.check(files.read(name), name)


def test_no_more_flaws_are_told_than_one_reads(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"epoch: 2026-01-05T09:00:00Z\norganizations: {[5] * 40}", encoding="utf-8")
    *told, rest = refused(path).splitlines()
    assert (len(told), rest) == (5, "and 35 more")


def test_a_world_that_extends_itself_is_refused(tmp_path: Path) -> None:
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    one.write_text("extends: one.yaml", encoding="utf-8")
    assert f"a world cannot extend itself: {one}, which extends {one}" in refused(one)
    one.write_text("extends: ./two.yaml", encoding="utf-8")
    two.write_text("extends: one.yaml", encoding="utf-8")
    assert f"{one}, which extends {two}, which extends {one}" in refused(one)


def test_what_is_wrong_with_a_world_below_is_said_of_that(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text("extends: two.yaml", encoding="utf-8")
    (tmp_path / "two.yaml").write_text("extends: atlantis", encoding="utf-8")
    with pytest.raises(ValueError, match="there is no world named 'atlantis'; known: base, large, small"):
        files.read(str(tmp_path / "one.yaml"))
