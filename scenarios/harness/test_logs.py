"""Logs of any size and any manners: read from the end, in pieces, and never in the reader's way."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest

from harness.logbook import CHUNK, Log, last_lines, merged

LINE = b"2026-11-23 12:00:00,%03d INFO    api: line %d\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "api.log"


def texts(log: Log) -> list[str]:
    return [line.text for line in log.read()]


def test_the_last_lines_of_a_huge_log_cost_no_memory(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(100 << 20)
        file.seek(0, os.SEEK_END)
        file.writelines(b"line %d\n" % number for number in range(5000))
    tracemalloc.start()
    try:
        log = Log("api", path, tail=1000)
        shown = texts(log)
        end = last_lines(path, 2)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (shown[0], shown[-1], len(shown)) == ("line 4000", "line 4999", 1000)
    assert end == "line 4998\nline 4999"
    assert log.left_off > 100 << 20
    assert peak < 8 * CHUNK


def test_a_line_without_an_end_is_shown_in_pieces_and_held_back_only_while_it_is_short(path: Path) -> None:
    path.write_bytes(b"half")
    log = Log("api", path, tail=None)
    assert texts(log) == []
    with path.open("ab") as file:
        file.write(b" a line\n" + b"x" * (2 * CHUNK + 1))
    assert [len(text) for text in texts(log)] == [len("half a line"), CHUNK, CHUNK]
    assert last_lines(path, 1).endswith("x" * 100), "what was never finished is the last word of a crash"


@pytest.mark.parametrize("how", ["truncated", "replaced", "removed and made again"])
def test_following_goes_on_when_the_log_is_another(how: str, path: Path) -> None:
    path.write_bytes(b"one\ntwo\n")
    log = Log("api", path, tail=0)
    assert texts(log) == []
    match how:
        case "truncated":
            os.truncate(path, 0)
        case "replaced":
            other = path.with_suffix(".new")
            other.write_bytes(b"")
            other.replace(path)
        case _:
            path.unlink()
            assert texts(log) == []
    with path.open("ab") as file:
        file.write(b"three\nfour\nfive\n")
    assert texts(log) == ["three", "four", "five"]


def test_services_are_merged_in_order_of_time_and_a_traceback_stays_whole(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(LINE % (1, 1) + b"Traceback:\n  File\n" + LINE % (5, 5))
    (tmp_path / "b.log").write_bytes(LINE % (2, 2) + LINE % (3, 3))
    logs = [Log(name, tmp_path / f"{name}.log", tail=None) for name in ("a", "b", "missing")]
    assert [line.text[-6:] for line in merged(logs)] == ["line 1", "eback:", "  File", "line 2", "line 3", "line 5"]


def test_what_a_stranger_put_into_a_log_does_not_steer_the_terminal(path: Path) -> None:
    path.write_bytes(b"GET /\x1b]0;owned\x07\x1b[2J\xff\xc2\x9b1m\ttab\r\n")
    assert texts(Log("api", path, tail=None)) == ["GET /\\x1b]0;owned\\x07\\x1b[2J\ufffd\\x9b1m\ttab"]
