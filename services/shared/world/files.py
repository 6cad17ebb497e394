"""The files that describe worlds: read, put together where one extends another, and checked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

SUFFIXES = (".yaml", ".yml")
"""What ends with one is a path; anything else is the name of a world that comes with the services."""

_REQUIRED = {
    "world": {"epoch", "organizations"},
    "organization": {"slug", "name", "prefix", "people"},
    "person": {"username", "role"},
    "team": {"name", "members"},
    "ticket": {"title", "type", "status", "priority", "reporter"},
    "comment": {"author", "body"},
}
_OPTIONAL = {
    "world": {"extends", "minutes_between_tickets", "written_changed"},
    "organization": {"status", "people_in_all", "teams", "tickets", "tickets_in_all"},
    "person": {"name", "status", "home", "invited", "invitation_expires"},
    "team": set[str](),
    "ticket": {
        *{"description", "description_characters", "assignee", "labels", "team", "resolution", "comments"},
        *{"created", "updated"},
    },
    "comment": {"internal", "minutes_later"},
}


def read_yaml(text: str) -> Any:
    """A YAML document by libyaml where PyYAML has it: ten times as fast, and read at every start."""
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506  # both are safe loaders


def read(name: str) -> dict[str, Any]:
    """The description of the world ``name``; what it extends is in it already.

    A world may extend another. What it says of an organization with a slug of the other takes the place of what is said
    there, key by key; further organizations come behind.

    Raises:
        ValueError: there is no such world, or its file is not one; says what is wrong with it, and where.
    """
    try:
        document = read_yaml(_source(name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"the world {name} cannot be read: {error}") from error
    if isinstance(document, dict) and "extends" in document:
        document = _extended(read(str(document["extends"])), document)
    _check(document, name)
    return dict(document)


def known() -> list[str]:
    """The worlds that come with the services."""
    return sorted(entry.name[:-5] for entry in _folder().iterdir() if entry.name.endswith(".yaml"))


def _folder() -> Traversable:
    return resources.files("services.shared.world")


def _source(name: str) -> Traversable | Path:
    if name.endswith(SUFFIXES):
        return Path(name)
    if name not in known():
        raise ValueError(f"there is no world named {name!r}; known: {', '.join(known())}, and any file *.yaml")
    return _folder().joinpath(f"{name}.yaml")


def _extended(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    of = {each["slug"]: each for each in below["organizations"]}
    for each in above.get("organizations", ()):
        of[each.get("slug")] = of.get(each.get("slug"), {}) | each
    return {**below, **above, "organizations": list(of.values())}


def _check(document: Any, name: str) -> None:
    _expect(document, "world", name)
    for organization in document["organizations"]:
        where = f"{name}: organization {organization.get('slug')!r}"
        _expect(organization, "organization", where)
        usernames = [person.get("username") for person in organization["people"]]
        for person in organization["people"]:
            _expect(person, "person", f"{where}: person {person.get('username')!r}")
        for team in organization.get("teams", ()):
            _expect(team, "team", where)
            _members(team["members"], usernames, f"{where}: team {team['name']!r}")
        for ticket in organization.get("tickets", ()):
            inside = f"{where}: ticket {ticket.get('title')!r}"
            _expect(ticket, "ticket", inside)
            comments = ticket.get("comments", ())
            for comment in comments:
                _expect(comment, "comment", inside)
            named = [ticket["reporter"], ticket.get("assignee"), *(comment["author"] for comment in comments)]
            _members([one for one in named if one is not None], usernames, inside)


def _expect(entry: Any, kind: str, where: str) -> None:
    if not isinstance(entry, dict):
        raise ValueError(f"{where}: a {kind} must be a mapping, not {entry!r}")
    missing, unknown = _REQUIRED[kind] - entry.keys(), entry.keys() - _REQUIRED[kind] - _OPTIONAL[kind]
    if missing or unknown:
        told = [f"lacks {', '.join(sorted(missing))}"] * bool(missing)
        told += [f"has unknown {', '.join(map(str, unknown))}"] * bool(unknown)
        raise ValueError(f"{where}: the {kind} {' and '.join(told)}")
    for key, value in entry.items():
        if isinstance(value, datetime) and value.tzinfo != UTC:
            raise ValueError(f"{where}: {key} must be a time in UTC, such as 2026-01-05T09:00:00Z")


def _members(named: list[str], usernames: list[str], where: str) -> None:
    strangers = sorted(set(named) - set(usernames))
    if strangers:
        raise ValueError(f"{where}: names {', '.join(strangers)}, who is not written among the people")
