"""The tools. Signature and docstring are the contract a model reads; the work is done at the desk."""

from __future__ import annotations

from services.organizations import questions
from services.organizations.arguments import (
    Address,
    Desk,
    MemberId,
    NewRole,
    Query,
    TeamId,
    TeamName,
    Version,
    WantedRole,
    WantedStatus,
)
from services.organizations.feed_views import FeedView
from services.organizations.repository import Wanted
from services.organizations.views import (
    MemberPageView,
    MembershipsView,
    MembershipView,
    MeView,
    OverviewView,
    TeamPageView,
    TeamView,
    VersionedMemberView,
)
from services.shared.mcp.arguments import Cursor, IdempotencyKey, Limit
from services.shared.mcp.feed import After, Mark, Wait
from services.shared.mcp.tool import CREATE, DESTROY, OVERWRITE, READ, UPDATE, tool


@tool(scope="orgs:read", hints=READ, title="Who am I")
def whoami(desk: Desk) -> MeView:
    """Tell who the caller is: name, role, and the organization all other calls are about. Costs next to nothing.

    With status invited, nothing else can be done before accept_invitation.
    """
    return MeView.of_membership(desk.whoami())


@tool(scope="orgs:read", hints=READ, title="List my organizations")
def list_my_organizations(desk: Desk) -> MembershipsView:
    """List the organizations the caller is a member of or invited to, with the caller's role in each.

    All other calls are about the current one only. To work in another takes a token of that organization.
    """
    current = desk.office.caller.org_id
    return MembershipsView(items=[MembershipView.of(each, current=current) for each in desk.my_organizations()])


@tool(scope="orgs:read", hints=READ, title="Organization")
def get_organization(desk: Desk) -> OverviewView:
    """Tell name, ticket prefix, status and size of the caller's organization."""
    return OverviewView.of_overview(desk.organization())


