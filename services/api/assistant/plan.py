"""What the simulated model decides: fixed rules, looked at in order, with what the tools returned as only knowledge.

Pure: no clock, no random numbers, no I/O. All state is in the messages, so the same conversation goes the same way.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.api.assistant.rules import RULES, introduce
from services.api.assistant.steps import Message, Say, Step, Turn
from services.api.assistant.wording import missing


def plan(messages: Sequence[Message], tools: frozenset[str]) -> Step:
    """The next step: the first rule that fits what the user said last, if the tools it needs are there."""
    turn = Turn.last(messages)
    rule = next((rule for rule in RULES if rule.says.search(turn.text)), None)
    if rule is None:
        return introduce()
    if absent := rule.needs - tools:
        return Say(missing(absent))
    return rule.act(turn)
