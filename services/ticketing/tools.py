"""The tools. Signature and docstring are the contract a model reads; the work is done at the desk."""

from __future__ import annotations

from services.shared.lines import quoted
from services.shared.mcp.arguments import Cursor, IdempotencyKey, Limit
from services.shared.mcp.feed import After, Mark, Wait
from services.shared.mcp.tool import CREATE, DESTROY, OVERWRITE, READ, UPDATE, tool
from services.ticketing import arguments as arg
from services.ticketing.arguments import Desk, Key
from services.ticketing.desk import Draft
from services.ticketing.feed_views import FeedView
from services.ticketing.history import Field, Value
from services.ticketing.views import (
    CommentedView,
    CommentPageView,
    DeletedView,
    HistoryPageView,
    StatsView,
    TicketDetailView,
    TicketListView,
    TicketPageView,
    TicketView,
    TransitionListView,
)
from services.ticketing.wanted import Wanted


@tool(scope="tickets:read", hints=READ, title="Search tickets")
def search_tickets(
    desk: Desk,
    *,
    query: arg.Query = None,
    status: arg.Statuses = None,
    priority: arg.Priorities = None,
    type: arg.OnlyType = None,  # noqa: A002 - the name on the wire
    assignee: arg.OnlyAssignee = None,
    reporter: arg.OnlyReporter = None,
    labels: arg.OnlyLabels = None,
    team_id: arg.OnlyTeam = None,
    updated_since: arg.UpdatedSince = None,
    sort: arg.SortBy = "-updatedAt",
    limit: Limit = 20,
    cursor: Cursor = None,
) -> TicketPageView:
    """List tickets of the caller's organization that match all that is given, the last changed first.

    Without arguments it lists all the caller may see; a requester sees only tickets they reported. total counts every
    match, so limit=1 is enough to count. To go on, repeat the call with the same arguments and with cursor. Long
    descriptions are cut to 300 characters; get_ticket has all of them.
    """
    wanted = Wanted(
        query=query,
        statuses=tuple(status or ()),
        priorities=tuple(priority or ()),
        kind=type,
        assignee_id=None if assignee == "none" else _person(desk, assignee),
        unassigned=assignee == "none",
        reporter_id=_person(desk, reporter),
        labels=tuple(labels or ()),
        team_id=team_id,
        updated_since=updated_since,
        sort=sort,
    )
    return desk.search(wanted, limit=limit, cursor=cursor)


@tool(scope="tickets:read", hints=READ, title="Read a ticket")
def get_ticket(desk: Desk, key: Key, *, include: arg.Include = None) -> TicketDetailView:
    """Read one ticket whose key is known; otherwise use search_tickets. All its texts are what users wrote."""
    return desk.get(key, frozenset(include or ()))


@tool(scope="tickets:read", hints=READ, title="Read the comments of a ticket")
def list_comments(desk: Desk, key: Key, *, limit: Limit = 20, cursor: Cursor = None) -> CommentPageView:
    """List what was said about a ticket, the oldest first. Internal comments are never shown to requesters."""
    return desk.comments(key, limit=limit, cursor=cursor)


@tool(scope="tickets:read", hints=READ, title="Read the history of a ticket")
def get_ticket_history(desk: Desk, key: Key, *, limit: Limit = 20, cursor: Cursor = None) -> HistoryPageView:
    """List who changed what of a ticket and when, the oldest entry first. Comments are in it without their text."""
    return desk.history(key, limit=limit, cursor=cursor)


@tool(scope="tickets:read", hints=READ, title="See what may become of a ticket")
def list_transitions(desk: Desk, key: Key) -> TransitionListView:
    """List the statuses the caller can move a ticket to now, with the arguments transition_ticket needs for each.

    None are listed where the ticket is closed or cancelled, or the caller may move no ticket.
    """
    return desk.transitions(key)


@tool(scope="tickets:read", hints=READ, title="Count tickets")
def ticket_stats(desk: Desk, group_by: arg.GroupBy) -> StatsView:
    """Count all tickets the caller may see, by status, priority, type, assignee or team. It costs little."""
    return desk.stats(group_by)


@tool(scope="tickets:read", hints=READ, title="List changes")
async def list_changes(
    desk: Desk, *, after: After = None, mark: Mark = None, limit: Limit = 50, wait_seconds: Wait = 0
) -> FeedView:
    """List what was done to tickets after a position, the oldest first: who did what and when, and not what was said.

    Call it first without after, then each time with position and mark of the result before: nothing is told twice and
    nothing is left out. A conflict means that the tickets are of a system begun anew: read them again.
    """
    return await desk.following(limit=limit).after(after, mark, wait_seconds=wait_seconds)


@tool(scope="tickets:write", hints=CREATE, title="Open a ticket")
def create_ticket(
    desk: Desk,
    title: arg.Title,
    *,
    description: arg.Description = "",
    type: arg.Kind = "request",  # noqa: A002 - the name on the wire
    priority: arg.Urgency = "normal",
    labels: arg.Labels,
    team_id: arg.TeamId = None,
    assignee_id: arg.AssigneeId = None,
    idempotency_key: IdempotencyKey = None,
) -> TicketView:
    """Open a ticket in the caller's organization, with the caller as reporter. Use incident for something broken.

    It starts as open. Called twice without idempotency_key, it opens two tickets. A requester cannot assign it.
    """
    draft = Draft(title, description, type, priority, tuple(labels), team_id, _person(desk, assignee_id))
    return desk.create(draft, idempotency_key=idempotency_key)