@tool(scope="orgs:read", hints=READ, title="List members")
def list_members(
    desk: Desk,
    *,
    role: WantedRole = None,
    status: WantedStatus = None,
    query: Query = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> MemberPageView:
    """List members of the caller's organization by name; a requester sees only themselves.

    Use it to turn the ids in tickets into names, or a name into an id. Without status, it also lists who is invited and
    who was deactivated. To go on, repeat the call with the same arguments and with cursor.
    """
    wanted = Wanted(query, role, status)
    return MemberPageView.of(desk.members.list(wanted, limit=limit, cursor=cursor), at=desk.now())


@tool(scope="orgs:read", hints=READ, title="Member")
def get_member(desk: Desk, *, user_id: MemberId | None = None, email: Address | None = None) -> VersionedMemberView:
    """Look up one member by id or by email: give exactly one of them. For a name, use list_members with query."""
    return VersionedMemberView.of_known(desk.members.get(user_id, email), at=desk.now())


@tool(scope="orgs:read", hints=READ, title="List teams")
def list_teams(desk: Desk, *, limit: Limit = 20, cursor: Cursor = None) -> TeamPageView:
    """List the teams of the caller's organization by name; a requester sees those they are in.

    To go on, repeat the call with cursor. Who is in a team, get_team tells.
    """
    found = desk.teams.list(limit=limit, cursor=cursor)
    return TeamPageView.of(found.listing, found.sizes)


@tool(scope="orgs:read", hints=READ, title="Team")
def get_team(desk: Desk, team_id: TeamId) -> TeamView:
    """Tell who is in a team, by name and with role and status."""
    return desk.teams.get(team_id)


@tool(scope="orgs:read", hints=READ, title="List changes")
async def list_changes(
    desk: Desk, *, after: After = None, mark: Mark = None, limit: Limit = 50, wait_seconds: Wait = 0
) -> FeedView:
    """List what was done to members and teams after a position, the oldest first: who did what and when.

    Call it first without after, then each time with position and mark of the result before: nothing is told twice and
    nothing is left out. A conflict means that the organization is of a system begun anew: read it again.
    """
    return await desk.following(limit=limit).after(after, mark, wait_seconds=wait_seconds)


@tool(scope="orgs:write", hints=CREATE, title="Invite a member")
def invite_member(
    desk: Desk, email: Address, *, role: NewRole, idempotency_key: IdempotencyKey = None
) -> VersionedMemberView:
    """Invite somebody to the caller's organization by email. Only for admins and owners; as an owner only by owners.

    The invitation is good for a week. Invite again to renew it, to change its role, or to ask back whoever was
    deactivated. The person has an account at the identity provider from then on, which lets nobody in before they
    accepted there. conflict: an active member has that address. unavailable: the identity provider did not confirm it,
    so nothing was stored; repeat the same call.
    """
    return desk.members.invite(email, role, key=idempotency_key)


@tool(scope="orgs:write", hints=UPDATE, title="Accept an invitation")
def accept_invitation(desk: Desk) -> VersionedMemberView:
    """Accept the invitation of the caller to the organization of their token. Who is a member already stays one.

    conflict: the invitation has expired, or the membership was deactivated.
    """
    return VersionedMemberView.of_known(desk.members.accept(), at=desk.now())


@tool(scope="orgs:write", hints=OVERWRITE, title="Change a member's role", confirm=questions.change_role)
def update_member_role(
    desk: Desk, user_id: MemberId, *, role: NewRole, expected_version: Version
) -> VersionedMemberView:
    """Give a member of the caller's organization another role. Only for admins and owners; owners only by owners.

    A person is asked to approve it. Take id and version from list_members. The member's next token carries the role;
    one they hold reads by the old role until it expires, and changes only what the new one may as well. conflict:
    somebody changed the member since (read again), the member was deactivated, or it is the last owner. unavailable:
    the identity provider did not confirm it, so it was not stored; repeat the same call, which puts both in step.
    """
    changed = desk.members.change_role(user_id, role, expected_version=expected_version)
    return VersionedMemberView.of_known(changed, at=desk.now())


@tool(scope="orgs:write", hints=DESTROY, title="Deactivate a member", confirm=questions.deactivate)
def deactivate_member(desk: Desk, user_id: MemberId) -> VersionedMemberView:
    """End somebody's membership in the caller's organization. Only for admins and owners; owners only by owners.

    A person is asked to approve it. The member is signed out everywhere and gets no new tokens; their tickets and teams
    still name them. invite_member asks them back. conflict: it is the last owner. unavailable: the identity provider
    did not confirm it, so nothing was stored; repeat the same call.
    """
    return VersionedMemberView.of_known(desk.members.deactivate(user_id), at=desk.now())


@tool(scope="orgs:write", hints=CREATE, title="Create a team")
def create_team(desk: Desk, display_name: TeamName, *, idempotency_key: IdempotencyKey = None) -> TeamView:
    """Create a team without members. Only for admins and owners.

    conflict: there is a team of that name, whose id is told.
    """
    return desk.teams.create(display_name, key=idempotency_key)


@tool(scope="orgs:write", hints=UPDATE, title="Add a member to a team")
def add_team_member(desk: Desk, team_id: TeamId, *, user_id: MemberId) -> TeamView:
    """Add a member to a team; whoever is in it already stays. Only for admins and owners.

    conflict: the member was deactivated.
    """
    return desk.teams.add_member(team_id, user_id)


@tool(scope="orgs:write", hints=DESTROY, title="Remove a member from a team", confirm=questions.remove_team_member)
def remove_team_member(desk: Desk, team_id: TeamId, *, user_id: MemberId) -> TeamView:
    """Remove a member from a team; they stay in the organization. Only for admins and owners.

    A person is asked to approve it. Whoever is not in the team stays out.
    """
    return desk.teams.remove_member(team_id, user_id)


TOOLS = (
    whoami,
    list_my_organizations,
    get_organization,
    list_members,
    get_member,
    list_teams,
    get_team,
    list_changes,
    invite_member,
    accept_invitation,
    update_member_role,
    deactivate_member,
    create_team,
    add_team_member,
    remove_team_member,
)
