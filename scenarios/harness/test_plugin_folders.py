"""xprocess' fixture reads the folders of all workers: one that another worker removed meanwhile failed the test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness import bootstrap
from harness.plugin import worker

SOON_S = 0.2


def removes(done: Callable[[], None]) -> Any:
    """What xprocess knows of a process, whose folder is removed by ``done``."""
    return SimpleNamespace(controldir=SimpleNamespace(remove=lambda **_: done()))


def test_no_folder_is_removed_while_another_worker_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    removed: list[str] = []
    other = Thread(target=worker.remove, args=[removes(lambda: removed.append("the folder"))])

    class Request:
        """Somebody whose fixture takes a while, in which another worker ends."""

        def getfixturevalue(self, _: str) -> Any:
            other.start()
            other.join(SOON_S)
            assert removed == []
            return SimpleNamespace(rootdir=SimpleNamespace(listdir=list))

    worker.owner(cast("pytest.FixtureRequest", Request()))
    other.join()
    assert removed == ["the folder"]
