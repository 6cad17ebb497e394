"""The endpoints as the OpenAPI document has them: their media type is not one that FastAPI describes by itself."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from services.idp.errors import Documented
from services.idp.scim.errors import MEDIA_TYPE, ErrorBody

TYPES = (MEDIA_TYPE, "application/json")
"""Of bodies that are read (RFC 7644 §3.1)."""


def answers(model: type[BaseModel] | None, *statuses: int, good: int = 200) -> Documented:
    """A good answer, of a model or any object, and these errors."""
    schema = _whole(model) if model else {"type": "object"}
    described: Documented = {good: {"content": {MEDIA_TYPE: {"schema": schema}}}}
    for status in statuses:
        described[status] = {
            "description": "RFC 7644 §3.12",
            "content": {MEDIA_TYPE: {"schema": _whole(ErrorBody)}},
        }
    return described


def body(model: type[BaseModel]) -> dict[str, Any]:
    """What is sent."""
    return {"requestBody": {"required": True, "content": {kind: {"schema": _whole(model)} for kind in TYPES}}}


def _whole(model: type[BaseModel]) -> Any:
    """The schema in one piece: references of a model lead nowhere in another document."""
    schema = model.model_json_schema()
    parts = schema.pop("$defs", {})

    def resolved(part: Any) -> Any:
        match part:
            case {"$ref": str(reference)}:
                return resolved(parts[reference.rpartition("/")[2]])
            case dict():
                return {name: resolved(each) for name, each in part.items()}
            case list():
                return [resolved(each) for each in part]
        return part

    return resolved(schema)
