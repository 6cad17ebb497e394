"""What a check found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import httpx

from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.strictness.probe import Probe

Finding: TypeAlias = Literal["strict", "loose", "absent", "unclear"]
"""It refused, it put up with it, it has nothing of the kind; or the check itself did not get far enough to tell."""

EVIDENCE = 160


@dataclass(frozen=True)
class Verdict:
    """A finding, and what was seen."""

    finding: Finding
    evidence: str

    @classmethod
    def of(cls, *, strict: bool, evidence: object) -> Verdict:
        """Strict, or else loose."""
        return cls("strict" if strict else "loose", shown(evidence))


@dataclass(frozen=True)
class Check:
    """A promise a provider should keep: the docstring of how to find out. ``source`` is the text that asks for it."""

    name: str
    source: str
    examine: Callable[[Probe], Verdict]

    @property
    def promise(self) -> str:
        """In one sentence."""
        return str(self.examine.__doc__)

    def run(self, probe: Probe) -> Verdict:
        """Examine a provider; whatever goes wrong on the way is a verdict, too."""
        try:
            return self.examine(probe)
        except Absent as absent:
            return Verdict("absent", shown(absent))
        except (
            httpx.HTTPError,
            HarnessError,
            ValueError,
            KeyError,
        ) as error:  # or its answer was not what it should be
            return Verdict("unclear", shown(f"{type(error).__name__}: {error}"))


class Absent(Exception):  # noqa: N818  # no error: an answer
    """The provider does not have what the check is about."""


class Unclear(HarnessError):  # noqa: N818  # as above
    """An honest request was refused, so nothing follows from the refusal of a dishonest one."""


def shown(evidence: object) -> str:
    """Evidence in one short line."""
    if isinstance(evidence, httpx.Response):
        body = " ".join(evidence.text.split()) if "json" in evidence.headers.get("content-type", "") else ""
        evidence = f"{evidence.status_code} {evidence.headers.get('location', '')} {body}"
    told = " ".join(str(evidence).split())
    return told if len(told) <= EVIDENCE else f"{told[:EVIDENCE]}…"
