"""A route that streams events, and takes it calmly when the caller hangs up in between."""

from __future__ import annotations

import logging

from anyio import BrokenResourceError
from starlette.types import Receive, Scope, Send

from services.api.strict_route import StrictRoute

logger = logging.getLogger(__name__)


class EventRoute(StrictRoute):
    """FastAPI's own streaming of events (0.165) lets an error escape when nobody reads its stream any more.

    That is what the Stop button of the chat does: no error, and no traceback for the log.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, to the end or until the caller has gone."""
        try:
            await super().handle(scope, receive, send)
        except* BrokenResourceError:
            logger.info("%s: the caller hung up", scope["path"])
