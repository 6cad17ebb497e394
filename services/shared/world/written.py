"""What may be written in the file of a world: each part by itself, and how the parts must agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self
from unicodedata import normalize

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.shared.world.model import MemberStatus, OrganizationStatus
from services.shared.world.people import MOST_MADE_UP

Role = Literal["owner", "admin", "agent", "requester", "viewer"]
TicketType = Literal["incident", "request", "question", "problem", "task"]
TicketStatus = Literal["open", "in_progress", "pending", "resolved", "closed", "cancelled"]
Priority = Literal["low", "normal", "high", "urgent"]

NAMED_BY = ("slug", "username", "title", "name")
MOST_FLAWS = 5
"""Of a file that is no world at all, the rest would say the same again."""
SHOWN = 80
YEARS = range(1970, 3000)


def _in_utc(moment: datetime) -> datetime:
    if moment.utcoffset() != timedelta() or moment.year not in YEARS:
        raise ValueError("must be a time in UTC, such as 2026-01-05T09:00:00Z")
    return moment


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not hold NUL, which PostgreSQL does not store")
    return text


Moment = Annotated[datetime, AfterValidator(_in_utc)]
Text = Annotated[str, Field(max_length=10_000), AfterValidator(_without_nul)]
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S"), AfterValidator(_without_nul)]
Label = Annotated[str, Field(max_length=50, pattern=r"^[^\x00-\x20\x7f-\x9f]+( [^\x00-\x20\x7f-\x9f]+)*$")]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Username = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Minutes = Annotated[int, Field(ge=0, le=10 * 366 * 24 * 60)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]


class _Written(BaseModel):
    model_config = ConfigDict(strict=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, told: Any) -> Any:
        strangers = [str(key) for key in told if key not in cls.model_fields] if isinstance(told, dict) else []
        if strangers:
            raise ValueError(f"has unknown {', '.join(strangers)}; there may be {', '.join(cls.model_fields)}")
        return told


class Comment(_Written):
    """What somebody says of a ticket, so many minutes after what was said before."""

    author: Username
    body: Annotated[Text, Field(min_length=1)]
    internal: bool = False
    minutes_later: Minutes = 0


class Ticket(_Written):
    """A ticket. ``description_characters`` is for how long a text is made up in place of a ``description``."""

    title: Line
    type: TicketType
    status: TicketStatus
    priority: Priority
    reporter: Username
    description: Text = ""
    description_characters: Annotated[int, Field(ge=0, le=10_000)] = 0
    assignee: Username | None = None
    labels: Annotated[list[Label], Field(max_length=20)] = []
    team: Line | None = None
    resolution: Line | None = None
    comments: list[Comment] = []
    created: Moment | None = None
    updated: Moment | None = None

    @model_validator(mode="after")
    def _labels_once(self) -> Self:
        _once("label", (normalize("NFC", label.casefold()) for label in self.labels))
        return self


class Team(_Written):
    """People who share work."""

    name: Line
    members: list[Username]

    @model_validator(mode="after")
    def _members_once(self) -> Self:
        _once("member", self.members)
        return self


class Person(_Written):
    """A member. Whoever is at ``home`` in another organization has the name that is written there."""

    username: Username
    role: Role
    name: Line | None = None
    status: MemberStatus = "active"
    home: Slug | None = None
    invited: Moment | None = None
    invitation_expires: Moment | None = None

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.name is None and self.home is None:
            raise ValueError("lacks a name, or the home of somebody of another organization")
        return self

    @property
    def works(self) -> bool:
        """Whether tickets can be assigned to them."""
        return self.status == "active" and self.role in ("owner", "admin", "agent")


class Organization(_Written):
    """A tenant: who and what is written, and how much there is to be in all."""

    slug: Slug
    name: Line
    prefix: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{1,9}$")]
    people: list[Person]
    status: OrganizationStatus = "active"
    people_in_all: Annotated[int, Field(ge=0, le=MOST_MADE_UP)] = 0
    teams: list[Team] = []
    tickets: list[Ticket] = []
    tickets_in_all: Count = 0

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        usernames = [person.username for person in self.people]
        _once("username", usernames)
        _once("team", (team.name.casefold() for team in self.teams))
        for team in self.teams:
            _known(f"team {team.name!r}", team.members, usernames, "who is not written among the people")
        for ticket in self.tickets:
            named = [ticket.reporter, ticket.assignee, *(comment.author for comment in ticket.comments)]
            where = f"ticket {ticket.title!r}"
            _known(where, filter(None, named), usernames, "who is not written among the people")
            _known(where, filter(None, [ticket.team]), [team.name for team in self.teams], "which is no team here")
        if self.tickets_in_all > len(self.tickets) and not any(person.works for person in self.people):
            raise ValueError("has tickets to make up, and no active agent, admin or owner written who works on them")
        return self


class World(_Written):
    """All of it, once what it extends is in it."""

    epoch: Moment
    organizations: Annotated[list[Organization], Field(min_length=1)]
    extends: str | None = None
    minutes_between_tickets: Annotated[int, Field(ge=1, le=7 * 24 * 60)] = 1
    written_changed: Moment | None = None

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        _once("slug", (each.slug for each in self.organizations))
        _once("prefix", (each.prefix for each in self.organizations))
        at_home = {each.slug: {one.username for one in each.people if one.home is None} for each in self.organizations}
        everybody = (name for names in at_home.values() for name in names)
        _once("username", everybody, so="; who is in two organizations says in one of them where their home is")
        for person in (one for each in self.organizations for one in each.people):
            if person.home is not None and person.username not in at_home.get(person.home, ()):
                raise ValueError(
                    f"{person.username} is said to be at home in {person.home!r}, where nobody of that name is"
                )
        return self


class _Changed(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)
    slug: Slug


class Extension(BaseModel):
    """What must hold of a file that extends another before it can be put together with that."""

    model_config = ConfigDict(extra="allow", strict=True)
    extends: str
    organizations: list[_Changed] = []

    @model_validator(mode="after")
    def _once_each(self) -> Self:
        _once("slug", (each.slug for each in self.organizations))
        return self


def check(document: Any, name: str, kind: type[BaseModel] = World) -> None:
    """Hold a document to what may be written.

    Raises:
        ValueError: it is something else; says where, what is allowed, and what is written instead.
    """
    try:
        kind.model_validate(document)
    except ValidationError as error:
        flaws = error.errors(include_url=False)
        told = [_told(flaw, document, name) for flaw in flaws[:MOST_FLAWS]]
        told += [f"and {len(flaws) - MOST_FLAWS} more"] * (len(flaws) > MOST_FLAWS)
        raise ValueError("\n".join(told)) from None


def _told(flaw: Any, document: Any, name: str) -> str:
    place = ": ".join([name, *_steps(flaw["loc"], document)])
    if flaw["type"] == "missing":
        return f"{place} is missing"
    what = "must be a mapping" if flaw["type"] == "model_type" else flaw["msg"].removeprefix("Value error, ")
    if flaw["type"] == "value_error":
        return f"{place}: {what}"
    shown = repr(flaw["input"])
    return f"{place}: {what}, not {shown[:SHOWN]}{'…' if len(shown) > SHOWN else ''}"


def _steps(places: Sequence[int | str], document: Any) -> Iterator[str]:
    """The way to a flaw: an entry of a list by its name, where it has one."""
    at = document
    for place in places:
        try:
            at = at[place]
        except (LookupError, TypeError):
            at = None
        named = [at[key] for key in NAMED_BY if isinstance(at, dict) and key in at]
        yield str(place) if isinstance(place, str) else repr(named[0]) if named else f"entry {place + 1}"


def _once(what: str, told: Iterable[str], *, so: str = "") -> None:
    twice = [one for one, many in Counter(told).items() if many > 1]
    if twice:
        raise ValueError(f"the same {what} twice: {', '.join(twice)}{so}")


def _known(where: str, named: Iterable[str], known: Sequence[str], otherwise: str) -> None:
    strangers = sorted(set(named) - set(known))
    if strangers:
        raise ValueError(f"{where} names {', '.join(strangers)}, {otherwise}")
