"""``fuzz rest``: contract-fuzz a REST API; ``fuzz idp``: the identity provider; ``fuzz mcp``: all MCP servers, tool by
tool; ``fuzz all``: each of them in turn. Exit code 1 on findings.

Without ``--target`` that is one of a fresh system started for it. With it, the API at that URL: the one of the running
system (``up``) is fuzzed signed in, any other without a token. ``rest`` goes round by round: as each person of ``--as``
in turn, each time with another seed and on a fresh world, once or for ``--minutes``, up to the first round that finds
something.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from harness import contract, launch, project
from harness.cli import system
from harness.cli.arguments import text, whole
from harness.cli.render import Report
from harness.contract import Login, Outcome
from harness.errors import HarnessError, NotRunningError
from harness.stack import Stack

SERVICE = "api"
FOREIGN_TO_SERVICES = ("--target", "--minutes", "--coverage", "--as")
FOREIGN = {
    "rest": (),
    "mcp": ("--target", "--minutes", "--coverage"),
    "all": (*FOREIGN_TO_SERVICES, "--operation"),
}
"""Options that do not concern a surface."""
USERNAME = "olivia"
PEERS = ("grace", "olivia", "alice", "rita", "omar")
"""Of another organization, and of the same: what is somebody's alone must not be given to these."""


def register(commands: Any) -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser("fuzz", help="fuzz an API against its contract", description=__doc__)
    parser.add_argument("surface", nargs="?", choices=("rest", "mcp", *_surfaces(), "all"), default="rest")
    parser.add_argument("--max-examples", type=whole(1), default=25, metavar="N", help="per operation (default: 25)")
    parser.add_argument(
        "--seed", type=whole(0, most=contract.SEEDS - 1), metavar="N", help="repeat a run (default: a new one, printed)"
    )
    parser.add_argument(
        "--operation",
        action="append",
        default=[],
        type=text,
        metavar="ID",
        help="only this one, of mcp a tool; repeatable",
    )
    parser.add_argument(
        "--as",
        dest="usernames",
        type=_names,
        metavar="USER[,USER…]",
        help=f"who is signed in (default: {USERNAME}); rest: in turn",
    )
    parser.add_argument("--minutes", type=whole(1), metavar="N", help="rest: round after round for so long")
    parser.add_argument(
        "--coverage", action="store_true", help="rest: tell how much of the document was tried (needs tracecov)"
    )
    parser.add_argument("--target", type=text, metavar="URL", help="base URL of an API that runs already")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> Report:
    """Let fuzzers loose on a surface."""
    _refuse_what_it_does_not_take(arguments)
    if arguments.surface == "all":
        return _all(arguments)
    if arguments.surface == "mcp":
        return _tools(arguments)
    return _rest(arguments) if arguments.surface == "rest" else _service(arguments)


def _refuse_what_it_does_not_take(arguments: argparse.Namespace) -> None:
    """Options that are about another surface: nobody is to believe that they did anything."""
    given = {
        "--target": arguments.target,
        "--minutes": arguments.minutes,
        "--coverage": arguments.coverage,
        "--as": arguments.usernames,
        "--operation": arguments.operation,
    }
    strangers = [option for option in FOREIGN.get(arguments.surface, FOREIGN_TO_SERVICES) if given[option]]
    if strangers:
        raise HarnessError(
            f"fuzz {arguments.surface} takes no {' and no '.join(strangers)}",
            evidence="fuzz rest does",
            todo=f"leave out {' and '.join(strangers)}, or fuzz rest",
        )
    if arguments.surface == "mcp" and len(arguments.usernames or ()) > 1:
        raise HarnessError(
            "fuzz mcp is signed in as one person",
            evidence=f"--as names {', '.join(arguments.usernames)}",
            todo="name one of them; fuzz rest goes through several",
        )


def _all(arguments: argparse.Namespace) -> Report:
    reports = []
    for surface in ("rest", *_surfaces(), "mcp"):
        print(f"· {surface}", file=sys.stderr, flush=True)
        reports.append(run(argparse.Namespace(**{**vars(arguments), "surface": surface})))
    return Report(lines=[line for report in reports for line in report.lines], ok=all(each.ok for each in reports))


def _tools(arguments: argparse.Namespace) -> Report:
    """Of all MCP servers of a fresh system."""
    from harness.toolfuzz import fuzz  # noqa: PLC0415

    (username,) = arguments.usernames or (fuzz.USERNAME,)
    with launch.running(only=project.mcp_servers()) as stack:
        print(f"· signed in as {username}", file=sys.stderr, flush=True)
        outcome = fuzz.fuzz_tools(
            stack,
            chosen=arguments.seed,
            max_examples=arguments.max_examples,
            tools=arguments.operation,
            username=username,
            say=lambda line: print(line, flush=True),
        )
    return _report(arguments, outcome, "" if arguments.usernames is None else f" --as {username}")


