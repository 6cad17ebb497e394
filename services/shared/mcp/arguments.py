"""Arguments that tools of both servers take."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

SearchText = Annotated[str, Field(min_length=1, max_length=200)]
Limit = Annotated[int, Field(ge=1, le=100, description="The most items to return.")]
Cursor = Annotated[
    Annotated[str, Field(min_length=1, max_length=200)] | None, Field(description="nextCursor of the page before.")
]
IdempotencyKey = Annotated[
    Annotated[str, Field(min_length=1, max_length=100)] | None,
    Field(
        description="Any text of your own, new for every new wish: sent again, the call is done once and answered so."
    ),
]
ExpectedVersion = Annotated[
    int, Field(ge=1, le=2**31 - 1, description="The version as it was read: whoever comes second changes nothing.")
]
