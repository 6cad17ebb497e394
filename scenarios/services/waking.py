"""Whether something that is done wakes who waits for news of an organization."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from anyio import to_thread
from anyio.from_thread import start_blocking_portal

from services.shared.database import Database

WITHIN_S = 0.5


def wakes(database: Database, org_id: str, act: Callable[[], object]) -> bool:
    """Do it in a thread, as a server does, while somebody waits in an event loop."""

    async def waited() -> bool:
        with database.news.listening(org_id, leaving=asyncio.Event()) as listener:
            await to_thread.run_sync(act)
            return await listener.within(WITHIN_S, read_up_to=0)

    with start_blocking_portal() as portal:
        return portal.call(waited)
