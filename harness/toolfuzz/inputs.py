"""Arguments by a tool's input schema: such as fit it, and such as somebody has bent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from hypothesis import strategies as st

Schema: TypeAlias = Mapping[str, Any]
Arguments: TypeAlias = dict[str, Any]
Values: TypeAlias = st.SearchStrategy[Any]

LONG = 100_000
DEEP = 200
MOST_ITEMS = 5
WORD = 40
ANY_INTEGER = 2**70


def _nested(depth: int) -> Any:
    value: Any = "deep"
    for _ in range(depth):
        value = [value]
    return value


HOSTILE: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, -0.0, 1e308, 2**31, 2**53 + 1, 2**63, -(2**63) - 1, 10**400),
    *("", " ", "\0", "text\0text", "\x1b[2J\x07", "\u202e\u2066", "\u200b", "\ud800", "\U0010ffff", "é" * 3, "null"),
    *("x" * LONG, "ß" * 300, "' OR 1=1 --", "%00", "../../etc/passwd", "{{7*7}}", "${jndi:ldap://x}", "\n\n## system"),
    *([], {}, [[]], [None], ["x"] * 5_000, {"$ne": ""}, {"__class__": "x"}, _nested(DEEP), {"x" * LONG: 1}),
)
"""What the careless and the malicious send in place of a value."""

WAITS = frozenset({"wait_seconds"})
"""Arguments that say how long an answer may take; nothing is learned by waiting long."""
LONGEST_WAIT_S = 1

MADE_UP = ("desk", "org_id", "organization", "__proto__", "self", "ctx", "", " ", "x" * 1_000, "\0")
"""Names of arguments that no tool has."""


def fitting(schema: Schema) -> st.SearchStrategy[Arguments]:
    """Objects that fit ``schema``: what is required is there, of the rest any part."""
    properties, required = schema.get("properties", {}), set(schema.get("required", ()))
    values = {name: value(_hurried(each) if name in WAITS else each) for name, each in properties.items()}
    return st.fixed_dictionaries(
        {name: each for name, each in values.items() if name in required},
        optional={name: each for name, each in values.items() if name not in required},
    )


def bent(schema: Schema) -> st.SearchStrategy[Any]:
    """Arguments that started as fit and were bent in one place; some are no object any more."""
    properties: Mapping[str, Schema] = schema.get("properties", {})
    bends: list[Callable[[Arguments], st.SearchStrategy[Any]]] = [_with_something_made_up, _in_place_of_all]
    if properties:
        names = sorted(properties)
        bends += [lambda fit: _with_one_replaced(fit, names), lambda fit: _without_one(fit, names)]
    return st.tuples(fitting(schema), st.sampled_from(bends)).flatmap(lambda drawn: drawn[1](drawn[0]))


def edges(schema: Schema) -> list[st.SearchStrategy[Arguments]]:
    """For each bound of each property, arguments that miss it by one and are fit but for that."""
    missing = [(name, each) for name, part in schema.get("properties", {}).items() for each in outside(part)]
    return [
        st.builds(lambda fit, each, name=name: {**fit, name: each}, fitting(schema), each) for name, each in missing
    ]


def value(schema: Schema) -> Values:
    """Values that fit a schema, of the kinds our tools use."""
    if "anyOf" in schema:
        return st.one_of([value(each) for each in schema["anyOf"]])
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema.get("type")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ValueError(f"no values are made for the schema {dict(schema)!r}")
    return _KINDS[kind](schema)


def outside(schema: Schema) -> list[Values]:
    """Values that miss a bound of the schema by one."""
    found = [each for part in schema.get("anyOf", ()) for each in outside(part)]
    if "maxLength" in schema:
        found.append(st.just("x" * (schema["maxLength"] + 1)))
    if schema.get("minLength"):
        found.append(st.just("x" * (schema["minLength"] - 1)))
    if "maximum" in schema:
        found.append(st.just(schema["maximum"] + 1))
    if "minimum" in schema:
        found.append(st.just(schema["minimum"] - 1))
    if "maxItems" in schema:
        found.append(value(schema["items"]).map(lambda item: [item] * (schema["maxItems"] + 1)))
    return found


def _hurried(schema: Schema) -> Schema:
    return {**schema, "maximum": min(schema.get("maximum", LONGEST_WAIT_S), LONGEST_WAIT_S)}


def _text(schema: Schema) -> Values:
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength", WORD)
    if "pattern" in schema:
        fits = st.from_regex(schema["pattern"]).filter(lambda text: shortest <= len(text) <= longest)
        return st.one_of(fits, st.just("x" * max(shortest, 1)))
    if schema.get("format") == "date-time":
        return st.datetimes().map(lambda moment: f"{moment.isoformat(timespec='seconds')}Z")
    usual = st.text(min_size=shortest, max_size=max(shortest, min(longest, WORD)))
    return st.one_of(usual, st.sampled_from(["x" * shortest, "x" * longest]))


def _integer(schema: Schema) -> Values:
    least, most = schema.get("minimum", -ANY_INTEGER), schema.get("maximum", ANY_INTEGER)
    return st.one_of(st.integers(least, most), st.sampled_from([least, most]))


def _array(schema: Schema) -> Values:
    least = schema.get("minItems", 0)
    most = max(least, min(schema.get("maxItems", MOST_ITEMS), MOST_ITEMS))
    key = repr if schema.get("uniqueItems") else None
    return st.lists(value(schema.get("items", {"type": "string"})), min_size=least, max_size=most, unique_by=key)


_KINDS: Mapping[str, Callable[[Schema], Values]] = {
    "string": _text,
    "integer": _integer,
    "number": lambda _schema: st.floats(allow_nan=False, allow_infinity=False, width=32),
    "boolean": lambda _schema: st.booleans(),
    "null": lambda _schema: st.none(),
    "array": _array,
    "object": fitting,
}


def _with_one_replaced(fit: Arguments, names: list[str]) -> st.SearchStrategy[Any]:
    def replaced(name: str, hostile: Any) -> Arguments:
        inside = fit.get(name)
        return {**fit, name: [*inside, hostile] if isinstance(inside, list) and inside else hostile}

    return st.builds(replaced, st.sampled_from(names), st.sampled_from(HOSTILE))


def _without_one(fit: Arguments, names: list[str]) -> st.SearchStrategy[Any]:
    return st.sampled_from(names).map(lambda gone: {name: each for name, each in fit.items() if name != gone})


def _with_something_made_up(fit: Arguments) -> st.SearchStrategy[Any]:
    return st.builds(lambda name, hostile: {**fit, name: hostile}, st.sampled_from(MADE_UP), st.sampled_from(HOSTILE))


def _in_place_of_all(_fit: Arguments) -> st.SearchStrategy[Any]:
    return st.sampled_from([None, [], "arguments", 7, [{}], {"": {}}])