def _rest(arguments: argparse.Namespace) -> Report:
    """Let Schemathesis loose on an API, round by round."""
    with _running(arguments) as (url, stack):
        logins = [None] if stack is None else _signed_in(stack, arguments.usernames or (USERNAME,))
        for number, (login, seed) in enumerate(_rounds(arguments, logins), start=1):
            if number > 1 and stack is not None and arguments.target is None:
                stack.reset()
            outcome = _round(arguments, url, login, seed)
            if not outcome.ok:
                break
    options = "" if login is None else f" --as {login.username}"
    options += "" if arguments.target is None else f" --target {url}"
    return _report(arguments, outcome, options, rounds=number)


def _rounds(arguments: argparse.Namespace, logins: Sequence[Login | None]) -> Iterator[tuple[Login | None, int]]:
    """Who is signed in, and the seed: once for each, or for as many minutes."""
    first = contract.seed_of(arguments.seed)
    end = None if arguments.minutes is None else time.monotonic() + arguments.minutes * 60
    for number, login in enumerate(itertools.cycle(logins)):
        if number and (number >= len(logins) if end is None else time.monotonic() >= end):
            return
        yield login, (first + number) % contract.SEEDS


def _round(arguments: argparse.Namespace, url: str, login: Login | None, seed: int) -> Outcome:
    who = "without a token" if login is None else f"signed in as {login.username}"
    print(f"· API at {url}, {who}, seed {seed}", file=sys.stderr, flush=True)
    return contract.fuzz_rest(
        url,
        login=login,
        may_do_all=login is None or login.username == USERNAME,
        seed=seed,
        max_examples=arguments.max_examples,
        operations=arguments.operation,
        coverage=arguments.coverage,
    )


def _report(arguments: argparse.Namespace, outcome: Outcome, more: str = "", *, rounds: int = 1) -> Report:
    options = f"--seed {outcome.seed} --max-examples {arguments.max_examples}{more}"
    options += "".join(f" --operation {operation}" for operation in arguments.operation)
    verdict = "nothing found" if outcome.ok else "findings, see above"
    seeds = f"seed {outcome.seed}" if rounds == 1 else f"{rounds} rounds, the last with seed {outcome.seed}"
    again = f"repeat it: python -m harness fuzz {arguments.surface} {options}"
    return Report(lines=[f"{verdict}; {seeds}", again], ok=outcome.ok)


def _service(arguments: argparse.Namespace) -> Report:
    """Of a fresh system, in which a service says itself who fuzzes it."""
    name = arguments.surface
    with launch.running(only=(name,)) as stack:
        print(f"· {name} at {stack.url(name)}", file=sys.stderr, flush=True)
        outcome = contract.fuzz_service(
            stack, name, seed=arguments.seed, max_examples=arguments.max_examples, operations=arguments.operation
        )
    return _report(arguments, outcome)


def _surfaces() -> list[str]:
    return [name for name, service in project.services().items() if service.fuzzing]


@contextlib.contextmanager
def _running(arguments: argparse.Namespace) -> Iterator[tuple[str, Stack | None]]:
    """An API, and the system whose part it is, if anybody can be signed in to that."""
    if arguments.target is None:
        with launch.running() as stack:
            yield stack.url(SERVICE), stack
        return
    url = contract.base_url(arguments.target)
    ours = _ours(url)
    if ours is None and arguments.usernames is not None:
        raise HarnessError(
            f"nobody can be signed in for {url}",
            evidence="it is not the API of a system that `up` runs in this checkout",
            todo="leave out --as, or start the system: python -m harness up",
        )
    yield url, ours


def _ours(url: str) -> Stack | None:
    """The system of this checkout, if ``url`` is its API."""
    try:
        control = system.control()
    except NotRunningError:
        return None
    stack = Stack(control, control.call("describe", name=system.NAME))
    return stack if stack.url(SERVICE) == url else None


def _signed_in(stack: Stack, usernames: Sequence[str]) -> list[Login | None]:
    for name in usernames:
        stack.sign_in(name).token(SERVICE)  # an unknown name is told here, not by a refused run
    return [Login.at(stack, name, peers=PEERS) for name in usernames]


def _names(given: str) -> tuple[str, ...]:
    return tuple(text(name.strip()) for name in given.split(","))
