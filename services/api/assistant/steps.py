"""The words of the simulated model: what was said and done so far, and what may come next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Say:
    """End the turn with a text (Markdown)."""

    text: str


@dataclass(frozen=True)
class Call:
    """Use a tool, then look again."""

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


Step = Say | tuple[Call, ...]


@dataclass(frozen=True)
class UserSaid:
    """The beginning of a turn."""

    text: str


@dataclass(frozen=True)
class ToolReturned:
    """What became of a call."""

    call: Call
    content: Any
    """The structured result; of a failed call, whatever came with the failure."""
    failed: bool = False


@dataclass(frozen=True)
class AssistantSaid:
    """The end of a turn."""

    text: str


Message = UserSaid | ToolReturned | AssistantSaid


@dataclass(frozen=True)
class Turn:
    """What the user said last, and what was done about it since."""

    text: str
    returned: tuple[ToolReturned, ...] = ()

    @classmethod
    def last(cls, messages: Sequence[Message]) -> Turn:
        """The turn that is going on at the end of ``messages``."""
        text = ""
        returned: tuple[ToolReturned, ...] = ()
        for message in messages:
            match message:
                case UserSaid(said):
                    text, returned = said, ()
                case ToolReturned():
                    returned += (message,)
        return cls(text, returned)
