"""People, and the organizations they are members of: a token is about one of them, with the role somebody has there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

OWN_CLAIMS = frozenset(
    {"iss", "sub", "aud", "exp", "iat", "nbf", "jti", "client_id", "scope", "act", "cnf", "typ", "nonce", "sid"}
    | {"auth_time", "at_hash", "acr", "amr", "azp", "org_id", "roles", "events"}
)
"""Claims that this provider makes; nobody's own may take their place."""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Membership(_Entry):
    """What somebody is in one organization."""

    org_id: str
    org_name: str
    slug: str = ""
    """The other name of the organization by which a request may ask for it."""
    role: str
    active: bool = True
    """Otherwise there are no tokens about it: invited and not accepted, left, or the organization is suspended."""

    def answers_to(self, named: str) -> bool:
        """Whether its organization has that id or slug."""
        return named in (self.org_id, self.slug) and bool(named)


class User(_Entry):
    """Somebody who can sign in, with the claims others are told.

    Whoever is in one organization may be written without ``memberships``: ``org_id``, ``org_name`` and ``role``.
    """

    sub: str
    username: str
    name: str
    email: str
    memberships: tuple[Membership, ...] = Field(min_length=1)
    """The first active one is meant where none is named."""
    active: bool = True
    """The account as a whole: otherwise there are no tokens of any organization. Where there is one only, account and
    membership are active together."""
    claims: dict[str, Any] = Field(default_factory=dict)
    """Of their own: told in access tokens, and where ``profile`` is granted in ID tokens and userinfo."""

    @model_validator(mode="before")
    @classmethod
    def _in_one_organization(cls, entry: Any) -> Any:
        if not isinstance(entry, dict) or "memberships" in entry:
            return entry
        membership = {name: entry[name] for name in Membership.model_fields if name in entry}
        return {name: value for name, value in entry.items() if name not in membership or name == "active"} | {
            "memberships": [membership]
        }

    @field_validator("memberships")
    @classmethod
    def _each_once(cls, memberships: tuple[Membership, ...]) -> tuple[Membership, ...]:
        if len({each.org_id for each in memberships}) < len(memberships):
            raise ValueError("a person is a member of an organization once")
        return memberships

    @field_validator("claims")
    @classmethod
    def _not_ours(cls, claims: dict[str, Any]) -> dict[str, Any]:
        taken = sorted(claims.keys() & OWN_CLAIMS)
        if taken:
            raise ValueError(f"claims of the provider itself cannot be set: {', '.join(taken)}")
        return claims

    @property
    def members(self) -> tuple[Member, ...]:
        """The same person in each organization there may be tokens about."""
        return tuple(Member(self, each) for each in self.memberships if each.active) if self.active else ()

    @property
    def can_sign_in(self) -> bool:
        """Whether there is any."""
        return bool(self.members)

    def membership(self, named: str) -> Membership | None:
        """In the organization of that id or slug, whether or not it is active."""
        return next((each for each in self.memberships if each.answers_to(named)), None)

    def within(self, named: str | None) -> Member | None:
        """As the organization of that id or slug has them, or the first one if none is named.

        None: there are no tokens about it for this person.
        """
        return next((each for each in self.members if named is None or each.membership.answers_to(named)), None)

    def with_membership(self, changed: Membership) -> User:
        """With this one in place of that in the same organization, or as the last."""
        kept = tuple(changed if each.org_id == changed.org_id else each for each in self.memberships)
        return self.with_memberships(kept if changed in kept else (*kept, changed))

    def with_memberships(self, memberships: tuple[Membership, ...]) -> User:
        """With these and no others; an only one and the account are active together."""
        alone, was_alone = len(memberships) == 1, len(self.memberships) == 1
        if alone:
            active = memberships[0].active and (was_alone or self.active)
            memberships = (memberships[0].model_copy(update={"active": active}),)
        else:
            active = self.active or was_alone  # what the only membership was is no longer what the account is
        return self.model_copy(update={"memberships": memberships, "active": active})

    def with_account(self, *, active: bool) -> User:
        """With the account as a whole active or not; of several memberships each stays what it is."""
        only = [each.model_copy(update={"active": active}) for each in self.memberships if len(self.memberships) == 1]
        return self.model_copy(update={"active": active, "memberships": tuple(only) or self.memberships})


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody as one of their organizations has them: what a token is about."""

    user: User
    membership: Membership

    @property
    def sub(self) -> str:
        return self.user.sub

    @property
    def org_id(self) -> str:
        return self.membership.org_id

    def told(self, scopes: frozenset[str]) -> dict[str, Any]:
        """What ID token and userinfo say about the person under these scopes (OIDC Core §5.4)."""
        user, claims = self.user, dict[str, Any]()
        if "profile" in scopes:
            claims |= user.claims | {"name": user.name, "preferred_username": user.username, "org_id": self.org_id}
        if "email" in scopes:
            claims |= {"email": user.email, "email_verified": True}
        return claims


@dataclass(frozen=True, slots=True)
class Organization:
    """The people of one organization, as the login page groups them."""

    id: str
    name: str
    people: tuple[Member, ...]