@tool(scope="tickets:write", hints=UPDATE, title="Change a ticket")
def update_ticket(
    desk: Desk,
    key: Key,
    expected_version: arg.ReadVersion,
    *,
    title: arg.NewTitle = None,
    description: arg.NewDescription = None,
    type: arg.NewType = None,  # noqa: A002 - the name on the wire
    priority: arg.NewPriority = None,
    labels: arg.NewLabels = None,
) -> TicketView:
    """Change what is said of a ticket; what is left out stays. For its status use transition_ticket.

    Read the ticket first for its version. A conflict names the present one: read again, and decide again. A ticket that
    is done keeps its priority.
    """
    given: dict[Field, Value] = {
        "title": title,
        "description": description,
        "type": type,
        "priority": priority,
        "labels": labels,
    }
    wanted = {field: value for field, value in given.items() if value is not None}
    return desk.update(key, wanted, expected_version=expected_version)


@tool(scope="tickets:write", hints=CREATE, title="Move a ticket to another status")
def transition_ticket(
    desk: Desk,
    key: Key,
    to: arg.To,
    *,
    resolution: arg.Resolution = None,
    comment: arg.TransitionComment = None,
    expected_version: arg.ReadVersionIfAny = None,
) -> TicketView:
    """Move a ticket to another status; resolved needs a resolution, and going back to open from there clears it.

    A conflict names the statuses that are possible. A requester can only cancel and reopen tickets they reported.
    """
    return desk.transition(key, to, resolution=resolution, comment=comment, expected_version=expected_version)


@tool(scope="tickets:write", hints=UPDATE, title="Assign a ticket")
def assign_ticket(
    desk: Desk, key: Key, assignee: arg.Assignee, *, expected_version: arg.ReadVersionIfAny = None
) -> TicketView:
    """Give a ticket to somebody who works on tickets, or take it from everybody. It tells nobody but the history."""
    return desk.assign(key, _person(desk, assignee), expected_version=expected_version)


@tool(scope="tickets:write", hints=CREATE, title="Comment on a ticket")
def add_comment(
    desk: Desk,
    key: Key,
    body: arg.Body,
    *,
    visibility: arg.VisibleTo = "public",
    idempotency_key: IdempotencyKey = None,
) -> CommentedView:
    """Say something about a ticket in the caller's name. A public comment can be read by its reporter.

    A comment cannot be changed or taken back. Called twice without idempotency_key, it is said twice.
    """
    return desk.comment(key, body, visibility, idempotency_key=idempotency_key)


def _ask_to_move(desk: Desk, keys: arg.Keys, to: arg.To, *, resolution: arg.Resolution = None) -> str:
    moved = desk.movable(keys, to, resolution=resolution)
    count = "this ticket" if len(moved) == 1 else f"these {len(moved)} tickets"
    why = "" if resolution is None else f" with the resolution {quoted(resolution, longest=500)}"
    return "\n".join([f"Make {count} {to}{why}?", *map(_present, moved)])


@tool(scope="tickets:write", hints=OVERWRITE, title="Move several tickets to one status", confirm=_ask_to_move)
def bulk_transition(desk: Desk, keys: arg.Keys, to: arg.To, *, resolution: arg.Resolution = None) -> TicketListView:
    """Move up to 50 tickets to one status: all of them or, if one cannot be moved, none. A person is asked first.

    A refusal names every key that cannot be moved, and why: leave those out, and call again.
    """
    return desk.bulk_transition(keys, to, resolution=resolution)


def _ask_to_delete(desk: Desk, key: Key, expected_version: arg.ReadVersion) -> str:
    ticket, comments = desk.deletable(key, expected_version=expected_version)
    said = "no comments" if not comments else "its comment" if comments == 1 else f"its {comments} comments"
    return f"Delete {_present(ticket)} with {said} and its history, for good?"


@tool(scope="tickets:delete", hints=DESTROY, title="Delete a ticket", confirm=_ask_to_delete)
def delete_ticket(desk: Desk, key: Key, expected_version: arg.ReadVersion) -> DeletedView:
    """Delete a ticket with its comments and history, for good. Only for admins and owners; a person is asked first.

    To end a ticket that is not wanted any more, move it to cancelled instead: its history stays.
    """
    return desk.delete(key, expected_version=expected_version)


def _present(ticket: TicketView) -> str:
    # With the version, so that an answer is none to what has changed since.
    return f"{ticket.key}, {quoted(ticket.title)} (now {ticket.status}, version {ticket.version})"


def _person(desk: Desk, named: str | None) -> str | None:
    return desk.caller.subject if named == "me" else named


TOOLS = (
    search_tickets,
    get_ticket,
    list_comments,
    get_ticket_history,
    list_transitions,
    ticket_stats,
    list_changes,
    create_ticket,
    update_ticket,
    transition_ticket,
    assign_ticket,
    add_comment,
    bulk_transition,
    delete_ticket,
)
