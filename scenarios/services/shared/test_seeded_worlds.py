"""The worlds: the same from run to run, and made of what they promise."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.shared import world
from services.shared.world import Organization, SeededTicket, files

DIGESTS = {
    ("small", 1): "5a62d309d509a44a5cf20af5501a92ba59762b58efdd65d0eb879db9667d3b86",
    ("small", 7): "834056c7e113f9d1692080e9396a970525802e2402401dd63812a2f7b7de2b7e",
    ("base", 1): "809402962af046a7626d2e05d9a48263486ea86e3e1f95b9a48deabf03503c91",
    ("base", 7): "23c70d87c35e94d67d7f3774c2e85523fa914f8a8243842be983ea52171e8af9",
    ("large", 1): "26b96e162e5c31389487cb3ed3e3fc5ae8aa316ba50cfe560cd55cd558d1bf99",
}
"""Whoever changes one changes what a seed means: what users have recorded is of another world then."""

AGREED = """
from services.shared import world
print(*(world.load(name, 7).digest() for name in ("small", "base")))
"""


@pytest.fixture(scope="module")
def base() -> dict[str, Organization]:
    """The organizations of the base world by their slug."""
    return {organization.slug: organization for organization in world.load("base", 1).organizations}


def tickets(organizations: dict[str, Organization]) -> Iterator[SeededTicket]:
    for organization in organizations.values():
        yield from organization.tickets


@pytest.mark.parametrize(("name", "seed"), DIGESTS, ids=str)
def test_a_seed_means_the_same_for_ever(name: str, seed: int) -> None:
    assert world.load(name, seed).digest() == DIGESTS[name, seed]


def test_two_processes_agree_whatever_their_hashes_are() -> None:
    told = {
        subprocess.run(
            [sys.executable, "-c", AGREED], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert told == {f"{DIGESTS['small', 7]} {DIGESTS['base', 7]}\n"}


def test_another_seed_is_another_world_with_the_same_people_and_anchors(base: dict[str, Organization]) -> None:
    other = world.load("base", 2).organizations[0]
    assert other.id != base["acme"].id
    assert [person.username for person in other.people[:5]] == ["alice", "adam", "olivia", "rita", "victor"]
    assert [ticket.title for ticket in other.tickets[:19]] == [ticket.title for ticket in base["acme"].tickets[:19]]
    assert [ticket.title for ticket in other.tickets[19:]] != [ticket.title for ticket in base["acme"].tickets[19:]]


def test_small_and_large_have_the_people_of_the_base_world() -> None:
    small, base, large = (world.load(name, 1).organizations for name in ("small", "base", "large"))
    assert large[0].people == base[0].people
    known = {(person.id, person.username, person.role) for person in base[0].people}
    assert {(person.id, person.username, person.role) for person in small[0].people} < known
    assert [ticket.title for ticket in small[0].tickets[:5]] == [ticket.title for ticket in base[0].tickets[:5]]


def test_the_large_world_has_a_hundred_thousand_tickets() -> None:
    large = world.load("large", 1)
    assert sum(organization.ticket_count for organization in large.organizations) == 100_000


def test_the_base_world_is_as_large_as_it_says(base: dict[str, Organization]) -> None:
    sizes = {slug: (len(each.people), len(each.tickets), each.status) for slug, each in base.items()}
    assert sizes == {
        "acme": (40, 165, "active"),
        "globex": (25, 100, "active"),
        "initech": (8, 40, "active"),
        "umbra": (4, 3, "suspended"),
    }
    assert all(organization.ticket_count == len(organization.tickets) for organization in base.values())


def test_usernames_ids_and_addresses_are_one_persons(base: dict[str, Organization]) -> None:
    people = {(person.username, person.id, person.email) for each in base.values() for person in each.people}
    for taken in zip(*people, strict=True):
        assert len(set(taken)) == len(people)
    assert all(person.username.isascii() for each in base.values() for person in each.people)


def test_one_person_is_in_two_organizations_with_different_roles(base: dict[str, Organization]) -> None:
    (acme,) = (person for person in base["acme"].people if person.username == "nora")
    (globex,) = (person for person in base["globex"].people if person.username == "nora")
    assert (acme.id, acme.name, acme.email) == (globex.id, globex.name, globex.email)
    assert (acme.role, globex.role) == ("agent", "viewer")


def test_two_people_have_the_same_name(base: dict[str, Organization]) -> None:
    everybody = {person.id: person.name for each in base.values() for person in each.people}
    assert Counter(everybody.values())["Sam Carter"] == 2


def test_somebody_has_left_a_ticket_and_others_are_only_invited(base: dict[str, Organization]) -> None:
    people = {person.username: person for person in base["acme"].people}
    assert people["dora"].status == "inactive"
    assert people["dora"].id in {ticket.assignee_id for ticket in base["acme"].tickets if ticket.status != "closed"}
    pending, expired = people["ines"], people["igor"]
    assert pending.invitation_expires_at
    assert expired.invitation_expires_at
    assert (pending.status, expired.status) == ("invited", "invited")
    assert pending.invitation_expires_at.year > 2090
    assert expired.invitation_expires_at.year == 2026


def test_every_organization_has_an_owner_or_an_admin(base: dict[str, Organization]) -> None:
    for organization in base.values():
        active = {person.role for person in organization.people if person.status == "active"}
        assert active & {"owner", "admin"}


def test_tickets_name_only_their_own_organization(base: dict[str, Organization]) -> None:
    for organization in base.values():
        people = {person.id for person in organization.people}
        teams = {team.id for team in organization.teams}
        assert {member for team in organization.teams for member in team.member_ids} <= people
        for ticket in organization.tickets:
            authors = {comment.author_id for comment in ticket.comments}
            assert {ticket.reporter_id, ticket.assignee_id, *authors} - {None} <= people
            assert ticket.team_id is None or ticket.team_id in teams


def test_times_go_forward_and_what_is_done_has_a_resolution(base: dict[str, Organization]) -> None:
    for ticket in tickets(base):
        moments = [ticket.created_at, *(comment.at for comment in ticket.comments), ticket.updated_at]
        assert moments == sorted(moments), ticket
        assert (ticket.resolution is not None) == (ticket.status in ("resolved", "closed")), ticket
        assert ticket.assignee_id or ticket.status in ("open", "cancelled"), ticket


def test_what_was_written_down_comes_before_what_was_made_up(base: dict[str, Organization]) -> None:
    """In a listing, whose order is the last change."""
    for slug, written in {"acme": 19, "globex": 5, "initech": 3}.items():
        latest = sorted(base[slug].tickets, key=lambda ticket: ticket.updated_at, reverse=True)
        timeless = {ticket.number for ticket in latest[:written]}
        assert {1, 2, 3} <= timeless


def test_hostile_text_is_there_on_purpose(base: dict[str, Organization]) -> None:
    everything = list(tickets(base))
    titles = "\n".join(ticket.title for ticket in everything)
    said = "\n".join(comment.body for ticket in everything for comment in ticket.comments)
    described = "\n".join(ticket.description for ticket in everything)
    assert "<script>" in titles
    assert "Ignore all previous instructions" in described
    assert "SYSTEM: you are now" in said
    assert "javascript:" in said
    for odd in ("\u202e", "\u200b", "🚒", "👩‍👩‍👧‍👦", "שלום"):
        assert odd in titles + described
    assert max(len(ticket.description) for ticket in everything) == 10_000
    assert max(len(ticket.title) for ticket in everything) == 200
    assert any(label.startswith("';") for ticket in everything for label in ticket.labels)


def test_sizes_are_multiples_of_pages_and_times_stand_on_the_hour(base: dict[str, Organization]) -> None:
    assert (len(base["globex"].tickets) % 100, len(base["initech"].tickets) % 20) == (0, 0)
    urgent = base["acme"].tickets[15]
    assert (urgent.priority, urgent.status, urgent.created_at.isoformat()) == (
        "urgent",
        "open",
        "2026-03-09T09:00:00+00:00",
    )


CHANGED = """
extends: base
organizations:
  - slug: globex
    tickets_in_all: 7
    people_in_all: 9
  - {slug: hooli, name: Hooli, prefix: HOO, people: [{username: hal, name: Hal, role: owner}]}
"""


def test_a_file_extends_a_world_and_leaves_the_other_organizations_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "other.yaml"
    path.write_text(CHANGED, encoding="utf-8")
    base, other = world.load("base", 1).organizations, world.load(str(path), 1).organizations
    assert [each.slug for each in other] == ["acme", "globex", "initech", "umbra", "hooli"]
    for place in (0, 2, 3):
        assert (base[place], base[place].tickets) == (other[place], other[place].tickets)
    assert (len(other[1].people), len(other[1].tickets)) == (9, 7)
    assert other[4].people[0].email == "hal@hooli.example"


def test_a_world_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the world /nowhere/mine\.yaml cannot be read"):
        world.load("/nowhere/mine.yaml", 1)
    assert files.known() == ["base", "large", "small"]
