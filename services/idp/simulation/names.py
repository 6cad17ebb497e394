"""What a caller named, found here or not."""

from __future__ import annotations

from services.idp.members import Member, User
from services.idp.provider import Provider


class UnknownName(LookupError):  # noqa: N818 - says what is wrong
    """Something that was named is not known here; the text says what is."""


def person(username: str, provider: Provider) -> User:
    """Who signs in by this name.

    Raises:
        UnknownName: nobody does.
    """
    user = provider.registry.user_named(username)
    if user is None:
        raise _nobody(username, provider)
    return user


def member(username: str | None, organization: str | None, provider: Provider) -> Member:
    """The same, or the first person there is, in the organization of that id or slug, or in their first active one.

    An invitation, and whatever else is not active, will do: what is made here is asked of nobody.

    Raises:
        UnknownName: there is no such person, or they are not in the organization.
    """
    user = person(username, provider) if username else anybody(provider)
    if organization is None:
        return user.within(None) or Member(user, user.memberships[0])
    membership = user.membership(organization)
    if membership is None:
        known = ", ".join(each.slug or each.org_id for each in user.memberships)
        raise UnknownName(f"{user.username} is not in {organization!r}, but in {known}")
    return Member(user, membership)


def anybody(provider: Provider) -> User:
    """The first person there is.

    Raises:
        UnknownName: there are none.
    """
    for user in provider.registry.users.values():
        return user
    raise _nobody("", provider)


def _nobody(username: str, provider: Provider) -> UnknownName:
    known = ", ".join(each.username for each in provider.registry.users.values())
    return UnknownName(f"nobody is called {username!r}; there are {known or 'no people'}")
