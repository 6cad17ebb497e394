"""``token``: an access token of the running system, a good one by signing in or a malformed one by recipe."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from harness import project
from harness.cli import system
from harness.cli.render import Report
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.stack import Stack


def register(commands: Any) -> None:
    """Add the verb to the command line."""
    audiences = [name for name, service in project.services().items() if service.resource is not None]
    parser = commands.add_parser("token", help="get an access token of the running system", description=__doc__)
    parser.add_argument("user", nargs="?", help="who it is for, such as alice")
    parser.add_argument("--audience", choices=audiences, default="api", help="the service it is for (default: api)")
    parser.add_argument(
        "--organization", metavar="ORG", help="one that they are in, by id or slug (default: the first)"
    )
    parser.add_argument("--scope", metavar="S", help="scopes, separated by spaces (default: all the client may have)")
    parser.add_argument("--recipe", metavar="NAME", help="a malformed one; --recipes lists them")
    parser.add_argument("--recipes", action="store_true", help="list recipes and what must come of each")
    parser.add_argument("--simulation", action="store_true", help="print the bearer token of the simulation API, /_sim")
    system.add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> Report:
    """The token alone, so that ``$(…)`` can take it."""
    with system.running() as stack:
        if arguments.recipes:
            return _recipes(stack)
        if arguments.simulation:
            secret = stack.control("idp").secret
            return Report(data={"token": secret}, lines=[secret])
        if arguments.user is None:
            raise HarnessError("whose token?", todo="python -m harness token alice")
        return _token(stack, arguments)


def _token(stack: Stack, arguments: argparse.Namespace) -> Report:
    if arguments.recipe is None:
        person = stack.sign_in(arguments.user, organization=arguments.organization)
        token = person.token(arguments.audience, scope=arguments.scope)
        return Report(data={"token": token}, lines=[token])
    asked = {"user": arguments.user, "audience": arguments.audience, "organization": arguments.organization}
    if arguments.scope is not None:
        asked["scopes"] = arguments.scope.split()
    try:
        minted = stack.control("idp").recipe(arguments.recipe, **asked)
    except ValueError as error:  # what the provider refused, in its words
        raise HarnessError("there is no such token", evidence=str(error), todo="--recipes lists them") from error
    return Report(data=minted, lines=[minted["token"]])


def _recipes(stack: Stack) -> Report:
    recipes = stack.control("idp").recipes()
    rows = [
        (recipe["name"], " or ".join(_outcome(outcome) for outcome in recipe["expect"]), recipe["about"])
        for recipe in recipes
    ]
    return Report(data={"recipes": recipes}, columns=("recipe", "a resource server answers", "the token"), rows=rows)


def _outcome(outcome: dict[str, Any]) -> str:
    return " ".join(filter(None, [str(outcome["status"]), outcome["error"]]))
