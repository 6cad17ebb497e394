"""Whatever people do to an organization, in any order and with a provider that fails: what must hold after each step.

A failure prints itself as a program of these steps.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence, Set
from contextlib import ExitStack, nullcontext
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, get_args

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from scenarios.services.copies import Originals
from scenarios.services.organizations.desks import BOTH_SCOPES, Desks, everybody, lay
from services.organizations.desk import OrganizationDesk
from services.organizations.membership import Status
from services.organizations.repository import Wanted
from services.organizations.roles import ROLES
from services.organizations.tables import Base, Member
from services.shared.database import connected
from services.shared.idempotency import KEPT
from services.shared.permissions import Caller
from services.shared.problems import Conflict, Forbidden, Invalid, NotFound, ProblemError

EMAILS = ("mira@x.example", "MIRA@x.example", "noah@x.example", "rita@acme.example", "grace@globex.example")
NAMES = ("Network", "NETWORK", "Desk")

somebody = st.sampled_from([0, 0, 0, 1, 1, 2, 3, 4, 5, 6])
"""One of those there are now, by place, the most powerful first: the steps that are printed need no ids."""
roles = st.sampled_from(ROLES)
keys = st.sampled_from([None, None, "k1", "k2"])
failures = st.sampled_from([None] * 5 + ["unreachable", "lost", "refusing"])
scopes = st.sampled_from([BOTH_SCOPES] * 6 + [frozenset({"orgs:read"}), frozenset({"orgs:write"})])

STORED = (
    ("organizations", 1, "id, status"),
    ("members", 2, "org_id, id, role, status, invited_until, version"),
    ("teams", 2, "org_id, id, name, version"),
    ("team_members", 3, "org_id, team_id, member_id"),
    ("feed", 2, "org_id, position, type, member_id, team_id, version"),
)
"""Tables, how many of the columns are the key, and the columns."""

MEMBERS = frozenset({"active"})
HERE = MEMBERS | {"invited"}
ANYBODY = HERE | {"inactive"}

Rows = dict[tuple[Any, ...], Any]
"""What is stored, by table and key."""


class Acme(RuleBasedStateMachine):
    """An organization, beside others where nothing ever changes."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._opened = ExitStack()
        self.desks = Desks.on(self._opened.enter_context(connected(url, Base.metadata, lay=lay)))
        self.org_id = self.desks.person("olivia")[0].id
        self.answers = dict[Hashable, tuple[datetime, Hashable, object]]()
        self.uncertain = set[str]()
        """Of whom the provider may have heard something that is not stored here."""

    def teardown(self) -> None:
        self._opened.close()

    @initialize(gone=st.sets(st.sampled_from(["adam", "alice", "rita"])), owner=st.none() | st.just("adam"))
    def begin(self, *, gone: set[str], owner: str | None) -> None:
        olivia = self.desks("olivia").members
        if owner is not None:
            olivia.change_role(self.desks.id(owner), "owner", expected_version=1)
        for username in sorted(gone):
            olivia.deactivate(self.desks.id(username))

    @rule(actor=somebody, held=scopes, email=st.sampled_from(EMAILS), role=roles, key=keys, how=failures)
    def invite(
        self, *, actor: int, held: frozenset[str], email: str, role: Any, key: str | None, how: str | None
    ) -> None:
        desk, known = self.desk(actor, held), {each.folded_email: each for each in self.members()}
        before = known.get(email.casefold())
        act = partial(desk.members.invite, email, role, key=key)
        changed = {before.role, role} if before else {role}
        answer = self.once(desk, ("invite", key), (email, role), act, over=changed, how=how)
        if before is not None and how == "lost":
            self.uncertain.add(before.id)
        elif answer is not None:
            self.uncertain.discard(answer.id)

    @rule(actor=somebody)
    def accept(self, *, actor: int) -> None:
        desk, member = self.desk(actor), self.member(actor)
        if member.status == "invited":
            self.desks.provider.accounts[member.id].active = True  # as a person does there
        after = self.attempt(desk, desk.members.accept, open_to=HERE)
        if after is not None:
            self.same_again(desk, desk.members.accept, after)

    @rule(actor=somebody, held=scopes, whom=somebody, role=roles, stale=st.booleans(), how=failures)
    def change_role(
        self, *, actor: int, held: frozenset[str], whom: int, role: Any, stale: bool, how: str | None
    ) -> None:
        desk, member = self.desk(actor, held), self.member(whom)
        version = member.version - 1 if stale else member.version
        act = partial(desk.members.change_role, member.id, role, expected_version=version)
        after = self.told(member, desk, act, over={member.role, role}, how=how)
        assert after is None or not stale
        if after is not None and member.role != role:  # of two who have read the same, the second comes too late
            assert self.attempt(desk, act) is None

    @rule(actor=somebody, held=scopes, whom=somebody, how=failures)
    def deactivate(self, *, actor: int, held: frozenset[str], whom: int, how: str | None) -> None:
        desk, member = self.desk(actor, held), self.member(whom)
        act = partial(desk.members.deactivate, member.id)
        after = self.told(member, desk, act, over={member.role}, how=how)
        if after is not None and member.id != desk.office.caller.subject:
            self.same_again(desk, act, after)

    @rule(actor=somebody, held=scopes, name=st.sampled_from(NAMES), key=keys)
    def create_team(self, *, actor: int, held: frozenset[str], name: str, key: str | None) -> None:
        desk = self.desk(actor, held)
        self.once(desk, ("team", key), name, partial(desk.teams.create, name, key=key), over=set())

    @rule(actor=somebody, held=scopes, team=st.integers(0, 1), whom=somebody, enters=st.booleans())
    def change_team(self, *, actor: int, held: frozenset[str], team: int, whom: int, enters: bool) -> None:
        desk, member = self.desk(actor, held), self.member(whom)
        teams = [key[2] for key in self.rows() if key[:2] == ("teams", self.org_id)]
        team_id = sorted(teams)[team] if team < len(teams) else "team_x"
        act = partial(desk.teams.add_member if enters else desk.teams.remove_member, team_id, member.id)
        after = self.attempt(desk, act, over=set())
        if after is not None:
            assert (member.id in [each.id for each in after.members]) is enters
            self.same_again(desk, act, after)

    @rule(hours=st.sampled_from([1, 24, 24 * 8]))
    def pass_by(self, *, hours: int) -> None:
        self.desks.pass_by(timedelta(hours=hours))

    @rule(actor=somebody, held=scopes, role=st.none() | roles, limit=st.integers(1, 4))
    def read(self, *, actor: int, held: frozenset[str], role: Any, limit: int) -> None:
        desk, before = self.desk(actor, held), self.rows()
        self.attempt(desk, desk.whoami, open_to=HERE)
        self.attempt(desk, desk.my_organizations, open_to=ANYBODY)
        for look in (
            desk.organization,
            desk.members.access,
            partial(everybody, desk, Wanted(role=role), limit=limit),
            partial(desk.members.get, None, EMAILS[0]),
            partial(desk.members.may_deactivate, self.member(limit).id),
            partial(desk.teams.list, limit=limit, cursor=None),
        ):
            self.attempt(desk, look)
        assert self.rows() == before

    @rule(limit=st.integers(1, 4))
    def list_all(self, *, limit: int) -> None:
        members = self.members()
        owner = next(member for member in members if member.standing.counts_as_owner)
        desk = self.desks.of(Caller(owner.id, self.org_id, frozenset({"owner"}), BOTH_SCOPES))
        assert {each.id for each in everybody(desk, limit=limit)} == {each.id for each in members}
        counts = [desk.members.list(Wanted(status=each), limit=1, cursor=None).page.total for each in get_args(Status)]
        assert sum(counts) == desk.organization().members == len(members)

    @invariant()
    def there_is_an_active_owner(self) -> None:
        assert any(member.standing.counts_as_owner for member in self.members())

    @invariant()
    def the_provider_says_the_same(self) -> None:
        for member in self.members():
            account = self.desks.provider.accounts[member.id]
            if member.id not in self.uncertain:
                assert account.role == member.role
                assert account.active == (member.status == "active") or member.status == "invited"

    def told(
        self, member: Member, desk: OrganizationDesk, act: Callable[[], Any], *, over: set[str], how: str | None
    ) -> Any:
        """A change of somebody that is told to the provider, which may be failing."""
        after = self.attempt(desk, act, over=over, how=how)
        if how == "lost":
            self.uncertain.add(member.id)
        elif after is not None:
            self.uncertain.discard(member.id)
        return after

    def once(
        self,
        desk: OrganizationDesk,
        call: tuple[str, str | None],
        payload: Hashable,
        act: Callable[[], Any],
        *,
        over: set[str],
        how: str | None = None,
    ) -> Any:
        """Do it; if its key was used within a day, it does nothing, and answers as then or not at all."""
        place = (desk.office.caller.subject, *call)
        at, known, answer = self.answers.get(place, (self.desks.at - KEPT, None, None))
        if call[1] is not None and self.desks.at < at + KEPT:
            before = self.rows()
            again = self.attempt(desk, act, how=how)
            assert self.rows() == before
            assert again is None or (known, answer) == (payload, again)
            return None
        answer = self.attempt(desk, act, over=over, how=how)
        if answer is not None:
            self.answers[place] = (self.desks.at, payload, answer)
        return answer

    def same_again(self, desk: OrganizationDesk, act: Callable[[], Any], after: Any) -> None:
        """Twice is once."""
        before = self.rows()
        assert self.attempt(desk, act).version == after.version
        assert self.rows() == before

    def attempt(
        self,
        desk: OrganizationDesk,
        act: Callable[[], Any],
        *,
        over: set[str] | None = None,
        how: str | None = None,
        open_to: Set[str] = MEMBERS,
    ) -> Any:
        """What it returns, or None where it is refused, which changes nothing. It is open to callers of these statuses
        only. ``over`` are the roles of those it changes, where only admins may, and over owners only owners."""
        before, caller = self.rows(), desk.office.caller
        failing = self.desks.provider.failing(how) if how else nullcontext()
        # Where the provider does not fail, a refusal must be the desk's own.
        refusals = (ProblemError,) if how else (Forbidden, NotFound, Conflict, Invalid)
        with failing:
            try:
                answer = act()
            except refusals:
                assert self.rows() == before
                return None
        self.check_versions(before, self.rows())
        self.check_feed(before, self.rows())
        assert before["members", self.org_id, caller.subject][1] in open_to
        if over is not None:
            assert "orgs:write" in caller.scopes
            assert caller.roles <= ({"owner"} if "owner" in over else {"owner", "admin"})
        return answer

    def check_versions(self, before: Rows, after: Rows) -> None:
        """What has changed is in this organization, and counts it as one change."""
        assert before.keys() - after.keys() <= {key for key in before if key[0] == "team_members"}
        for key in (key for key in after if after[key] != before.get(key)):
            assert key[1] == self.org_id
            if key[0] in ("members", "teams"):
                assert after[key][-1] == (before[key][-1] + 1 if key in before else 1)

    def check_feed(self, before: Rows, after: Rows) -> None:
        """A change of a member or a team is one of the feed, with the version it has now; nothing else is."""
        changed = {
            key[2]: after[key][-1] for key in after if key[0] in ("members", "teams") and after[key] != before.get(key)
        }
        told = [(key[2], after[key]) for key in after if key[0] == "feed" and key not in before]
        assert [
            (member_id if team_id is None else team_id, version) for _, (_, member_id, team_id, version) in told
        ] == list(changed.items())

    @invariant()
    def the_feed_has_no_gap(self) -> None:
        positions = sorted(key[2] for key in self.rows() if key[0] == "feed")
        assert positions == list(range(1, len(positions) + 1))

    def desk(self, place: int, held: frozenset[str] = BOTH_SCOPES) -> OrganizationDesk:
        member = self.member(place)
        return self.desks.of(Caller(member.id, self.org_id, frozenset({member.role}), held))

    def member(self, place: int) -> Member:
        members = sorted(self.members(), key=lambda member: ROLES.index(member.role))
        return members[place % len(members)]

    def members(self) -> Sequence[Member]:
        with self.desks.database.reading() as session:
            return session.scalars(select(Member).where(Member.org_id == self.org_id).order_by(Member.id)).all()

    def rows(self) -> Rows:
        """Everything, with the version last where there is one."""
        with self.desks.database.engine.connect() as connection:
            return {
                (table, *row[:keys]): row[keys:]
                for table, keys, columns in STORED
                for row in connection.exec_driver_sql(f"SELECT {columns} FROM {table}")  # noqa: S608
            }


def test_an_organization_stays_whole_whatever_is_done_to_it(originals: Originals, tmp_path: Path) -> None:
    class Copied(Acme):
        def __init__(self) -> None:
            super().__init__(originals.sqlite(Base.metadata, lay, to=tmp_path / "organizations.db"))

    some = settings(max_examples=15, stateful_step_count=25, deadline=None, derandomize=True)
    run_state_machine_as_test(Copied, settings=some)
