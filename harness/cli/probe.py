"""``probe``: how strict an OAuth provider is: ours, any other by its issuer URL, or ours beside others.

It does what attackers and careless clients do, so probe only what is yours. It exits with 1 if anything was put up
with.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.cli import system
from harness.cli.render import Report
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.bench.strictness import Column
    from harness.strictness.probe import Application

REDIRECT_URI, SCOPE, USERNAME = "http://127.0.0.1/callback", "openid offline_access", "alice"


def register(commands: Any) -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser("probe", help="how strict an OAuth provider is", description=__doc__)
    parser.add_argument("issuer", nargs="?", metavar="URL", help="issuer of a provider that runs; ours is started")
    parser.add_argument("--client-id", metavar="ID", help="a public client it knows; without one, two are registered")
    parser.add_argument("--other-client-id", metavar="ID", help="another public client it knows")
    parser.add_argument("--redirect-uri", default=REDIRECT_URI, metavar="URI", help="of the client (%(default)s)")
    parser.add_argument("--scope", default=SCOPE, help="what the client asks for (%(default)s)")
    parser.add_argument("--resource", metavar="URI", help="what its tokens are for (RFC 8707)")
    parser.add_argument("--as", dest="username", default=USERNAME, metavar="USER", help="who signs in (%(default)s)")
    parser.add_argument("--peers", action="store_true", help="ours beside other providers, installed when first wanted")
    parser.add_argument("--write", action="store_true", help="with --peers: render docs/idp-strictness.md")
    system.add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> Report:
    """Probe; a check that fails when anything that should be refused was not."""
    from harness.bench import strictness  # noqa: PLC0415  # HTTP client and checks, which other verbs do not need
    from harness.bench.peers import PEERS  # noqa: PLC0415

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


def _application(arguments: argparse.Namespace) -> Application:
    from harness.strictness.probe import Application, registered  # noqa: PLC0415

    issuer = arguments.issuer.rstrip("/")
    if arguments.client_id is None:
        return registered(
            issuer, redirect_uri=arguments.redirect_uri, scope=arguments.scope, username=arguments.username
        )
    return Application(
        issuer,
        arguments.client_id,
        arguments.redirect_uri,
        other_client_id=arguments.other_client_id,
        resource=arguments.resource,
        scope=arguments.scope,
        username=arguments.username,
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
