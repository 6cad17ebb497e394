"""Loading libraries leaves their models without validators; a zygote makes them while nobody asks."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydantic

from harness import validators
from harness.topology import ROOT
from scenarios.harness.checkout import until

WITHIN_S = 20.0
LIBRARY = """
import time
from pathlib import Path
import pydantic

class Slow(pydantic.BaseModel):
    @classmethod
    def __get_pydantic_core_schema__(cls, source, handler):
        while not Path({permitted!r}).exists():
            time.sleep(0.01)
        Path({made!r}).touch()
        return handler(source)
"""


def test_a_model_declared_while_it_is_put_off_works_like_any_other() -> None:
    with validators.put_off():

        class Late(pydantic.BaseModel):
            number: int

    class Usual(pydantic.BaseModel):
        number: int

    assert Late in validators.missing()
    assert Usual not in validators.missing()
    assert Late.model_validate({"number": "7"}).number == 7
    assert Late not in validators.missing()


def test_a_name_of_the_maker_is_none_of_the_model() -> None:
    with validators.put_off():

        class Vague(pydantic.BaseModel):
            vague: "model"  # type: ignore[name-defined]  # noqa: F821, UP037  # a variable there, and nothing here

    validators.make(Vague)
    assert Vague in validators.missing()


@contextlib.contextmanager
def zygote(folder: Path, *libraries: str) -> Iterator[tuple[socket.socket, Any]]:
    """One that loads ``libraries``, which may be modules in ``folder``; its channel, and the lines it tells."""
    ours, theirs = socket.socketpair()
    with ours, ours.makefile("rb") as told:
        command = [sys.executable, "-m", "harness.zygote", "--parent", str(os.getpid())]
        process = subprocess.Popen(
            [*command, "--channel", str(theirs.fileno())],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(folder)},
            pass_fds=[theirs.fileno()],
        )
        theirs.close()
        ours.settimeout(WITHIN_S)
        ours.sendall(json.dumps({"families": [{"warm": {}, "libraries": libraries}]}).encode() + b"\n")
        yield ours, told
        ours.shutdown(socket.SHUT_RDWR)
        process.wait(WITHIN_S)


def heard(told: Any, what: str) -> None:
    """Read what it tells until it is ``what``."""
    while what not in json.loads(told.readline()):
        pass


def test_a_zygote_is_ready_first_and_then_makes_what_was_put_off(tmp_path: Path) -> None:
    permitted, made = tmp_path / "permitted", tmp_path / "made"
    library = LIBRARY.format(permitted=str(permitted), made=str(made))
    (tmp_path / "library.py").write_text(library, encoding="utf-8")
    with zygote(tmp_path, "library") as (_, told):
        heard(told, "ready")
        permitted.touch()
        until(made.exists, within=WITHIN_S, otherwise="nobody made the validator")


def test_a_service_that_is_born_again_finds_every_validator_made(tmp_path: Path) -> None:
    permitted, made = tmp_path / "permitted", tmp_path / "made"
    library = LIBRARY.format(permitted=str(permitted), made=str(made))
    (tmp_path / "library.py").write_text(library, encoding="utf-8")
    permitted.touch()
    start = {"start": {"service": "any", "app": "nobody:app", "log": str(tmp_path / "log"), "env": {}}}
    with zygote(tmp_path, "library") as (channel, told):
        heard(told, "ready")
        channel.sendall(2 * (json.dumps(start).encode() + b"\n"))
        heard(told, "started")
        heard(told, "started")
        assert made.exists()
