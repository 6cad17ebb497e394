"""The stored conversations of one person, as they may see them."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from services.api import paging, scopes
from services.api.assistant import said
from services.api.assistant.archive import Archive
from services.api.assistant.repository import Place
from services.api.assistant.views import Conversation, ConversationPage, ConversationSummary
from services.api.tables import StoredConversation
from services.api.views import PageQuery
from services.shared.mcp import cursor as cursors
from services.shared.problems import InsufficientScope, Invalid, NotFound


def missing(id: str) -> NotFound:  # noqa: A002 - the conversation's
    """What is said of a conversation that is not there, and of somebody else's."""
    return NotFound(f"There is no conversation {id}.")


def closed(needed: Set[str]) -> InsufficientScope:
    """What is said of a conversation in which more could be read than the caller's token is good for."""
    return scopes.missing("This conversation was held with scopes the token does not have.", sorted(needed))


@dataclass(frozen=True)
class Conversations:
    """Those of one owner, whose token is good for reading with ``scopes``."""

    archive: Archive
    owner: str
    scopes: Set[str]

    async def page(self, asked: PageQuery) -> ConversationPage:
        """One page, the last used first.

        Raises:
            NotFound: the cursor leads nowhere in this list.
        """
        listing = ("conversations", self.owner)
        try:
            after = cursors.unseal(asked.cursor, Place, listing=listing) if asked.cursor else None
        except Invalid as error:
            raise paging.no_such_page() from error
        if after is not None and "\0" in after.id:  # PostgreSQL takes no such text, not even to find none
            raise paging.no_such_page()
        page = await self.archive.page(self.owner, after=after, limit=asked.limit)
        return ConversationPage(
            items=[ConversationSummary(**_told(row)) for row in page.items],
            next_cursor=None if page.end is None else cursors.seal(page.end, listing=listing),
            total=page.total,
        )

    async def get(self, id: str) -> Conversation:  # noqa: A002
        """One with its messages.

        Raises:
            NotFound: there is none of this owner.
            InsufficientScope: it was held with scopes that are missing now.
        """
        found = await self.archive.whole(self.owner, id)
        if found is None:
            raise missing(id)
        row, history = found
        if needed := row.needs - self.scopes:
            raise closed(needed)
        return Conversation(**_told(row), version=row.version, messages=said.shown(history))

    async def delete(self, id: str) -> None:  # noqa: A002
        """Erase one. Raises NotFound: there is none of this owner."""
        if not await self.archive.erase(self.owner, id):
            raise missing(id)


def _told(row: StoredConversation) -> dict[str, object]:
    return {name: getattr(row, name) for name in ConversationSummary.model_fields}
