"""What tools answer with: camelCase on the wire, and every field always there."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class View(BaseModel):
    """An answer, or a part of one."""

    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, serialize_by_alias=True, frozen=True, extra="forbid"
    )


NextCursor = Annotated[str | None, Field(description="Pass it as cursor for the next page; null on the last one.")]
Total = Annotated[int, Field(description="How many match in all, over all pages.")]
