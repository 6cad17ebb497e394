"""What the services wrote, read in pieces: a log of any size costs neither memory nor time."""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

CHUNK = 1 << 16
LONGEST = 1 << 12
REMEMBERED = 64
WIDEST = 500
"""Of a line in the end of a log, which is read where there is little room."""
STAMP = len("2026-11-23 12:00:00,000")
# Services log what strangers send; it must not steer the terminal of whoever reads it.
VISIBLE = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) != "\t"}


@dataclass(frozen=True)
class Line:
    """One line of a service; ``stamp`` is the time it begins with, or that of the line before it, as text."""

    service: str
    text: str
    stamp: str


class Log:
    """One service's log from its last ``tail`` lines on (None: from its beginning), as it grows, is cut or replaced."""

    def __init__(self, service: str, path: Path, *, tail: int | None) -> None:
        self.service, self._path = service, path
        self._stamp = ""
        self._offset = 0
        self._before = b""
        self._file: tuple[int, int] | None = None
        if tail is not None and path.exists():
            with path.open("rb") as file:
                self._file = _identity(file)
                self._offset = _last(file, tail)
                file.seek(max(0, self._offset - REMEMBERED))
                self._before = file.read(min(self._offset, REMEMBERED))
        self.left_off = self._offset

    def read(self) -> Iterator[Line]:
        """The whole lines since the last time; one still being written is left for later, unless it is very long."""
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            self._offset, self._before = 0, b""
            return
        with file:
            if not self._is_the_same(file):
                self._file, self._offset, self._before = _identity(file), 0, b""
            file.seek(self._offset)
            while chunk := file.read(CHUNK):
                whole, newline, rest = chunk.rpartition(b"\n")
                if not newline and len(chunk) < CHUNK:
                    return
                whole = whole if newline else rest
                self._offset += len(whole) + len(newline)
                self._before = (self._before + whole + newline)[-REMEMBERED:]
                for raw in whole.split(b"\n"):
                    yield self._line(raw)
                file.seek(self._offset)

    def _is_the_same(self, file: IO[bytes]) -> bool:
        """Whether it is the file of the last time, by what stands before the place that was reached.

        Its length tells nothing: one that was cut may have grown past that place since.
        """
        file.seek(self._offset - len(self._before))
        return _identity(file) == self._file and file.read(len(self._before)) == self._before

    def _line(self, raw: bytes) -> Line:
        if raw[4:5] == b"-" and raw[7:8] == b"-" and raw[13:14] == b":" and raw[:4].isdigit():
            self._stamp = raw[:STAMP].decode("ascii", "replace").replace("T", " ")
        text = raw.rstrip(b"\r").decode("utf-8", "replace")
        return Line(self.service, _visible(text), self._stamp)


def merged(logs: Iterable[Log]) -> Iterator[Line]:
    """What all logs have to tell now, in order of time as far as their lines tell it."""
    return heapq.merge(*(log.read() for log in logs), key=lambda line: line.stamp)


def last_lines(path: Path, lines: int) -> str:
    """The last ``lines`` lines of a log, also one that was never finished, each by its end; nothing without a log."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(_last(file, lines), file.seek(0, os.SEEK_END) - lines * LONGEST))
        told = file.read().decode("utf-8", "replace").rstrip("\n").split("\n")
    return "\n".join(_visible(line if len(line) <= WIDEST else f"…{line[-WIDEST:]}") for line in told[-lines:])


def _visible(text: str) -> str:
    return text if text.isprintable() else text.translate(VISIBLE)


def _identity(file: IO[bytes]) -> tuple[int, int]:
    told = os.fstat(file.fileno())
    return told.st_dev, told.st_ino


def _last(file: IO[bytes], lines: int) -> int:
    """Where the last ``lines`` whole lines begin, found from the end."""
    position = file.seek(0, os.SEEK_END)
    missing = lines + 1  # the newline before the first of them
    while position > 0:
        start = max(0, position - CHUNK)
        file.seek(start)
        block = file.read(position - start)
        found = block.count(b"\n")
        if found >= missing:
            at = len(block)
            for _ in range(missing):
                at = block.rindex(b"\n", 0, at)
            return start + at + 1
        missing -= found
        position = start
    return 0
