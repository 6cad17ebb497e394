"""``probe``: how strict an OAuth provider is: ours, any other by its issuer URL, or ours beside others.

It does what attackers and careless clients do, so probe only what is yours. It exits with 1 if anything was put up
with.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from harness.cli import system
from harness.cli.arguments import text
from harness.cli.render import Report
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.bench.strictness import Column
    from harness.strictness.probe import Application

REDIRECT_URI, SCOPE, USERNAME = "http://127.0.0.1/callback", "openid offline_access", "alice"


def register(commands: Any) -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser("probe", help="how strict an OAuth provider is", description=__doc__)
    parser.add_argument(
        "issuer", nargs="?", type=_issuer, metavar="URL", help="issuer of a provider that runs; ours is started"
    )
    parser.add_argument(
        "--client-id", type=text, metavar="ID", help="a public client it knows; without one, two are registered"
    )
    parser.add_argument("--other-client-id", type=text, metavar="ID", help="another public client it knows")
    parser.add_argument("--redirect-uri", type=text, metavar="URI", help=f"of the client ({REDIRECT_URI})")
    parser.add_argument("--scope", type=text, help=f"what the client asks for ({SCOPE})")
    parser.add_argument("--resource", type=text, metavar="URI", help="what its tokens are for (RFC 8707)")
    parser.add_argument("--as", dest="username", type=text, metavar="USER", help=f"who signs in ({USERNAME})")
    parser.add_argument("--peers", action="store_true", help="ours beside other providers, installed when first wanted")
    parser.add_argument("--write", action="store_true", help="with --peers: render docs/idp-strictness.md")
    system.add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> Report:
    """Probe; a check that fails when anything that should be refused was not."""
    from harness.bench import strictness  # noqa: PLC0415  # HTTP client and checks, which other verbs do not need
    from harness.bench.peers import PEERS  # noqa: PLC0415

    _require_a_client(arguments)
    if arguments.issuer is not None and (arguments.peers or arguments.write):
        raise HarnessError("--peers and --write compare ours with others", todo="leave out the URL, or both options")
    if arguments.write and not arguments.peers:
        raise HarnessError("--write renders a comparison", todo="add --peers")
    if arguments.issuer is not None:
        verdicts = strictness.examine(_application(arguments))
        return _report([strictness.Column(arguments.issuer, "", verdicts)])
    columns = list(strictness.compare(PEERS if arguments.peers else (), say=_say))
    if arguments.write:
        strictness.DOCUMENT.write_text(strictness.document(columns), encoding="utf-8")
    return _report(columns)


def _issuer(given: str) -> str:
    """The base URL of a provider, in the form in which issuers are compared."""
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise argparse.ArgumentTypeError(
            f"{given!r} is not an issuer; name the URL of a provider that runs, such as http://localhost:PORT"
        )
    return given.rstrip("/")


def _require_a_client(arguments: argparse.Namespace) -> None:
    """Refuse what says something of a client where the probe does not ask which."""
    told = {
        "--client-id": arguments.client_id,
        "--other-client-id": arguments.other_client_id,
        "--redirect-uri": arguments.redirect_uri,
        "--scope": arguments.scope,
        "--resource": arguments.resource,
        "--as": arguments.username,
    }
    given = [option for option, value in told.items() if value is not None]
    if given and arguments.issuer is None:
        raise HarnessError(
            f"{given[0]} is about a provider that runs, and none was named",
            evidence="ours is started for the probe, with clients and people it knows",
            todo=f"name it: python -m harness probe URL {given[0]} …",
        )
    if arguments.other_client_id is not None and arguments.client_id is None:
        raise HarnessError("--other-client-id needs a first client", todo="add --client-id, or leave both out")


def _application(arguments: argparse.Namespace) -> Application:
    from harness.strictness.probe import Application, registered  # noqa: PLC0415

    redirect_uri, scope = arguments.redirect_uri or REDIRECT_URI, arguments.scope or SCOPE
    username = arguments.username or USERNAME
    if arguments.client_id is None:
        found = registered(arguments.issuer, redirect_uri=redirect_uri, scope=scope, username=username)
        return replace(found, resource=arguments.resource)
    return Application(
        arguments.issuer,
        arguments.client_id,
        redirect_uri,
        other_client_id=arguments.other_client_id,
        resource=arguments.resource,
        scope=scope,
        username=username,
    )


def _say(what: str) -> None:
    print(f"· {what} …", file=sys.stderr, flush=True)


def _report(columns: Sequence[Column]) -> Report:
    """One provider with what was seen of it, or several side by side."""
    from harness.bench import strictness  # noqa: PLC0415
    from harness.strictness.checks import CHECKS  # noqa: PLC0415

    first = columns[0]
    shown = {
        name: [first.verdicts[name].evidence]
        if len(columns) == 1
        else [column.verdicts[name].finding for column in columns[1:]]
        for name in CHECKS
    }
    return Report(
        data=strictness.data(columns),
        columns=("check", first.name, *(["what was seen"] if len(columns) == 1 else [c.name for c in columns[1:]])),
        rows=[(name, first.verdicts[name].finding, *shown[name]) for name in CHECKS],
        ok=not first.count("loose"),
    )
