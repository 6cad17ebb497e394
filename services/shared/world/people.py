"""The people of an organization: those who are written down, and as many more as it is to have."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from services.shared.world.model import Person, Team, seeded_id

_GIVEN = (
    *("Amara", "Anton", "Beatriz", "Chidi", "Dalia", "Emre", "Farah", "Goran", "Hana", "Ilse", "Jonas", "Kavita"),
    *("Léa", "Mateo", "Noor", "Oskar", "Priya", "Quentin", "Rosa", "Søren", "Tariq", "Uma", "Vera", "Yusuf"),
)
_FAMILY = (
    *("Abara", "Bergström", "Castillo", "Dvořák", "Eriksen", "Fontaine", "García", "Haddad", "Ito", "Jansen"),
    *("Kowalski", "Laurent", "Moreau", "Nakamura", "Oyelaran", "Petrov", "Quispe", "Rossi", "Şahin", "Tran"),
)
MOST_MADE_UP = len(_GIVEN) * len(_FAMILY)
_ROLES = ("requester",) * 9 + ("agent",) * 5 + ("viewer",) * 5 + ("admin",)


def people(entry: Mapping[str, Any], homes: Mapping[str, Mapping[str, Any]], seed: int) -> tuple[Person, ...]:
    """All of them, the written ones first. ``homes`` has the organizations by slug: people of another may be named."""
    written = [_written(person, entry["slug"], homes, seed) for person in entry["people"]]
    wanted = entry.get("people_in_all", 0) - len(written)
    return (*written, *_generated(entry["slug"], wanted, seed))


def teams(entry: Mapping[str, Any], ids: Mapping[str, str], seed: int) -> tuple[Team, ...]:
    """The teams, which have no members but those that are named."""
    return tuple(
        Team(
            id=seeded_id("team", seed, entry["slug"], team["name"]),
            name=team["name"],
            member_ids=tuple(ids[username] for username in team["members"]),
        )
        for team in entry.get("teams", ())
    )


def _written(person: Mapping[str, Any], slug: str, homes: Mapping[str, Mapping[str, Any]], seed: int) -> Person:
    username, home = person["username"], person.get("home", slug)
    there = next(each for each in homes[home]["people"] if each["username"] == username)
    return Person(
        id=seeded_id("usr", seed, home, username),
        username=username,
        name=there["name"],
        email=f"{username}@{home}.example",
        role=person["role"],
        status=person.get("status", "active"),
        invited_at=person.get("invited"),
        invitation_expires_at=person.get("invitation_expires"),
    )


def _generated(slug: str, wanted: int, seed: int) -> Iterator[Person]:
    rng = random.Random(f"{seed}/{slug}/people")  # noqa: S311  # must repeat itself
    for given, family in rng.sample(list(product(_GIVEN, _FAMILY)), max(wanted, 0)):
        local = f"{_plain(given)}.{_plain(family)}"
        username = f"{local}.{slug}"  # of this organization alone, whoever is in the others
        yield Person(
            id=seeded_id("usr", seed, slug, username),
            username=username,
            name=f"{given} {family}",
            email=f"{local}@{slug}.example",
            role=rng.choice(_ROLES),
        )


def _plain(name: str) -> str:
    """In ASCII, as addresses have it: ``Dvořák`` is ``dvorak``."""
    decomposed = unicodedata.normalize("NFKD", name.replace("ø", "o"))
    return decomposed.encode("ascii", "ignore").decode().lower()
