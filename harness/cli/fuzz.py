"""``fuzz rest``: contract-fuzz a REST API; ``fuzz idp``: the identity provider; ``fuzz mcp``: all MCP servers, tool by
tool; ``fuzz all``: each of them in turn. Exit code 1 on findings.

Without ``--target`` that is one of a fresh system started for it. With it, the API at that URL: the one of the running
system (``up``) is fuzzed signed in, any other without a token.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from harness import launch, project
from harness.cli import system
from harness.cli.render import Report
from harness.errors import HarnessError, NotRunningError
from harness.stack import Stack

if TYPE_CHECKING:
    from harness.contract import Login, Outcome

SERVICE = "api"
USERNAME = "olivia"


def register(commands: Any) -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser("fuzz", help="fuzz an API against its contract", description=__doc__)
    parser.add_argument("surface", nargs="?", choices=("rest", "mcp", *_surfaces(), "all"), default="rest")
    parser.add_argument("--max-examples", type=_positive, default=25, metavar="N", help="per operation (default: 25)")
    parser.add_argument("--seed", type=int, metavar="N", help="repeat a run (default: a new one, printed)")
    parser.add_argument(
        "--operation", action="append", default=[], metavar="ID", help="only this one, of mcp a tool; repeatable"
    )
    parser.add_argument("--as", dest="username", metavar="USER", help=f"who is signed in (default: {USERNAME})")
    parser.add_argument("--target", metavar="URL", help="base URL of an API that runs already")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> Report:
    """Let fuzzers loose on a surface."""
    if arguments.surface == "all":
        return _all(arguments)
    if arguments.surface == "mcp":
        return _tools(arguments)
    return _rest(arguments) if arguments.surface == "rest" else _service(arguments)


def _all(arguments: argparse.Namespace) -> Report:
    if arguments.target is not None or arguments.username is not None or arguments.operation:
        raise HarnessError("fuzz all takes none of --target, --as and --operation", todo="python -m harness fuzz all")
    reports = []
    for surface in ("rest", *_surfaces(), "mcp"):
        print(f"· {surface}", file=sys.stderr, flush=True)
        reports.append(run(argparse.Namespace(**{**vars(arguments), "surface": surface})))
    return Report(lines=[line for report in reports for line in report.lines], ok=all(each.ok for each in reports))


def _tools(arguments: argparse.Namespace) -> Report:
    """Of all MCP servers of a fresh system."""
    from harness.toolfuzz import fuzz  # noqa: PLC0415

    if arguments.target is not None:
        raise HarnessError("fuzz mcp takes no --target", todo="python -m harness fuzz mcp")
    with launch.running(only=project.mcp_servers()) as stack:
        print(f"· signed in as {arguments.username or fuzz.USERNAME}", file=sys.stderr, flush=True)
        outcome = fuzz.fuzz_tools(
            stack,
            chosen=arguments.seed,
            max_examples=arguments.max_examples,
            tools=arguments.operation,
            username=arguments.username or fuzz.USERNAME,
            say=lambda line: print(line, flush=True),
        )
    return _report(arguments, outcome, "" if arguments.username is None else f" --as {arguments.username}")


def _rest(arguments: argparse.Namespace) -> Report:
    """Let Schemathesis loose on an API."""
    from harness import contract  # noqa: PLC0415  # it is for this verb alone

    with _fresh(arguments) if arguments.target is None else _running(arguments) as (url, login):
        who = "without a token" if login is None else f"signed in as {login.username}"
        print(f"· API at {url}, {who}", file=sys.stderr, flush=True)
        outcome = contract.fuzz_rest(
            url,
            login=login,
            may_do_all=arguments.username in (None, USERNAME),
            seed=arguments.seed,
            max_examples=arguments.max_examples,
            operations=arguments.operation,
        )
    options = "" if login is None else f" --as {login.username}"
    options += "" if arguments.target is None else f" --target {url}"
    return _report(arguments, outcome, options)


def _report(arguments: argparse.Namespace, outcome: Outcome, more: str = "") -> Report:
    options = f"--seed {outcome.seed} --max-examples {arguments.max_examples}{more}"
    options += "".join(f" --operation {operation}" for operation in arguments.operation)
    verdict = "nothing found" if outcome.ok else "findings, see above"
    again = f"repeat it: python -m harness fuzz {arguments.surface} {options}"
    return Report(lines=[f"{verdict}; seed {outcome.seed}", again], ok=outcome.ok)


def _service(arguments: argparse.Namespace) -> Report:
    """Of a fresh system, in which a service says itself who fuzzes it."""
    from harness import contract  # noqa: PLC0415

    name = arguments.surface
    if arguments.target is not None or arguments.username is not None:
        raise HarnessError(f"fuzz {name} takes neither --target nor --as", todo=f"python -m harness fuzz {name}")
    with launch.running(only=(name,)) as stack:
        print(f"· {name} at {stack.url(name)}", file=sys.stderr, flush=True)
        outcome = contract.fuzz_service(
            stack, name, seed=arguments.seed, max_examples=arguments.max_examples, operations=arguments.operation
        )
    return _report(arguments, outcome)


def _surfaces() -> list[str]:
    return [name for name, service in project.services().items() if service.fuzzing]


@contextlib.contextmanager
def _fresh(arguments: argparse.Namespace) -> Iterator[tuple[str, Login | None]]:
    with launch.running() as stack:
        yield stack.url(SERVICE), _signed_in(stack, arguments.username or USERNAME)


@contextlib.contextmanager
def _running(arguments: argparse.Namespace) -> Iterator[tuple[str, Login | None]]:
    from harness import contract  # noqa: PLC0415

    url = contract.base_url(arguments.target)
    stack = _ours(url)
    if stack is None and arguments.username is not None:
        raise HarnessError(
            f"nobody can be signed in for {url}",
            evidence="it is not the API of a system that `up` runs in this checkout",
            todo="leave out --as, or start the system: python -m harness up",
        )
    yield url, None if stack is None else _signed_in(stack, arguments.username or USERNAME)


def _ours(url: str) -> Stack | None:
    """The system of this checkout, if ``url`` is its API."""
    try:
        control = system.control()
    except NotRunningError:
        return None
    stack = Stack(control, control.call("describe", name=system.NAME))
    return stack if stack.url(SERVICE) == url else None


def _signed_in(stack: Stack, username: str) -> Login:
    from harness.contract import Login  # noqa: PLC0415

    stack.sign_in(username).token(SERVICE)  # an unknown name is told here, not by a refused run
    return Login.at(stack, username)


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)
