"""Session state, of which these servers have none: whatever a caller is shown or may do follows from their token."""

from __future__ import annotations

from typing import Any, NoReturn

from fastmcp import FastMCP


class _Nothing:
    """A store in which nothing is found."""

    async def get(self, **_asked: Any) -> None:
        """Nothing."""

    async def put(self, **_asked: Any) -> NoReturn:
        """Raises RuntimeError: a second request would find it in one process and not in another."""
        raise RuntimeError("there is no session state here")

    async def delete(self, **_asked: Any) -> None:
        """There was nothing."""


class Stateless(FastMCP):
    """FastMCP without its store of session state, which it looks into at every call to see what is hidden.

    It would be made at the first call, of 436 modules: 0.2 s and 15 MiB in every process that answers one.
    """

    @property
    def _state_store(self) -> Any:
        return _Nothing()
