"""Listings page by page: a cursor is where a page ended, and in which listing."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic

from services.organizations.repository import Named, Page
from services.shared.mcp import cursor as cursors


@dataclass(frozen=True, slots=True)
class Listing(Generic[Named]):
    """A page and the cursor of the next one."""

    page: Page[Named]
    next_cursor: str | None

    @classmethod
    def of(cls, page: Page[Named], listing: Hashable) -> Listing[Named]:
        """The page of a listing, which is anything whose ``repr`` tells it from all others."""
        return cls(page, None if page.end is None else cursors.seal(page.end, listing=listing))


def place(cursor: str | None, listing: Hashable, find: Callable[[str], Named | None]) -> Named | None:
    """What the page before ended at; None: the first page is wanted.

    Raises:
        Invalid: the cursor is not of this listing, or what it stood at is gone.
    """
    if cursor is None:
        return None
    at = cursors.unseal(cursor, str, listing=listing)
    found = None if "\0" in at else find(at)  # PostgreSQL takes no text with U+0000, not even to find none
    if found is None:
        raise cursors.refused()
    return found
