"""Who calls, and what that allows: a scope the user granted, met with a role the organization gave."""

from __future__ import annotations

from dataclasses import dataclass

from services.shared.problems import Forbidden


@dataclass(frozen=True, slots=True)
class Permission:
    """Something to be allowed. The scope is the ceiling, the role the floor: both must be there."""

    name: str
    """Reads after "may not": ``create tickets``."""
    scope: str
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Caller:
    """The person a token speaks for, in the one organization the token is about."""

    subject: str
    org_id: str
    roles: frozenset[str]
    scopes: frozenset[str]
    client_id: str = ""
    """The application the token was issued to (RFC 9068 §2.2)."""
    actor: str | None = None
    """Who acts for the subject after an exchange (RFC 8693 §4.1); None is the subject without help."""
    trace_id: str | None = None
    """Of the W3C trace context that came with the request, if one did."""

    def may(self, permission: Permission) -> bool:
        """Whether scope and role both allow it."""
        return permission.scope in self.scopes and not self.roles.isdisjoint(permission.roles)

    def require(self, permission: Permission) -> None:
        """Refuse what is not allowed.

        Raises:
            Forbidden: it names the scope or the role that is missing, never an object.
        """
        if permission.scope not in self.scopes:
            raise Forbidden(f"The token may not {permission.name}: it lacks the scope {permission.scope}.")
        if not self.may(permission):
            held = ", ".join(sorted(self.roles)) or "no role"
            raise Forbidden(f"The role {held} may not {permission.name}.")
