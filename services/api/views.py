"""What all bodies and answers have in common. Names are camelCase on the wire; times are RFC 3339."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from services.api.parameters import Cursor, Limit, Omittable


class Out(BaseModel):
    """An answer. Lenient where it reads, exact where it writes: every field is always sent."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, frozen=True, json_schema_serialization_defaults_required=True
    )


class In(BaseModel):
    """A body or a set of query parameters. A name nobody knows is an error, not a surprise later."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, extra="forbid")


NextCursor = Annotated[
    str | None, Field(description="Give it back as `cursor` for the next page; null on the last one.")
]
Total = Annotated[int, Field(ge=0, description="How many there are on all pages.")]
Version = Annotated[int, Field(ge=1, description="Grows with every change; the number in `ETag`.")]


class PageQuery(In):
    """How many at once, and where to go on."""

    limit: Limit = 20
    cursor: Annotated[Cursor | None, Omittable()] = Field(default=None, description="`nextCursor` of the page before.")
