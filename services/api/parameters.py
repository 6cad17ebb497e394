"""Texts and numbers as they come in: what is not exactly of the promised form is refused, not repaired."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, GetJsonSchemaHandler, StringConstraints
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

NO_NUL = r"^[^\u0000]*$"
"""Databases and C libraries end a text at U+0000, so no text may hold one."""

NOT_BLANK = r"^[^\u0000]*[^\u0000\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000][^\u0000]*$"
"""Something besides white space. Written out, because engines differ about ``\\s`` (U+0085, U+FEFF)."""

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
"""Python would also read `` 5``, ``1_0`` and ``5.0``."""


_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
"""Pydantic would also read numbers, dates alone and moments without an offset."""

_FIRST_MOMENT, _LAST_MOMENT = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
"""Services ask each other for no others."""


class Omittable:
    """For a parameter that is left out or has a value: there is no null in a query string."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        [schema] = [member for member in handler(core)["anyOf"] if member != {"type": "null"}]
        return dict(schema)


def _decimal(text: object) -> object:
    if isinstance(text, str) and not _INTEGER.fullmatch(text):
        raise ValueError("an integer is digits only")
    return text


def _flag(text: object) -> object:
    if isinstance(text, str) and text not in ("true", "false"):
        raise ValueError("it is true or false")
    return text


def _rfc3339(text: object) -> object:
    if isinstance(text, str) and not _MOMENT.fullmatch(text):
        raise ValueError("a moment is a date and a time with an offset, as in RFC 3339")
    return text


def _utc(moment: datetime) -> datetime:
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:  # at the very edge of the calendar
        moment = moment.replace(tzinfo=UTC)
    return min(max(moment, _FIRST_MOMENT), _LAST_MOMENT)  # nothing here happened before, or will happen after


Flag = Annotated[bool, BeforeValidator(_flag)]
"""Pydantic would also read ``yes``, ``on`` and ``1``."""
Label = Annotated[str, StringConstraints(min_length=1, max_length=50, pattern=NO_NUL)]
Search = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NO_NUL)]
Cursor = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9_-]+$")]
Limit = Annotated[int, Field(ge=1, le=100), BeforeValidator(_decimal)]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
"""An id of something elsewhere."""
Instant = Annotated[AwareDatetime, AfterValidator(_utc)]
Moment = Annotated[Instant, BeforeValidator(_rfc3339)]
