"""``token``: an access token of the running system, a good one by signing in or a malformed one by recipe."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from harness import project
from harness.cli import system
from harness.cli.arguments import text
from harness.cli.render import Report
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.stack import Stack

AUDIENCE = "api"


def register(commands: Any) -> None:
    """Add the verb to the command line."""
    audiences = [name for name, service in project.services().items() if service.resource is not None]
    parser = commands.add_parser("token", help="get an access token of the running system", description=__doc__)
    parser.add_argument("user", nargs="?", type=text, help="who it is for, such as alice")
    parser.add_argument("--audience", choices=audiences, help=f"the service it is for (default: {AUDIENCE})")
    system.add_organization(parser)
    parser.add_argument(
        "--scope", type=text, metavar="S", help="scopes, separated by spaces (default: all the client may have)"
    )
    parser.add_argument("--recipe", type=text, metavar="NAME", help="a malformed one; --recipes lists them")
    parser.add_argument("--recipes", action="store_true", help="list recipes and what must come of each")
    parser.add_argument("--simulation", action="store_true", help="print the bearer token of the simulation API, /_sim")
    system.add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> Report:
    """The token alone, so that ``$(…)`` can take it."""
    _require_one_wish(arguments)
    with system.running() as stack:
        if arguments.recipes:
            return _recipes(stack)
        if arguments.simulation:
            secret = stack.control("idp").secret
            return Report(data={"token": secret}, lines=[secret])
        return _minted(stack, arguments) if arguments.recipe else _token(stack, arguments)


def _require_one_wish(arguments: argparse.Namespace) -> None:
    """Refuse what would be left out of account: the two that are about nobody's token go with nothing else."""
    alone = [option for option in ("--recipes", "--simulation") if getattr(arguments, option[2:])]
    others = [f"--{name}" for name in ("audience", "organization", "scope", "recipe") if getattr(arguments, name)]
    others += alone[1:] + ([repr(arguments.user)] if arguments.user else [])
    if alone and others:
        raise HarnessError(
            f"token {alone[0]} is about nobody's token and goes with nothing but --json",
            evidence=f"given beside it: {', '.join(others)}",
            todo=f"leave that out, or {alone[0]}",
        )
    if not alone and arguments.user is None:
        raise HarnessError("whose token?", todo="python -m harness token alice")


def _token(stack: Stack, arguments: argparse.Namespace) -> Report:
    person = system.sign_in(stack, arguments.user, arguments.organization)
    token = person.token(arguments.audience or AUDIENCE, scope=arguments.scope)
    return Report(data={"token": token}, lines=[token])


def _minted(stack: Stack, arguments: argparse.Namespace) -> Report:
    """A token as a recipe wants it; its scopes are whatever was asked for, since some are to be wrong."""
    asked = {
        "user": arguments.user,
        "audience": arguments.audience or AUDIENCE,
        "organization": arguments.organization,
    }
    if arguments.scope is not None:
        asked["scopes"] = arguments.scope.split()
    try:
        minted = stack.control("idp").recipe(arguments.recipe, **asked)
    except ValueError as error:  # what the provider refused, in its words, which name what there is
        todo = "choose of what it names; --recipes tells what each recipe is"
        raise HarnessError("there is no such token", evidence=str(error), todo=todo) from error
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
