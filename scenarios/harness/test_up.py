"""``up``, ``logs`` and ``status`` as people see them: on a terminal, and into a pipe."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from harness import leash
from harness.bootstrap import child_environment
from harness.cli import system
from harness.control import Control
from harness.topology import ROOT
from scenarios.harness.terminal import Terminal

pytestmark = pytest.mark.xdist_group("up")  # one system for all

UP = ("up", "--ports", "random", "--only", "idp", "--timings")
RED, CYAN, PLAIN = "\x1b[1;31m", "\x1b[36m", "\x1b[0m"


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment whose system is not the developer's."""
    env = {name: value for name, value in child_environment(os.environ).items() if name != "NO_COLOR"}
    return env | {"HARNESS_HOME": str(tmp_path_factory.mktemp("harness"))}


@pytest.fixture(scope="module")
def up(surroundings: Mapping[str, str]) -> Iterator[Terminal]:
    """A small system in the foreground of a terminal, all healthy."""
    terminal = Terminal(*UP, env=surroundings)
    terminal.wait_for("Ctrl-C stops everything")
    yield terminal
    terminal.press("\x03")
    assert terminal.ended() == 0
    terminal.close()


@pytest.fixture
def control(up: Terminal, surroundings: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Control:
    """The supervisor of that system."""
    monkeypatch.setenv("HARNESS_HOME", surroundings["HARNESS_HOME"])
    return system.control()


def idp(control: Control) -> dict[str, Any]:
    service: dict[str, Any] = control.call("describe", name=system.NAME)["services"]["idp"]
    return service


def test_a_table_shows_the_services_while_they_start_and_then_where_they_answer(up: Terminal) -> None:
    starting, _, ready = up.text.partition("service   url")
    assert re.search(r"idp +starting \d+\.\d s +http://localhost:\d+", starting)
    assert re.search(r"idp +http://localhost:\d+ +healthy +\d+ +\d+\.\d\d s", ready)


def test_the_timeline_tells_what_the_start_waited_for(up: Terminal) -> None:
    _, _, chain = up.text.partition("critical chain")
    steps = re.findall(r"^ +(\d+\.\d{3}) s  \+(\d+\.\d{3}) s  (.+)$", chain, re.MULTILINE)
    assert [what for _, _, what in steps][-2:] == ["a process for it", "idp healthy"]
    assert [float(over) for over, _, _ in steps] == sorted(float(over) for over, _, _ in steps)
    assert sum(float(took) for _, took, _ in steps) == pytest.approx(float(steps[-1][0]), abs=0.005)
    assert f"all healthy after {steps[-1][0]} s" in up.text


def test_logs_follow_behind_the_name_of_their_service_in_its_colour(up: Terminal, control: Control) -> None:
    httpx.get(f"{idp(control)['url']}/made-up-for-the-terminal")
    up.wait_for(rf"{re.escape(CYAN)}idp \| {re.escape(PLAIN)}[^\n]*GET /made-up-for-the-terminal")


def test_a_crash_stands_out_and_says_how_it_ended(up: Terminal, control: Control) -> None:
    os.kill(idp(control)["pid"], signal.SIGKILL)
    up.wait_for(rf"idp \| {re.escape(PLAIN)}· {re.escape(RED)}crashed by SIGKILL, restarting in 0.5 s")


def test_status_tells_for_how_long_and_a_narrow_terminal_cuts_no_url(
    control: Control, surroundings: Mapping[str, str]
) -> None:
    control.call("restart", name=system.NAME, service="idp")
    narrow = Terminal("status", "--timings", env=surroundings, columns=40)
    assert narrow.ended() == 0
    narrow.close()
    assert f"{idp(control)['url']} " in narrow.text
    row = narrow.text.splitlines()[1].split()
    assert (row[2], row[7]) == ("healthy", "s")
    assert int(row[-1]) >= 1, "restarts"
    assert re.search(r"all healthy after 0\.\d{3} s", narrow.text), "the last start, not the first"


def test_logs_follow_a_service_across_its_restart(control: Control, surroundings: Mapping[str, str]) -> None:
    following = Terminal("logs", "idp", "--follow", "--tail", "1", env={**surroundings, "NO_COLOR": "1"})
    following.wait_for("idp \\| ")
    control.call("restart", name=system.NAME, service="idp")
    httpx.get(f"{idp(control)['url']}/after-the-restart")
    following.wait_for("idp \\| [^\n\x1b]*GET /after-the-restart")
    following.press("\x03")
    assert following.ended() == 0
    following.close()
    assert following.shown == following.text.replace("\n", "\r\n")


def test_ports_that_are_held_by_this_system_are_no_strangers(control: Control, surroundings: Mapping[str, str]) -> None:
    own = idp(control)
    checked = subprocess.run(
        [sys.executable, "-m", "harness", "ports", "--check", "--json"],
        cwd=ROOT, env={**surroundings, "PORT_OFFSET": "13000", "IDP_PORT": str(own["port"])},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = next(port for port in json.loads(checked.stdout)["ports"] if port["service"] == "idp")
    assert (checked.returncode, found["state"], found["holder"]["pid"]) == (0, "ours", own["pid"])


def test_into_a_pipe_all_is_plain_and_ctrl_c_says_that_nothing_is_left(
    surroundings: Mapping[str, str], tmp_path: Path
) -> None:
    piped = subprocess.Popen(
        [sys.executable, "-m", "harness", *UP],
        cwd=ROOT, env={**surroundings, "HARNESS_HOME": str(tmp_path)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert piped.stdout is not None
    head = piped.stdout.readline()
    url = re.findall(r"http://\S+", piped.stdout.readline())[0]
    httpx.get(f"{url}/made-up-for-the-pipe")
    line = next(line for line in piped.stdout if "made-up-for-the-pipe" in line)
    everything = leash.same_process(piped.pid, leash.created(piped.pid))
    assert everything is not None
    family = [everything, *everything.children(recursive=True)]
    piped.send_signal(signal.SIGINT)
    rest, errors = piped.communicate(timeout=30)
    assert head.split() == ["service", "url", "state", "pid", "ready", "in"]
    assert line.startswith("idp | ")
    assert "· idp: healthy after " in errors
    assert errors.endswith("stopped; nothing is left running\n")
    assert "\x1b" not in head + line + rest + errors
    assert leash.wait_gone(family, timeout=5)
