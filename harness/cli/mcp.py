"""``mcp``: the ``mcp.json`` with which an MCP client finds the servers of the running system; ``--as`` signs it in.

Without a token a client signs in by itself, as with any server; with one it is signed in until that expires.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from harness import project
from harness.cli import system
from harness.cli.arguments import text
from harness.cli.render import Report
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.stack import Stack


def register(commands: Any) -> None:
    """Add the verb to the command line."""
    parser = commands.add_parser("mcp", help="print an mcp.json for MCP clients", description=__doc__)
    parser.add_argument("--as", dest="username", type=text, metavar="USER", help="put a token of that person into it")
    system.add_organization(parser)
    system.add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> Report:
    """The document, in the one form that most clients read."""
    if arguments.organization is not None and arguments.username is None:
        raise HarnessError("whose token?", todo="python -m harness mcp --as nora --organization globex")
    with system.running() as stack:
        running = [name for name in project.mcp_servers() if name in stack.services]
        servers = {name: _server(stack, name, arguments.username, arguments.organization) for name in running}
    if not servers:
        raise HarnessError("no MCP server runs", todo="start one: python -m harness up --only ticketing")
    document = {"mcpServers": servers}
    return Report(data=document, lines=json.dumps(document, indent=2).splitlines())


def _server(stack: Stack, name: str, username: str | None, organization: str | None) -> dict[str, Any]:
    told: dict[str, Any] = {"type": "http", "url": stack.audience(name)}
    if username is not None:
        told["headers"] = {"Authorization": f"Bearer {system.sign_in(stack, username, organization).token(name)}"}
    return told
