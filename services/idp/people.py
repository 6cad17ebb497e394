"""People as they change at run time, with what must end because of it."""

from __future__ import annotations

from services.idp import sessions
from services.idp.members import User
from services.idp.provider import Provider
from services.shared.world import seeded_id


def new_id(username: str, provider: Provider) -> str:
    """The ``sub`` of somebody new: it follows from the name, so that the same steps make the same world."""
    return seeded_id("usr", provider.settings.world_seed, provider.tenant, username)


def put(user: User, provider: Provider, *, at: float) -> None:
    """A new person, or one changed. Whoever may not sign in any more loses their sessions and all they granted; who
    leaves one of several organizations loses what they granted there.
    """
    before = provider.registry.users.get(user.sub)
    provider.registry.users.put(user.sub, user)
    if not user.can_sign_in:
        _end(user.sub, provider, at=at)
    elif before is not None:
        left = {member.org_id for member in before.members} - {member.org_id for member in user.members}
        provider.store.revoke_organizations(user.sub, left, at=at)


def drop(subject: str, provider: Provider, *, at: float) -> None:
    """Nobody any more.

    Raises:
        KeyError: it was nobody before.
    """
    provider.registry.users.drop(subject)
    _end(subject, provider, at=at)


def _end(subject: str, provider: Provider, *, at: float) -> None:
    sessions.end_all(subject, provider, at=at)
    provider.store.drop_consents(subject)
