"""A person as SCIM has them (RFC 7643 §4.1), from the registry and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Set
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails

from services.idp import people
from services.idp.members import Membership, User
from services.idp.provider import Provider
from services.idp.scim.errors import ScimError

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
READ_ONLY = frozenset({"schemas", "id", "meta"})

Text = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")
]
UserName = Annotated[
    str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")
]
"""Long enough for an address, in any case of letters, and what stands before it."""
Address = Annotated[str, StringConstraints(max_length=254, pattern=r"^[^\s@\x00-\x1f\x7f]+@[^\s@\x00-\x1f\x7f]+$")]
RoleName = Annotated[str, StringConstraints(max_length=64, pattern=r"^[\x21\x23-\x5b\x5d-\x7e]+$")]
"""One word of ASCII: it goes into the claim ``roles``."""


MOST_ROLES = 100


class _Attributes(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", strict=True)


class FullName(_Attributes):
    """Only as a whole: nobody here has a family name."""

    formatted: Text


class Email(_Attributes):
    """The one address; its labels are fixed."""

    value: Address
    type: str | None = None
    primary: bool | None = None
    display: str | None = None


class Role(_Attributes):
    """The role in one organization, whose id is the ``type``; who is in one only need not name it."""

    value: RoleName
    type: str | None = None
    primary: bool | None = None
    """Whether it is the first: the one meant where none is named."""
    display: str | None = None
    active: bool | None = None
    """Whether there are tokens about this organization. Of an only role it says the same as that of the person."""


class Meta(_Attributes):
    """RFC 7643 §3.1."""

    resource_type: Literal["User"]
    location: str
    version: str


class ScimUser(_Attributes):
    """``displayName`` and ``name.formatted`` are the same thing here."""

    schemas: list[str] = Field(min_length=1)
    id: str
    user_name: str
    display_name: Text
    name: FullName
    emails: list[Email] = Field(min_length=1, max_length=1)
    roles: list[Role] = Field(min_length=1, max_length=MOST_ROLES)
    active: bool
    meta: Meta


class Newcomer(_Attributes):
    """Somebody who is to be made; one of the two names is enough."""

    schemas: list[str] = Field(default_factory=list)
    user_name: UserName
    display_name: Text | None = None
    name: FullName | None = None
    emails: list[Email] = Field(min_length=1, max_length=1)
    roles: list[Role] = Field(min_length=1, max_length=1)
    active: bool = True


Document = dict[str, Any]
"""A user as JSON, with the names of RFC 7643."""


def _names(model: type[BaseModel]) -> Mapping[str, str]:
    return {str(field.alias).lower(): str(field.alias) for field in model.model_fields.values()}


ATTRIBUTES = _names(ScimUser)
"""Names as they are written, by their lower case: they are compared without regard to it (RFC 7643 §2.1)."""
PARTS: Mapping[str, Mapping[str, str]] = {"name": _names(FullName), "emails": _names(Email), "roles": _names(Role)}
"""The same of what attributes are made of."""
SEVERAL = frozenset({"emails", "roles"})
"""Attributes that are lists."""


def document(user: User, provider: Provider) -> Document:
    """The person, as a client gets them."""
    told: Document = {
        "schemas": [USER],
        "id": user.sub,
        "userName": user.username,
        "displayName": user.name,
        "name": {"formatted": user.name},
        "emails": [{"value": user.email, "type": "work", "primary": True}],
        "roles": [
            {"value": each.role, "type": each.org_id, "primary": each is user.memberships[0], "active": each.active}
            for each in user.memberships
        ],
        "active": user.active,
    }
    version = sha256(json.dumps(told).encode()).hexdigest()[:16]
    location = f"{provider.issuer}/scim/v2/Users/{user.sub}"
    return told | {"meta": {"resourceType": "User", "location": location, "version": f'W/"{version}"'}}


def changed(user: User, before: Document, after: Document, provider: Provider) -> User:
    """The person as a client wants them. What is not changed is not judged: the registry may have taken more.

    Raises:
        ScimError: not like that.
    """
    differs = {name for name in ATTRIBUTES.values() if before.get(name) != after.get(name)}
    try:
        ScimUser.model_validate(after)
    except ValidationError as error:
        if flaws := [flaw for flaw in error.errors() if flaw["loc"][0] in differs]:
            raise ScimError(400, _told(flaws), kind="invalidValue") from None
    if "userName" in differs:
        raise ScimError(400, "userName cannot be changed", kind="mutability")
    wanted = user.model_copy(update={"name": _name(before, after), "email": after["emails"][0]["value"]})
    if "roles" in differs:
        wanted = wanted.with_memberships(tuple(_memberships(user, after["roles"], provider)))
    return wanted.with_account(active=after["active"]) if "active" in differs else wanted


def made(given: Document, provider: Provider) -> User:
    """Somebody new, in the organization that the role is in.

    Raises:
        ScimError: not like that, or there is somebody of that name (409).
    """
    try:
        wanted = Newcomer.model_validate(given)
    except ValidationError as error:
        raise ScimError(400, _told(error.errors()), kind="invalidValue") from None
    names = {wanted.display_name, wanted.name.formatted if wanted.name else None} - {None}
    role, registry = wanted.roles[0], provider.registry
    active = wanted.active and role.active is not False
    membership = _organization(role.type, provider).model_copy(update={"role": role.value, "active": active})
    if any(user.username.casefold() == wanted.user_name.casefold() for user in registry.users.values()):
        raise ScimError(409, "there is somebody of that userName", kind="uniqueness")
    return User(
        sub=people.new_id(wanted.user_name, provider),
        username=wanted.user_name,
        name=_one(names or {wanted.user_name}),
        email=wanted.emails[0].value,
        memberships=(membership,),
        active=active,
    )


def _memberships(user: User, roles: list[Document], provider: Provider) -> Iterator[Membership]:
    """What the roles come to: those of before in their order, then those that are new."""
    own = {each.org_id: each for each in user.memberships}
    given: dict[str, Membership] = {}
    for role in roles:
        org_id = role.get("type") or (user.memberships[0].org_id if len(own) == 1 else None)
        known = own.get(org_id or "") or _organization(org_id, provider)
        if known.org_id in given:
            raise ScimError(400, "a person has one role in an organization", kind="invalidValue")
        active = known.active if role.get("active") is None else role["active"]
        given[known.org_id] = known.model_copy(update={"role": role["value"], "active": active})
    yield from (given.pop(org_id) for org_id in own if org_id in given)
    yield from given.values()


def _organization(org_id: str | None, provider: Provider) -> Membership:
    """As somebody new would be in it."""
    found = provider.registry.membership(org_id) if org_id else None
    if found is None or found.org_id != org_id:
        raise ScimError(400, "roles.type must be the id of an organization that has people here", kind="invalidValue")
    return found.model_copy(update={"active": True})


def _name(before: Document, after: Document) -> str:
    given: tuple[str, str] = after["displayName"], after["name"]["formatted"]
    return _one({name for name in given if name != before["displayName"]} or {given[0]})


def _one(names: Set[str | None]) -> str:
    if len(names) > 1:
        raise ScimError(400, "displayName and name.formatted are the same thing here", kind="invalidValue")
    return str(next(iter(names)))


def _told(flaws: Iterable[ErrorDetails]) -> str:
    return "; ".join(f"{'.'.join(map(str, flaw['loc']))}: {flaw['msg']}" for flaw in flaws)
