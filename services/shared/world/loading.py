"""A world by its name and seed."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from services.shared.world import files, people
from services.shared.world.model import Organization, World, seeded_id
from services.shared.world.tickets import Backlog


@lru_cache(maxsize=4)
def load(name: str, seed: int) -> World:
    """Read the world ``name``, or the file at that path, and derive what it leaves open from ``seed``.

    It is kept: a world never changes.

    Raises:
        ValueError: there is no world of that name, or its file is not in order.
    """
    document = files.read(name)
    homes = {entry["slug"]: entry for entry in document["organizations"]}
    return World(name, seed, tuple(_organization(entry, homes, document, seed) for entry in document["organizations"]))


def _organization(
    entry: dict[str, Any], homes: dict[str, dict[str, Any]], document: dict[str, Any], seed: int
) -> Organization:
    slug = entry["slug"]
    members = people.people(entry, homes, seed)
    teams = people.teams(entry, {person.username: person.id for person in members}, seed)
    backlog = Backlog.of(entry, document, people=members, teams=teams, seed=seed)
    return Organization(
        id=seeded_id("org", seed, slug),
        slug=slug,
        name=entry["name"],
        prefix=entry["prefix"],
        people=members,
        status=entry.get("status", "active"),
        teams=teams,
        ticket_count=backlog.in_all,
        each_ticket=backlog.each,
    )
