"""Contract fuzzing: Schemathesis against a running REST API, signed in."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import random
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from http import HTTPMethod
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from harness import project, state
from harness.bootstrap import child_environment
from harness.errors import HarnessError
from harness.stack import Stack
from harness.topology import ROOT

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
SPECIFICATION = "/openapi.json"
HOOKS = "harness.fuzzer_login"  # by name: it imports Schemathesis, which is for Schemathesis' own process alone
VARIABLE = "HARNESS_FUZZ_AS"
COVERAGE = "HARNESS_FUZZ_COVERAGE"
NOBODYS = "nobody"
ANSWERS_IN_S = 10.0
SEEDS = 2**32
LOOPBACK = ("localhost", "127.0.0.1", "::1")
FINDINGS, FINE = 1, 0
WITHOUT_LINKS = "examples,coverage,fuzzing"
OF_ANYBODY = ("unused_openapi_auth", "base_url_mismatch")
"""Warnings that mean "nothing was tested" whoever is signed in: not all may do, or see, everything, or even much."""


@dataclass(frozen=True)
class Login:
    """Who is signed in while fuzzing, at which provider, and the resource URI of each service that takes tokens.

    ``peers`` are those who must not be given what is theirs alone.
    """

    username: str
    issuer: str
    audiences: Mapping[str, str]
    peers: Sequence[str] = ()

    @classmethod
    def at(cls, stack: Stack, username: str, *, peers: Sequence[str] = ()) -> Login:
        """Somebody of the seeded world of a running system."""
        return cls(username, stack.url("idp"), stack.audiences(), tuple(peers))

    @classmethod
    def told(cls) -> Login:
        """The one that this process was started with."""
        return cls(**json.loads(os.environ[VARIABLE]))

    def token(self, username: str) -> str:
        """A fresh token of the API for one of them; of a peer who cannot sign in any more, what nobody accepts.

        Raises:
            SignInError: it is not a peer.
        """
        # An HTTP client: only Schemathesis' process signs in.
        from harness.person import Person, SignInError  # noqa: PLC0415

        try:
            return Person(username, issuer=self.issuer, audiences=self.audiences).token("api")
        except SignInError:
            if username == self.username:
                raise
            return NOBODYS  # who may do all has deactivated them meanwhile


@dataclass(frozen=True)
class Outcome:
    """How a run ended: whether it found nothing, its seed, and what Schemathesis printed."""

    ok: bool
    seed: int
    output: str


def seed_of(given: int | None) -> int:
    """The seed of a run: the one that was given, or any."""
    return random.SystemRandom().randrange(SEEDS) if given is None else given


def base_url(text: str) -> str:
    """``text`` as the base URL of an API, without a trailing slash.

    Raises:
        HarnessError: it is no such URL, nobody answers there, or there is no OpenAPI document.
    """
    url = text.removesuffix("/")
    example = "name the base URL of an API, such as http://localhost:PORT"
    try:
        parts = urlsplit(url)
        complete = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError as error:
        raise HarnessError(f"{text!r} is not a base URL", evidence=str(error), todo=example) from error
    if not complete or parts.query or parts.fragment or parts.username is not None:
        raise HarnessError(f"{text!r} is not a base URL", todo=example)
    _document(url)
    return url


def fuzz_rest(
    url: str,
    *,
    login: Login | None = None,
    may_do_all: bool = True,
    seed: int | None = None,
    max_examples: int = 25,
    operations: Sequence[str] = (),
    quiet: bool = False,
    coverage: bool = False,
    configuration: Path = CONFIGURATION,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Outcome:
    """Run every phase and every check of Schemathesis on the live API at ``url``.

    ``login`` None sends no token; another ``configuration`` may do so with what is in ``variables``. ``operations`` are
    operation ids, such as ``getTicket``; none means all. Unless who is signed in ``may_do_all``, an operation that was
    only ever refused is no failure; a token that is not accepted is one in any case. The same seed on a fresh system
    sends the same requests. Warnings that mean "nothing was tested", such as a token that nobody accepts, fail the run.
    With ``coverage`` the output ends with how much of the document was tried.

    Raises:
        HarnessError: there is nothing to fuzz, or no such operation, or Schemathesis could not run at all.
    """
    selected = _required(operations, url)
    chosen = seed_of(seed)
    folder = state.home() / "fuzz"
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(configuration)),
        *("run", url + SPECIFICATION, "--url", url, "--seed", str(chosen), "--max-examples", str(max_examples)),
        *(part for operation in operations for part in ("--include-operation-id", operation)),
        *(() if not operations or _are_linked(selected) else ("--phases", WITHOUT_LINKS)),
        *(() if may_do_all else ("--warnings", ",".join(OF_ANYBODY))),
        *("--generation-database", "none", "--report", "junit", "--report-dir", str(folder)),
    ]
    output = []
    with subprocess.Popen(
        command, cwd=folder, env={**_environment(login), **_covering(coverage), **variables}, stdin=subprocess.DEVNULL,
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


def fuzz_service(stack: Stack, name: str, **options: Any) -> Outcome:
    """The same with a service of a running system that says how: its configuration, and who Schemathesis is there.

    Raises:
        HarnessError: the service does not say.
    """
    told = project.services()[name].fuzzing
    if told is None:
        able = [each for each, service in project.services().items() if service.fuzzing]
        raise HarnessError(f"{name} does not say how it is fuzzed", todo=f"those that do: {', '.join(able) or 'none'}")
    configuration, place = told
    module, _, function = place.partition(":")
    variables = getattr(importlib.import_module(module), function)(stack.control(name))
    return fuzz_rest(stack.url(name), configuration=ROOT / configuration, variables=variables, **options)


def _required(wanted: Sequence[str], url: str) -> list[dict[str, Any]]:
    """The operations of those ids, or all."""
    items = [item for item in _document(url).get("paths", {}).values() if isinstance(item, dict)]
    operations = [each for item in items for method, each in item.items() if method.upper() in HTTPMethod.__members__]
    there = sorted(each["operationId"] for each in operations if "operationId" in each)
    strangers = sorted(set(wanted) - set(there))
    if not operations or strangers:
        raise HarnessError(
            f"there is no operation {' or '.join(map(repr, strangers)) or 'to fuzz'}",
            evidence=f"{url}{SPECIFICATION} has {', '.join(there) or 'none'}",
            todo="choose of those, or leave --operation out" if operations else "",
        )
    return [each for each in operations if not wanted or each.get("operationId") in wanted]


def _are_linked(operations: Sequence[Mapping[str, Any]]) -> bool:
    """Whether one answer of them leads to another: else Schemathesis refuses to try what comes after what."""
    names = {each.get("operationId") for each in operations}
    answers = [answer for each in operations for answer in each.get("responses", {}).values()]
    return any(link.get("operationId") in names for answer in answers for link in answer.get("links", {}).values())


def _document(url: str) -> dict[str, Any]:
    import httpx  # noqa: PLC0415  # only who names an API needs an HTTP client here

    place = url + SPECIFICATION
    todo = f"is it running, and does it publish its OpenAPI document at {SPECIFICATION}?"
    try:
        answer = httpx.get(place, timeout=ANSWERS_IN_S)
        document = answer.json() if answer.status_code == httpx.codes.OK else None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise HarnessError(f"no API answers at {url}", evidence=f"{place}: {error}", todo=todo) from error
    except ValueError:
        document = None
    if not isinstance(document, dict) or not {"openapi", "swagger"} & document.keys():
        raise HarnessError(
            f"there is no OpenAPI document at {place}", evidence=f"{answer.status_code} {answer.text[:200]}", todo=todo
        )
    return document


def _covering(asked: bool) -> Mapping[str, str]:
    """What lets Schemathesis count. tracecov is nobody's dependency here: its programs are not free software.

    Raises:
        HarnessError: it is not installed.
    """
    if asked and importlib.util.find_spec("tracecov") is None:
        raise HarnessError(
            "tracecov, which counts, is not installed",
            evidence="it comes with a licence of its own: read it first",
            todo=f"{sys.executable} -m uv pip install --python {sys.executable} tracecov",
        )
    return {COVERAGE: "1"} if asked else {}


def _environment(login: Login | None) -> Mapping[str, str]:
    signed_in = {} if login is None else {"SCHEMATHESIS_HOOKS": HOOKS, VARIABLE: json.dumps(asdict(login))}
    # Told so, its HTTP client does not search the environment for a proxy at each request: a fifteenth of a run.
    kept = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    direct = {"no_proxy": ",".join(filter(None, (kept, *LOOPBACK)))}
    return child_environment(os.environ) | {"PYTHONPATH": str(ROOT)} | direct | signed_in
