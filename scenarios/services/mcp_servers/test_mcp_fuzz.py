"""Whatever is sent to the tools: structured answers in time, and no change after a refusal. And that this is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pytest

from harness.errors import HarnessError
from harness.toolfuzz import fuzz, wire
from harness.toolfuzz.digest import Digest
from harness.toolfuzz.fuzz import Run
from harness.toolfuzz.wire import Wire
from scenarios.services.mcp_servers import sloppy
from scenarios.services.mcp_servers.serving import serving

if TYPE_CHECKING:
    from harness.person import Person
    from harness.stack import Stack
    from services.shared.mcp.tool import ScopedTool

AsUser = Callable[[str], "Person"]
SEED = 20261124


@pytest.mark.xdist_group("fuzz-mcp")
def test_nothing_is_found(stack: Stack) -> None:
    outcome = fuzz.fuzz_tools(stack, chosen=SEED, max_examples=6)
    assert outcome.ok, outcome.output
    for tool in ("search_tickets", "get_ticket", "create_ticket", "list_members", "ticket://{key}", "triage_ticket"):
        assert f" {tool}: " in outcome.output
    reached = [line for line in outcome.output.splitlines() if " done" in line]
    assert len(reached) > 4, outcome.output


def test_a_tool_that_is_not_there_cannot_be_fuzzed(shared_stack: Stack) -> None:
    with pytest.raises(HarnessError, match=r"there is no tool 'nope'") as refused:
        fuzz.fuzz_tools(shared_stack, tools=["whoami", "nope"])
    assert "of ticketing: " in refused.value.todo
    assert "of organizations: " in refused.value.todo
    assert "get_ticket" in refused.value.todo


@pytest.fixture
def run(
    request: pytest.FixtureRequest,
    shared_stack: Stack,
    as_user: AsUser,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Run]:
    """A run against a server with flaws. A parameter is how many seconds an answer may take."""
    monkeypatch.setattr(wire, "ANSWERS_IN_S", getattr(request, "param", wire.ANSWERS_IN_S))
    file, gate = tmp_path / "notes.db", Event()
    app = sloppy.server(file, gate, url=shared_stack.url("ticketing"), issuer=shared_stack.url("idp")).app
    with ExitStack() as opened:
        url = opened.enter_context(serving(app))
        opened.callback(gate.set)
        asked = opened.enter_context(closing(Wire(f"{url}/mcp", as_user("alice").token("ticketing"))))
        digest = opened.enter_context(closing(Digest([file])))
        yield Run("sloppy", asked, digest, SEED, max_examples=10)


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")  # of the answer that is not what was promised
@pytest.mark.parametrize(("flawed", "what"), sloppy.FLAWS, ids=[flawed.name for flawed, _ in sloppy.FLAWS])
def test_a_flaw_is_found(run: Run, flawed: ScopedTool, what: str) -> None:
    told = list(run.everything([flawed.name]))
    assert any(f"sloppy {flawed.name}: {what}" in finding for finding in run.findings), (run.findings, told)
    assert "\n  sent: " in run.findings[0]


@pytest.mark.parametrize("run", [2.0], indirect=True)
def test_a_tool_that_hangs_is_found_and_left_alone(run: Run) -> None:
    list(run.everything(["hangs"]))
    (finding,) = run.findings
    assert "sloppy hangs: there was no answer: ReadTimeout after 2 s" in finding


def test_where_there_is_none_none_is_found(run: Run) -> None:
    (told,) = run.everything(["honest"])
    assert run.findings == []
    assert " done" in told
    assert " refused as invalid" in told
