"""The same for several tickets: all that keeps it from being done is told at once, and then nothing is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from services.shared.problems import Conflict, Flaw, Forbidden, Invalid, NotFound, ProblemError

Done = TypeVar("Done")

_FIRST_TOLD = (NotFound, Forbidden, Invalid, Conflict)
"""What one of several refusals is told as, if they are not of one kind."""


def each(keys: Sequence[str], act: Callable[[str], Done]) -> list[Done]:
    """What ``act`` gives for each of the keys; a key that is there twice counts once.

    Raises:
        ProblemError: it refused some of them; ``errors`` says which, and why.
    """
    done: list[Done] = []
    refused: list[tuple[int, ProblemError]] = []
    for place, key in enumerate(keys):
        if key in keys[:place]:
            continue
        try:
            done.append(act(key))
        except ProblemError as error:
            refused.append((place, error))
    if refused:
        raise _together(refused)
    return done


def _together(refused: list[tuple[int, ProblemError]]) -> ProblemError:
    kind = next(kind for kind in _FIRST_TOLD if any(type(error) is kind for _, error in refused))
    flaws = [
        # What is wrong with another argument is wrong once, and not with a key.
        flaw
        for place, error in refused
        for flaw in (error.errors or [Flaw(pointer=f"arguments.keys.{place}", detail=error.detail)])
    ]
    told = list({(flaw.pointer, flaw.detail): flaw for flaw in flaws}.values())
    return kind(f"No ticket was changed: {told[0].detail}", errors=told)
