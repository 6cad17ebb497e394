"""The tickets of an organization: those who are written down come first, the others are made up from the seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.shared.world.model import Person, SeededComment, SeededTicket, Team

_SUBJECTS = ("Mail", "Calendar", "Wiki", "Build server", "Payroll", "Projector", "Phone", "Badge", "Licence", "Backup")
_TROUBLES = (
    "does not start after the update",
    "is slow in the morning",
    "asks for a password again and again",
    "shows the wrong time zone",
    "needs more space",
    "is missing for a new colleague",
)
_SINCE = ("Monday", "the move", "the update")
_TYPES = ("incident", "request", "question", "problem", "task")
_STATUSES = (
    "open",
    "open",
    "open",
    "in_progress",
    "in_progress",
    "pending",
    "resolved",
    "resolved",
    "closed",
    "cancelled",
)
_PRIORITIES = ("low", "normal", "normal", "high", "urgent")
_LABELS = ("wifi", "laptops", "software", "access", "paper", "onboarding", "audit")
_ASKED = ("It happened again this morning.", "Is there any news?", "A colleague has the same.", "No hurry with this.")
_REPLIED = (
    "I am looking into it.",
    "Could you tell me the exact time?",
    "A part is on order.",
    "Please try once more.",
)
_NOTED = ("Same cause as last week, I think.", "Ask the supplier before we promise anything.")
_RESOLUTIONS = ("Replaced the cable.", "Restarted the service.", "Access was granted.", "The update fixed it.")
_LONG = "The quick brown fox was told to restart the lazy dog, and it did; then nothing happened for a while. "

_DONE = ("resolved", "closed")
_MINUTES_BETWEEN = 7 * 60
_COMMENT_EVERY = 30


@dataclass(frozen=True)
class Backlog:
    """Where the tickets of one organization come from."""

    written: Sequence[Mapping[str, Any]]
    in_all: int
    people: tuple[Person, ...]
    teams: tuple[Team, ...]
    epoch: datetime
    minutes_between: int
    written_changed: datetime | None
    seed: str

    @classmethod
    def of(
        cls,
        entry: Mapping[str, Any],
        document: Mapping[str, Any],
        *,
        people: tuple[Person, ...],
        teams: tuple[Team, ...],
        seed: int,
    ) -> Backlog:
        """That of an organization of the world ``document``."""
        written = entry.get("tickets", ())
        return cls(
            written=written,
            in_all=max(len(written), entry.get("tickets_in_all", 0)),
            people=people,
            teams=teams,
            epoch=document["epoch"],
            minutes_between=document.get("minutes_between_tickets", _MINUTES_BETWEEN),
            written_changed=document.get("written_changed"),
            seed=f"{seed}/{entry['slug']}",
        )

    def each(self) -> Iterator[SeededTicket]:
        """The tickets, by number."""
        rng = random.Random(self.seed)  # noqa: S311  # must repeat itself
        ids = {person.username: person.id for person in self.people}
        for number, ticket in enumerate(self.written, start=1):
            yield self._written(ticket, number, ids, rng)
        there = [person for person in self.people if person.status == "active"]
        reporters = [person.id for person in there if person.role != "viewer"]
        agents = [person.id for person in there if person.role in ("agent", "admin", "owner")]
        teams = (None, *(team.id for team in self.teams))
        for number in range(len(self.written) + 1, self.in_all + 1):
            yield self._made_up(number, rng, reporters=reporters, agents=agents, teams=teams)

    def _created(self, number: int, rng: random.Random) -> datetime:
        jitter = rng.randrange(min(60, self.minutes_between))
        return self.epoch + timedelta(minutes=number * self.minutes_between + jitter)

    def _written(
        self, ticket: Mapping[str, Any], number: int, ids: Mapping[str, str], rng: random.Random
    ) -> SeededTicket:
        at = self._created(number, rng)
        created = ticket.get("created", at)
        comments = tuple(_said(ticket.get("comments", ()), ids, created))
        last = comments[-1].at if comments else created
        changed = self.written_changed and self.written_changed - timedelta(minutes=number)
        done = ticket["status"] in _DONE
        return SeededTicket(
            number=number,
            title=ticket["title"],
            description=_description(ticket),
            type=ticket["type"],
            status=ticket["status"],
            priority=ticket["priority"],
            reporter_id=ids[ticket["reporter"]],
            assignee_id=ids[ticket["assignee"]] if ticket.get("assignee") else None,
            labels=tuple(ticket.get("labels", ())),
            created_at=created,
            updated_at=max(last, ticket.get("updated") or changed or last),
            resolution=ticket.get("resolution", _RESOLUTIONS[0]) if done else None,
            team_id=next((team.id for team in self.teams if team.name == ticket.get("team")), None),
            comments=comments,
        )

    def _made_up(
        self,
        number: int,
        rng: random.Random,
        *,
        reporters: Sequence[str],
        agents: Sequence[str],
        teams: Sequence[str | None],
    ) -> SeededTicket:
        created = self._created(number, rng)
        status, reporter, agent = rng.choice(_STATUSES), rng.choice(reporters), rng.choice(agents)
        untouched = status in ("open", "cancelled")
        lines = _talk(rng, reporter, None if untouched else agent)
        comments = []
        at = created
        for author, body, internal in lines:
            at += timedelta(minutes=rng.randint(10, 600))
            comments.append(SeededComment(author, body, "internal" if internal else "public", at))
        return SeededTicket(
            number=number,
            title=f"{rng.choice(_SUBJECTS)} {rng.choice(_TROUBLES)}",
            description=f"Seen by {rng.randint(1, 40)} people since {rng.choice(_SINCE)}.",
            type=rng.choice(_TYPES),
            status=status,
            priority=rng.choice(_PRIORITIES),
            reporter_id=reporter,
            assignee_id=None if untouched else agent,
            labels=tuple(rng.sample(_LABELS, rng.randrange(3))),
            created_at=created,
            updated_at=at if status == "open" else at + timedelta(minutes=rng.randint(1, 60)),
            resolution=rng.choice(_RESOLUTIONS) if status in _DONE else None,
            team_id=rng.choice(teams),
            comments=tuple(comments),
        )


def _talk(rng: random.Random, reporter: str, agent: str | None) -> Iterator[tuple[str, str, bool]]:
    """Who says what, and whether it is internal."""
    if rng.random() < 0.3:  # noqa: PLR2004
        yield reporter, rng.choice(_ASKED), False
    if agent is not None:
        yield agent, rng.choice(_REPLIED), False
        if rng.random() < 0.2:  # noqa: PLR2004
            yield agent, rng.choice(_NOTED), True


def _said(comments: Sequence[Mapping[str, Any]], ids: Mapping[str, str], created: datetime) -> Iterator[SeededComment]:
    at = created
    for comment in comments:
        at += timedelta(minutes=comment.get("minutes_later", _COMMENT_EVERY))
        visibility = "internal" if comment.get("internal") else "public"
        yield SeededComment(ids[comment["author"]], comment["body"], visibility, at)  # type: ignore[arg-type]


def _description(ticket: Mapping[str, Any]) -> str:
    length: int | None = ticket.get("description_characters")
    if length is None:
        return str(ticket.get("description", ""))
    return (_LONG * (length // len(_LONG) + 1))[:length]
