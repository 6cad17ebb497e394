"""The run: each tool of each server with arguments that fit and with bent ones, then everything else it offers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from harness import project
from harness.contract import Outcome, seed_of
from harness.errors import HarnessError
from harness.stack import Stack
from harness.toolfuzz import inputs, verdict
from harness.toolfuzz.digest import Digest
from harness.toolfuzz.memory import Memory
from harness.toolfuzz.wire import Answer, Wire

USERNAME = "olivia"
"""An owner may do most, so that most is reached."""
MOST_FINDINGS = 10
SHOWN = 600
TEXTS = [each for each in inputs.HOSTILE if isinstance(each, str)]

Say = Callable[[str], None]


def fuzz_tools(
    stack: Stack,
    *,
    max_examples: int = 25,
    chosen: int | None = None,
    tools: Sequence[str] = (),
    username: str = USERNAME,
    say: Say = lambda _line: None,
) -> Outcome:
    """Send each tool of a fresh system ``max_examples`` calls that fit and as many bent ones; ``chosen`` is the seed.

    An answer must be structured, in time and silent about the server's inside; what breaks the schema is refused; and
    after whatever is refused every row of every table is what it was. ``tools`` are names; none means all, and also
    resources, prompts and completions.

    Raises:
        HarnessError: nobody has a tool of that name.
    """
    servers = [each for each in project.mcp_servers() if each in stack.services]
    _require(tools, stack, servers, username)
    number = seed_of(chosen)
    lines: list[str] = []

    def tell(line: str) -> None:
        lines.append(line)
        say(line)

    findings = 0
    for name in servers:
        with ExitStack() as opened:
            wire = opened.enter_context(_wire(stack, name, username))
            files = [file for file in (stack.folder / f"{name}.db",) if file.exists()]  # a service may have none
            digest = opened.enter_context(closing(Digest(files)))
            run = Run(name, wire, digest, number, max_examples)
            for line in run.everything(tools):
                tell(line)
        if "Traceback" in stack.log(name):
            run.findings.append(f"{name}: an exception was logged, see {stack.folder / name}.log")
        for finding in run.findings:
            tell(f"FOUND {finding}")
        findings += len(run.findings)
    return Outcome(ok=not findings, seed=number, output="\n".join(lines) + "\n")


def _wire(stack: Stack, name: str, username: str) -> closing[Wire]:
    return closing(Wire(stack.audience(name), stack.sign_in(username).token(name)))


def _require(wanted: Sequence[str], stack: Stack, servers: Sequence[str], username: str) -> None:
    there: dict[str, list[str]] = {}
    for name in servers if wanted else ():
        with _wire(stack, name, username) as wire:
            there[name] = [tool["name"] for tool in wire.listed("tools")]
    strangers = sorted(set(wanted).difference(*there.values()))
    if strangers:
        raise HarnessError(
            f"there is no tool {' or '.join(map(repr, strangers))} for {username}",
            todo="\n".join(f"of {name}: {', '.join(sorted(names))}" for name, names in there.items()),
        )


@dataclass
class Run:
    """One server."""

    name: str
    wire: Wire
    digest: Digest
    number: int
    max_examples: int
    memory: Memory = field(default_factory=Memory)
    findings: list[str] = field(default_factory=list)
    came: Counter[str] = field(default_factory=Counter)
    hangs: bool = False
    """Whether the part at hand has not answered: it is left alone then, since each try costs as long."""

    def everything(self, names: Sequence[str]) -> Iterator[str]:
        """Each part in turn; yields a line of what came of it."""
        tools = [tool for tool in self.wire.listed("tools") if not names or tool["name"] in names]
        self._look_around()
        missed = []
        for tool in tools:
            self._all_of(tool)
            if not self.came["done"] and not self.hangs:
                missed.append(tool)
            yield self._line(tool["name"])
        for tool in missed:  # by now more is known of what is there
            self._all_of(tool)
            yield self._line(f"{tool['name']} again")
        if names:
            return
        for template in self.wire.listed("resources/templates", "resourceTemplates"):
            self.hangs = False
            self._drive(st.sampled_from(TEXTS), partial(self.read, template["uriTemplate"]))
            yield self._line(template["uriTemplate"])
        for prompt in self.wire.listed("prompts"):
            asked = [argument["name"] for argument in prompt.get("arguments", [])]
            texts = st.dictionaries(st.sampled_from([*asked, "made_up"]), st.sampled_from(TEXTS))
            self.hangs = False
            self._drive(texts, partial(self.prompt, prompt["name"]))
            yield self._line(prompt["name"])

    def call(self, tool: Mapping[str, Any], drawn: tuple[Any, bool]) -> None:
        """Call a tool with the arguments that were drawn; if it asks a person, the answer is what was drawn, too."""
        arguments, approved = drawn
        before = self.digest.now()
        answer = self._called(tool, arguments, approved=approved)
        found = list(verdict.of_tool(answer, tool))
        accepted = not verdict.rejected(answer)
        if accepted:
            self.memory.learn(answer.result.get("structuredContent"))
            if not verdict.fits({} if arguments is None else arguments, tool):
                found.append("arguments that break the input schema were accepted")
        self._judge(answer, found, before, tool["name"], arguments)
        if accepted:
            self._hold_to_hints(tool, arguments, before)

    def _called(self, tool: Mapping[str, Any], arguments: Any, *, approved: bool) -> Answer:
        before = self.digest.now()
        asked = {"name": tool["name"], "arguments": arguments}
        answer = self.wire.ask("tools/call", **asked)
        if answer.asks:
            self._unchanged(before, tool["name"], arguments, "it asked")
            answer = self._answered(asked, answer, approved=approved)
        return answer

    def _hold_to_hints(self, tool: Mapping[str, Any], arguments: Any, before: str) -> None:
        hints, name = tool["annotations"], tool["name"]
        if hints["readOnlyHint"]:
            self._unchanged(before, name, arguments, "it says that it only reads")
        elif hints["idempotentHint"]:
            once = self.digest.now()
            self._called(tool, arguments, approved=True)
            self._unchanged(once, name, arguments, "it says that doing it again has no effect, it was done again")

    def read(self, template: str, text: str) -> None:
        """Read what a hostile value makes of a template."""
        place = quote(text.encode("utf-8", "surrogatepass"), safe="")
        self._look("resources/read", uri=template.partition("{")[0] + place + template.rpartition("}")[2])

    def prompt(self, name: str, arguments: Mapping[str, str]) -> None:
        """Ask for a prompt, and to complete its arguments."""
        self._look("prompts/get", name=name, arguments=arguments)
        for argument, text in arguments.items():
            reference = {"type": "ref/prompt", "name": name}
            self._look("completion/complete", ref=reference, argument={"name": argument, "value": text})

    def _all_of(self, tool: Mapping[str, Any]) -> None:
        self.hangs = False
        for edge in inputs.edges(tool["inputSchema"]):
            self._drive(st.tuples(edge, st.just(True)), partial(self.call, tool), many=1)
        self._drive(self._calls(tool), partial(self.call, tool))

    def _look_around(self) -> None:
        """Learn what is there, by calling what needs no arguments and only reads."""
        for tool in self.wire.listed("tools"):
            if tool["annotations"]["readOnlyHint"] and not tool["inputSchema"].get("required"):
                self.memory.learn(self.wire.ask("tools/call", name=tool["name"], arguments={}).result)

    def _calls(self, tool: Mapping[str, Any]) -> st.SearchStrategy[tuple[Any, bool]]:
        schema = tool["inputSchema"]
        known = st.lists(st.integers(0, 1_000), min_size=len(schema["properties"]), max_size=len(schema["properties"]))
        fit = st.builds(self._informed, inputs.fitting(schema), known)
        return st.tuples(st.one_of(fit, inputs.bent(schema)), st.booleans())

    def _informed(self, arguments: dict[str, Any], choices: Sequence[int]) -> dict[str, Any]:
        """The arguments, with about half of them replaced by what was told for real."""
        informed = dict(arguments)
        for (name, value), choice in zip(arguments.items(), choices, strict=False):
            told = self.memory.recall(name, choice // 2) if choice % 2 else None
            if type(told) is type(value):
                informed[name] = told
            elif told is not None and isinstance(value, list):
                informed[name] = [*value, told][-1:]
        return informed

    def _drive(self, strategy: st.SearchStrategy[Any], attempt: Callable[[Any], None], *, many: int = 0) -> None:
        """Findings are kept and not raised: what is sent depends on what was answered, so nothing can be replayed."""

        @seed(self.number)
        @settings(
            max_examples=many or 2 * self.max_examples, deadline=None, database=None, derandomize=False,
            phases=[Phase.generate], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(strategy)
        def each(drawn: Any) -> None:
            if len(self.findings) < MOST_FINDINGS and not self.hangs:
                attempt(drawn)

        each()

    def _answered(self, asked: Mapping[str, Any], question: Answer, *, approved: bool) -> Answer:
        answer = {"action": "accept" if approved else "decline"} | ({"content": {"confirm": True}} if approved else {})
        answers = dict.fromkeys(question.result["inputRequests"], answer)
        state = question.result["requestState"]
        return self.wire.ask("tools/call", **asked, inputResponses=answers, requestState=state)

    def _look(self, method: str, **params: Any) -> None:
        before = self.digest.now()
        answer = self.wire.ask(method, **params)
        self._judge(answer, list(verdict.flaws(answer)), before, method, params)
        if answer.error is None:
            self._unchanged(before, method, params, "it was only looked at")

    def _judge(self, answer: Answer, found: list[str], before: str, what: str, sent: Any) -> None:
        self.hangs = answer.status is None
        refused = verdict.rejected(answer)
        code = (answer.problem or {}).get("code") or (answer.error or {}).get("code") or answer.status
        self.came[f"refused as {code}" if refused else "done"] += 1
        for flaw in found:
            self._found(f"{what}: {flaw}", sent)
        if refused:
            self._unchanged(before, what, sent, "it was refused")

    def _unchanged(self, before: str, what: str, sent: Any, when: str) -> None:
        if self.digest.now() != before:
            self._found(f"{what}: {when}, and yet something has changed", sent)

    def _found(self, what: str, sent: Any) -> None:
        shown = json.dumps(sent)
        self.findings.append(f"{self.name} {what}\n  sent: {shown[:SHOWN]}{'…' if len(shown) > SHOWN else ''}")

    def _line(self, part: str) -> str:
        told = ", ".join(f"{many} {what}" for what, many in sorted(self.came.items()))
        self.came.clear()
        return f"{self.name} {part}: {told or 'nothing was sent'}"
