"""The session of the caller: which of their organizations it is about, and how it comes to be about another."""

from __future__ import annotations

from services.api.exchange import TokenExchange
from services.api.organizations import Organizations
from services.api.people_views import Membership, MemberStatus, OrganizationStatus
from services.api.session_views import SwitchedSession
from services.shared.problems import Forbidden, NotFound
from services.shared.tokens import AccessToken


class Session:
    """The caller's token, to be traded for one about another of their organizations; the old one stays good."""

    def __init__(
        self, caller: AccessToken, organizations: Organizations, exchange: TokenExchange, *, audience: str
    ) -> None:
        """``audience`` is that of the caller's token: this service."""
        self._caller = caller
        self._organizations = organizations
        self._exchange = exchange
        self._audience = audience

    async def switch(self, organization_id: str) -> SwitchedSession:
        """A token for this service about that organization.

        Raises:
            NotFound: the caller is no member there; there may be no such organization.
            Forbidden: the caller is, and cannot work there now; it says why.
            ProblemError: the organizations service or the identity provider refuses, or cannot be reached.
        """
        listed = (await self._organizations.mine()).items
        membership = next((each for each in listed if each.organization.id == organization_id), None)
        if membership is not None:
            _check(membership)
        issued = await self._exchange.switched(self._caller, self._audience, organization_id)
        if membership is None:  # the provider alone knows of it
            raise NotFound("The caller is not a member of such an organization.")
        return SwitchedSession(
            access_token=issued.access_token,
            expires_in=int(issued.expires_in),
            scope=issued.scope,
            organization=membership.organization,
        )


def _check(membership: Membership) -> None:
    name = membership.organization.display_name
    if membership.organization_status is OrganizationStatus.suspended:
        raise Forbidden(f"{name} is suspended: nothing in it can be read or changed until it is reinstated.")
    if membership.status is MemberStatus.invited:
        raise Forbidden(f"The caller is invited to {name} and has not accepted yet: sign in to it, and accept.")
