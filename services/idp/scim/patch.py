"""Changes of a person (RFC 7644 §3.5.2): operations on the document, all of them or none."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.idp.scim.errors import ScimError
from services.idp.scim.paths import Path, path
from services.idp.scim.users import ATTRIBUTES, PARTS, READ_ONLY, SEVERAL, Document

PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
MOST = 100
"""Operations in one request."""


class Operation(BaseModel):
    """One change. The names of members and operations are taken in any case, as clients write them."""

    model_config = ConfigDict(extra="forbid", strict=True)

    op: Literal["add", "replace", "remove"]
    path: str | None = Field(default=None, max_length=1000)
    value: Any = None


class PatchOp(BaseModel):
    """The body of a PATCH."""

    model_config = ConfigDict(extra="forbid", strict=True)

    schemas: list[Literal["urn:ietf:params:scim:api:messages:2.0:PatchOp"]] = Field(min_length=1)
    Operations: list[Operation] = Field(min_length=1, max_length=MOST)


def read(body: object) -> list[Operation]:
    """The operations of a request.

    Raises:
        ScimError: it is not one.
    """
    if not isinstance(body, dict):
        raise ScimError(400, "the body must be an object", kind="invalidSyntax")
    members = _lowered(body)
    operations = members.get("operations")
    if isinstance(operations, list):
        operations = [_operation(each) if isinstance(each, dict) else each for each in operations]
    try:
        return PatchOp.model_validate({"schemas": members.get("schemas"), "Operations": operations}).Operations
    except ValidationError as error:
        flaw = error.errors()[0]
        where = ".".join(map(str, flaw["loc"]))
        raise ScimError(400, f"{where}: {flaw['msg']}", kind="invalidSyntax") from None


def patched(before: Document, operations: list[Operation]) -> Document:
    """The document with all operations done, one after the other. What comes of it is yet to be checked.

    Raises:
        ScimError: one cannot be done.
    """
    after = deepcopy(before)
    for operation in operations:
        if operation.path is not None:
            _apply(after, operation.op, path(operation.path), operation.value)
        elif operation.op == "remove":
            raise ScimError(400, "remove needs a path", kind="noTarget")
        else:
            for name, value in _members(operation.value).items():
                _apply(after, operation.op, path(name), value)
    return after


def replaced(before: Document, body: object) -> Document:
    """The document of a PUT (§3.5.1): what is read-only is ignored, what is missing stays away.

    Raises:
        ScimError: it is none.
    """
    return {name: before[name] for name in READ_ONLY} | whole(body)


def whole(body: object) -> Document:
    """The attributes of a PUT or POST, called as RFC 7643 has them, without those that are read-only.

    Raises:
        ScimError: something is none.
    """
    wanted: Document = {}
    for name, value in _members(body).items():
        target = path(name)
        if target != Path(target.attribute):
            raise ScimError(400, f"{name[:100]!r} is not an attribute", kind="invalidSyntax")
        if target.attribute not in READ_ONLY:
            wanted[target.attribute] = _canonical(target.attribute, value)
    return wanted


def _apply(after: Document, op: str, target: Path, value: Any) -> None:
    if target.attribute in READ_ONLY:
        raise ScimError(400, f"{target.attribute} cannot be changed", kind="mutability")
    if target.attribute in SEVERAL:
        _apply_to_list(after, op, target, value)
    elif target.items is not None:
        raise ScimError(400, f"{target.attribute} is not a list", kind="invalidPath")
    elif target.part is not None:
        whole = after.get(target.attribute)
        after[target.attribute] = whole = dict(whole) if isinstance(whole, dict) else {}
        _set(whole, op, target.part, value)
    elif target.attribute in PARTS and op == "add" and isinstance(after.get(target.attribute), dict):
        after[target.attribute] |= _members(_canonical(target.attribute, value))
    else:
        _set(after, op, target.attribute, _canonical(target.attribute, value))


def _apply_to_list(after: Document, op: str, target: Path, value: Any) -> None:
    items: list[Any] = after.setdefault(target.attribute, [])
    meant = items if target.items is None else [each for each in items if all(c.holds(each) for c in target.items)]
    if target.items is not None and not meant:
        raise ScimError(400, f"no item of {target.attribute} is meant by this filter", kind="noTarget")
    if target.part is not None:
        for item in meant:
            _set(item, op, target.part, value)
        return
    given = [] if op == "remove" else _listed(target.attribute, value)
    if op == "add" and target.items is None:
        after[target.attribute] = items + [each for each in given if not any(_same(each, one) for one in items)]
    elif op == "add":
        for item in meant:
            for each in given:
                item.update(each)
    else:
        after[target.attribute] = [each for each in items if not any(each is one for one in meant)] + given


def _set(into: dict[str, Any], op: str, name: str, value: Any) -> None:
    if op == "remove":
        into.pop(name, None)
    else:
        into[name] = value


def _listed(attribute: str, value: Any) -> list[Any]:
    """Items as objects; clients also send one alone, or its value."""
    items = value if isinstance(value, list) else [value]
    listed = [{"value": each} if isinstance(each, str) else _canonical(attribute, each) for each in items]
    if not all(isinstance(each, dict) and "value" in each for each in listed):
        raise ScimError(400, f"an item of {attribute} needs a value", kind="invalidValue")
    return listed


def _canonical(attribute: str, value: Any) -> Any:
    """The value with its parts called as RFC 7643 has them."""
    if isinstance(value, list):
        return [_canonical(attribute, each) for each in value]
    if not isinstance(value, dict):
        return value
    parts = PARTS.get(attribute, {})
    return {parts.get(name.lower(), name): each for name, each in value.items()}


def _same(given: dict[str, Any], item: Any) -> bool:
    """Whether an item is there already: one of the value, and of the type if that is given."""
    return bool(item.get("value") == given["value"] and given.get("type", item.get("type")) == item.get("type"))


def _members(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ScimError(400, f"an object with some of {', '.join(ATTRIBUTES.values())} is wanted", kind="invalidValue")
    return cast("dict[str, Any]", value)


def _operation(given: dict[str, Any]) -> dict[str, Any]:
    members = _lowered(given)
    op = members.get("op")
    return members | {"op": op.lower() if isinstance(op, str) else op}


def _lowered(given: dict[str, Any]) -> dict[str, Any]:
    lowered = {name.lower(): value for name, value in given.items()}
    if len(lowered) != len(given):
        raise ScimError(400, "a member is given twice", kind="invalidSyntax")
    return lowered
