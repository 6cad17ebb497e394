"""What a tenant remembers: open pages, sessions, consents, codes, and families of tokens."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Set
from dataclasses import replace
from typing import Any

from services.idp.devices import Devices
from services.idp.records import (
    Code,
    Consent,
    Family,
    Interaction,
    Participation,
    PushedRequest,
    RefreshToken,
    Revocation,
    Session,
    SpentAssertion,
)
from services.idp.shelf import Record, Shelf, digest, kept


class Store:
    """The shelves of one tenant. Secrets (cookies, codes, refresh tokens) are kept only as digests."""

    def __init__(self, connection: sqlite3.Connection, *, tenant: str) -> None:
        self._shelves: list[Shelf[Any]] = []

        def shelf(kind: type[Record], name: str, *, displaces: bool = True) -> Shelf[Record]:
            made = Shelf(connection, kind, tenant=tenant, name=name, displaces=displaces)
            self._shelves.append(made)
            return made

        self.interactions = shelf(Interaction, "interactions")
        self._sessions = shelf(Session, "sessions")
        self._participations = shelf(Participation, "participations")
        self._consents = shelf(Consent, "consents")
        self._families = shelf(Family, "families")
        self._codes = shelf(Code, "codes")
        self._pushed = shelf(PushedRequest, "pushed-requests")
        self._refresh_tokens = shelf(RefreshToken, "refresh-tokens")
        self._revoked = shelf(Revocation, "revocations", displaces=False)
        self.devices = Devices(connection, tenant=tenant)
        self._spent = shelf(SpentAssertion, "spent-assertions", displaces=False)

    def forget(self) -> None:
        """Forget everybody: nobody is signed in, and no code or token is known any more."""
        for shelf in self._shelves:
            shelf.clear()
        self.devices.forget()

    def add_session(self, session: Session) -> str:
        """Returns the secret for the cookie."""
        return kept(self._sessions, session, owner=session.subject)

    def session(self, secret: str | None, *, at: float) -> Session | None:
        return self._sessions.get(digest(secret), at=at) if secret else None

    def end_session(self, secret: str | None) -> None:
        if secret:
            self._sessions.drop(digest(secret))

    def take_sessions(self, subject: str, *, at: float) -> list[Session]:
        """Those of a person, which are over now."""
        sessions = self._sessions.all(at=at, owner=subject)
        for key in sessions:
            self._sessions.drop(key)
        return list(sessions.values())

    def take_session(self, sid: str, *, at: float) -> Session | None:
        """That of this ``sid``, which is over now. It looks at every session there is."""
        for key, session in self._sessions.all(at=at).items():
            if session.sid == sid:
                self._sessions.drop(key)
                return session
        return None

    def add_participant(self, session: Session, client_id: str) -> None:
        """The client has to do with the session, for as long as it lasts."""
        key = _joined(session.sid, client_id)
        self._participations.put(key, Participation(client_id, session.expires_at), owner=session.sid)

    def keep_participants(self, session: Session, *, at: float) -> None:
        """The session goes on: so do those who take part in it."""
        for client_id in self.participants(session.sid, at=at):
            self.add_participant(session, client_id)

    def participants(self, sid: str, *, at: float) -> list[str]:
        """The clients that have to do with a session."""
        return [each.client_id for each in self._participations.all(at=at, owner=sid).values()]

    def consented(self, subject: str, client_id: str, resource: str) -> frozenset[str]:
        """The scopes that a person lets a client have at a resource."""
        consent = self._consents.get(_joined(subject, client_id, resource), at=0)
        return consent.scopes if consent else frozenset()

    def keep_consent(
        self, subject: str, client_id: str, resource: str, scopes: frozenset[str], *, organization: str
    ) -> None:
        """These, in place of those of before."""
        self._consents.put(_joined(subject, client_id, resource), Consent(scopes, organization), owner=subject)

    def drop_consent(self, subject: str, client_id: str, resource: str) -> None:
        """None any more."""
        self._consents.drop(_joined(subject, client_id, resource))

    def drop_consents(self, subject: str, org_ids: Set[str] | None = None) -> None:
        """None of a person any more, or none as a member of these."""
        for key, consent in self._consents.all(at=0, owner=subject).items():
            if org_ids is None or consent.organization in org_ids:
                self._consents.drop(key)

    def add_family(self, family: Family) -> None:
        self._families.put(family.id, family, owner=family.sid)

    def family(self, family_id: str, *, at: float) -> Family | None:
        """None if it has ended, in time or by revocation."""
        family = self._families.get(family_id, at=at)
        return None if family is None or family.revoked else family

    def families_of(self, sid: str, *, at: float) -> list[Family]:
        """What one session was granted, as far as it has not ended."""
        return [family for family in self._families.all(at=at, owner=sid).values() if not family.revoked]

    def families_for(self, subject: str, *, at: float) -> list[Family]:
        """What a person granted in any session. It looks at every family there is."""
        families = self._families.all(at=at).values()
        return [family for family in families if family.subject == subject and not family.revoked]

    def revoke_organizations(self, subject: str, org_ids: Set[str], *, at: float) -> None:
        """What a person granted as a member of these, and let clients have."""
        if org_ids:
            self.drop_consents(subject, org_ids)
        for family in self.families_for(subject, at=at) if org_ids else ():
            if family.organization in org_ids:
                self.revoke_family(family.id, at=at)

    def families_to(self, client_id: str, *, at: float) -> list[Family]:
        """What a client was granted by anybody. It looks at every family there is."""
        families = self._families.all(at=at).values()
        return [family for family in families if family.client_id == client_id and not family.revoked]

    def revoke_client(self, client_id: str, *, at: float) -> None:
        """All that anybody granted to the client."""
        for family in self.families_to(client_id, at=at):
            self.revoke_family(family.id, at=at)

    def revoke_family(self, family_id: str, *, at: float) -> None:
        """With it go its refresh tokens, and its access tokens as far as this provider is asked about them."""
        family = self._families.get(family_id, at=at)
        if family:
            self.add_family(replace(family, revoked=True))

    def add_code(self, code: Code) -> str:
        """Returns the code as the client gets it."""
        return kept(self._codes, code)

    def take_code(self, secret: str, *, at: float) -> Code | None:
        """The code as it was before; afterwards it counts as used, whatever comes of this attempt."""
        key = digest(secret)
        code = self._codes.get(key, at=at)
        if code:
            self._codes.put(key, replace(code, used=True))
        return code

    def add_pushed(self, request: PushedRequest) -> str:
        """Returns the name by which the browser asks for it."""
        return kept(self._pushed, request)

    def take_pushed(self, name: str, *, at: float) -> PushedRequest | None:
        """The request, which is gone now."""
        request = self._pushed.get(digest(name), at=at)
        self._pushed.drop(digest(name))
        return request

    def add_refresh_token(self, token: RefreshToken) -> str:
        """Returns the token as the client gets it."""
        return kept(self._refresh_tokens, token)

    def refresh_token(self, secret: str, *, at: float) -> RefreshToken | None:
        return self._refresh_tokens.get(digest(secret), at=at)

    def use_refresh_token(self, secret: str, *, at: float) -> None:
        """From now on its appearance is a sign of theft."""
        token = self.refresh_token(secret, at=at)
        if token:
            self._refresh_tokens.put(digest(secret), replace(token, used=True))

    def spare_refresh_token(self, secret: str) -> None:
        """Let it count as never used."""
        token = self._refresh_tokens.get(digest(secret), at=0)
        if token:
            self._refresh_tokens.put(digest(secret), replace(token, used=False))

    def revoke_access_token(self, jti: str, *, expires_at: float) -> None:
        """With it goes every token it was exchanged for."""
        self._revoked.put(jti, Revocation(expires_at))

    def access_token_revoked(self, lineage: tuple[str, ...], *, at: float) -> bool:
        """Whether any of these is revoked: the ``jti`` of a token, and of those it was exchanged from."""
        return any(self._revoked.get(jti, at=at) is not None for jti in lineage)

    def spend_assertion(self, issuer: str, jti: str, *, expires_at: float, at: float) -> bool:
        """Whether it is the first time that this issuer's assertion of that id is handed in."""
        key = digest(_joined(issuer, jti))
        if self._spent.get(key, at=at) is not None:
            return False
        self._spent.put(key, SpentAssertion(expires_at))
        return True


def _joined(*names: str) -> str:
    return json.dumps(names)  # which are any text, so that no separator would do
