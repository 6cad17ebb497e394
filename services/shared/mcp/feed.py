"""What the feeds of changes of both servers have in common: how far one is read, and where it goes on."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from services.shared.problems import Conflict, Flaw

LONGEST_WAIT_S = 20

After = Annotated[
    Annotated[int, Field(ge=0, le=2**53 - 1)] | None,
    Field(description="The position of the result before. Left out: where the feed ends now, and no changes."),
]
Wait = Annotated[
    int,
    Field(ge=0, le=LONGEST_WAIT_S, description="With nothing new, how many seconds to wait for it."),
]
Position = Annotated[
    int, Field(description="Pass it as after to go on; it also moves past what the caller may not see.")
]
More = Annotated[bool, Field(description="Whether there is more already.")]


def require_position(after: int, *, end: int) -> None:
    """Refuse a position that the feed has not reached.

    Raises:
        Conflict: it is one of another feed, such as that of a database before it was laid anew.
    """
    if after > end:
        raise Conflict(
            f"The feed ends at {end}, before {after}: that is a position of another one. Begin anew, without after.",
            errors=[Flaw(pointer="arguments.after", detail=f"The feed ends at {end}.")],
        )
