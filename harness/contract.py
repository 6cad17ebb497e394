"""Contract fuzzing: Schemathesis against the REST API of a running system, signed in."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness import state
from harness.bootstrap import child_environment
from harness.errors import HarnessError
from harness.stack import Stack
from harness.topology import ROOT

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
SPECIFICATION = "/openapi.json"
FINDINGS, FINE = 1, 0


@dataclass(frozen=True)
class Outcome:
    """How a run ended: whether it found nothing, its seed, and what Schemathesis printed."""

    ok: bool
    seed: int
    output: str


def fuzz_rest(
    stack: Stack,
    *,
    username: str = "alice",
    seed: int | None = None,
    max_examples: int = 25,
    operations: Sequence[str] = (),
    quiet: bool = False,
) -> Outcome:
    """Run every phase and every check of Schemathesis on the live API as ``username``.

    ``operations`` are operation ids, such as ``getTicket``; none means all. The same seed on a fresh system sends the
    same requests. Warnings that mean "nothing was tested", such as a token that nobody accepts, fail the run
    (``schemathesis.toml``).

    Raises:
        HarnessError: Schemathesis could not run at all.
    """
    chosen = random.SystemRandom().randrange(2**32) if seed is None else seed
    folder = state.home() / "fuzz"
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION)),
        *("run", stack.url("api") + SPECIFICATION, "--seed", str(chosen), "--max-examples", str(max_examples)),
        *(part for operation in operations for part in ("--include-operation-id", operation)),
        *("--generation-database", "none", "--report", "junit", "--report-dir", str(folder)),
    ]
    output = []
    with subprocess.Popen(
        command, cwd=folder, env=_environment(stack, username), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        for line in process.stdout or ():
            output.append(line)
            if not quiet:
                sys.stdout.write(line)
                sys.stdout.flush()
    if process.returncode not in (FINE, FINDINGS):
        tail = "".join(output[-20:])
        raise HarnessError(f"Schemathesis ended with exit code {process.returncode}", evidence=tail)
    return Outcome(ok=process.returncode == FINE, seed=chosen, output="".join(output))


def _environment(stack: Stack, username: str) -> Mapping[str, str]:
    from harness import fuzzer_login  # noqa: PLC0415  # only Schemathesis' own process needs what it imports

    return {
        **child_environment(os.environ),
        "PYTHONPATH": str(ROOT),
        "SCHEMATHESIS_HOOKS": fuzzer_login.__name__,
        fuzzer_login.VARIABLE: fuzzer_login.told(stack, username),
    }
