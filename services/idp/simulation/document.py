"""The attack matrix and the quirks as a page of the documentation, from the data itself."""

from __future__ import annotations

from collections.abc import Iterable

from services.idp.simulation.quirks import QUIRKS
from services.idp.simulation.recipes import RECIPES, Outcome

_PAGE = """\
# Malformed tokens and bent answers

Rendered from `services/idp/simulation/` by `python -m harness generate`; do not edit.

## Recipes: what a resource server must answer

`stack.control("idp").recipe("expired", user="alice", audience="ticketing")`, or
`python -m harness token alice --audience ticketing --recipe expired`. Each recipe is tried on every resource server of
this system by `scenarios/services/idp/simulation/test_sim_recipes.py`. A 401 names its error in `WWW-Authenticate`
(RFC 6750 §3) and, from an MCP server, its metadata (RFC 9728 §5.1); a 403 `insufficient_scope` names the scopes to
ask for.

{recipes}
## Quirks: what a client must notice

`with stack.control("idp").quirk("iss-wrong"): …`, or `PUT /_sim/quirks/iss-wrong` with `{{"times": 1}}`. Each is
noticed by a careful client in `scenarios/services/idp/simulation/test_sim_quirks.py`.

{quirks}"""


def page() -> str:
    """Markdown."""
    recipes = [
        (f"`{recipe.name}`", recipe.about, " or ".join(map(_answer, recipe.outcomes))) for recipe in RECIPES.values()
    ]
    quirks = [(f"`{quirk.name}`", quirk.on, quirk.about) for quirk in QUIRKS.values()]
    return _PAGE.format(
        recipes=_table(("recipe", "the token", "the answer"), recipes),
        quirks=_table(("quirk", "answers of", "what is wrong"), quirks),
    )


def _answer(outcome: Outcome) -> str:
    return f"{outcome.status} `{outcome.error}`" if outcome.error else str(outcome.status)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)
