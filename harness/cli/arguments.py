"""What the parsers of all verbs share: nothing that somebody types is left out of account without a word."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

MOST = 10**6


class Parser(argparse.ArgumentParser):
    """Refuses an option that is given twice, and says with the verb's own usage what it does not know."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for action in (None, "store"):
            self.register("action", action, _Once)

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Leave nothing to the parser above, whose usage would be shown."""
        found, strangers = super().parse_known_args(args, namespace)
        if strangers:
            self.error(f"unrecognized arguments: {' '.join(strangers)}")
        return found, strangers

    def error(self, message: str) -> NoReturn:
        """Print the usage, what is wrong and where to read more; ends with exit code 2."""
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: error: {message}\n  → all there is: {self.prog} --help\n")


class _Once(argparse.Action):
    """Keeps a value, and remembers that it did."""

    _given = False

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        if option is not None and self._given:
            parser.error(f"{option} is given twice; leave one of them out")
        self._given = True
        setattr(namespace, self.dest, values)


def text(given: str) -> str:
    """A name or an address; the type of options for which no text at all would mean nothing."""
    if not given.strip():
        raise argparse.ArgumentTypeError("an empty text names nothing; leave the option out")
    return given


def whole(least: int, *, most: int = MOST) -> Callable[[str], int]:
    """The type of a number: a whole one from ``least`` to ``most``."""

    def number(given: str) -> int:
        # int() takes more than people mean by a number: underscores, signs, other scripts' digits.
        if not given.isascii() or not given.isdigit() or not least <= int(given[:19]) <= most:
            raise argparse.ArgumentTypeError(f"{given!r} is not a whole number from {least} to {most}")
        return int(given)

    return number
