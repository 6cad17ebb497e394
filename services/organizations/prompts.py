"""The prompts: what admins often want, as a message with what is known put in."""

from __future__ import annotations

from services.organizations.arguments import Address, Desk, NewRole
from services.organizations.views import AccessView, OnboardingView, OrganizationView, VersionedMemberView
from services.shared.mcp.prompt import fenced, prompt


@prompt(scope="orgs:read", title="Onboard a member")
def onboard_member(desk: Desk, email: Address, role: NewRole = "requester") -> str:
    """Ask to bring somebody into the organization: invited, in the right teams, and told what comes next."""
    known = desk.members.find(email)
    newcomer = OnboardingView(
        organization=OrganizationView.of(desk.organization().organization),
        email=email,
        role=role,
        known_as=None if known is None else VersionedMemberView.of_known(known, at=desk.now()),
    )
    return f"""\
Bring a new colleague into my organization.

{fenced(newcomer)}

1. If knownAs is an active member, say so, change no role, and go on with 3.
2. invite_member with that email and that role; whoever was invited or deactivated before is invited again by it.
3. list_teams, and tell me which fit; add_team_member only for those I name.
4. Sum up: role, teams, and until when the invitation is good."""


@prompt(scope="orgs:read", title="Review who has access")
def access_review(desk: Desk) -> str:
    """Ask for a review of who may do what in the organization: owners, admins, invitations, deactivated members."""
    access = AccessView.of(desk.members.access(), at=desk.now())
    return f"""\
Review who has access to my organization, and propose changes with a reason for each. Change nothing before I agreed.

{fenced(access)}

1. Owners and admins are all in there: who of them needs less? There must be an active owner.
2. Of the invitations, which have expired, and is the role right for those that have not?
3. list_members (status active) for everybody else: does anybody look misplaced?
4. list_teams and get_team: is there a team with members who were deactivated?
What I agree to, do by update_member_role, deactivate_member, invite_member and remove_team_member."""


PROMPTS = (onboard_member, access_review)
