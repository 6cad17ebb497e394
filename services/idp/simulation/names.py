"""What a caller named, found here or not."""

from __future__ import annotations

from services.idp.provider import Provider
from services.idp.registry import User


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
