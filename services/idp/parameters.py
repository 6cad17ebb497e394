"""Parameters of a request as RFC 6749 §3.1 and §3.2 want them: form-encoded, empty is absent, none twice."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cache, lru_cache
from typing import Any, Self, TypeVar, get_origin
from urllib.parse import unquote_plus

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from services.idp.errors import BodyTooLong, InvalidRequest
from services.shared import bodies

LONGEST = 32 * 1024
"""Bytes of a query or body; the longest honest one carries a token or two."""

MOST = 64
"""Parameters in one request."""

SHORT = 128
FORM = "application/x-www-form-urlencoded"

Form = TypeVar("Form", bound=BaseModel)


class Parameters:
    """Names and values as they came. Only a field that a form declares as a list may have several values."""

    proven_key: str | None = None
    """What came beside them: the thumbprint of the key that the request proves to have (RFC 9449)."""

    def __init__(self, pairs: Iterable[tuple[str, str]], *, empty_is_absent: bool = True) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            if value or not empty_is_absent:
                self._values.setdefault(name, []).append(value)

    @classmethod
    async def of_body(cls, request: Request) -> Self:
        """Read the body.

        Raises:
            InvalidRequest: another content type, too much, or not decodable.
        """
        if bodies.media_type(request.headers) != FORM:
            raise InvalidRequest(f"the body must be {FORM}")
        try:
            return cls._decoded(await bodies.read(request, longest=LONGEST))
        except bodies.TooLong:
            raise BodyTooLong("the body is too long") from None

    @classmethod
    def of_query(cls, request: Request, *, empty_is_absent: bool = True) -> Self:
        """Read the query; raises as ``of_body`` does."""
        query: bytes = request.scope["query_string"]
        if len(query) > LONGEST:
            raise InvalidRequest("the query is too long")
        return cls._decoded(query, empty_is_absent=empty_is_absent)

    @classmethod
    def _decoded(cls, encoded: bytes, *, empty_is_absent: bool = True) -> Self:
        fields = encoded.split(b"&", MOST)
        if len(fields) > MOST:
            raise InvalidRequest("there are too many parameters")
        try:
            named = [field.partition(b"=") for field in fields if field]
            pairs = [(_plain(name), _plain(value)) for name, _, value in named]
        except ValueError:
            raise InvalidRequest("the parameters are not form-encoded") from None
        if not all(value.isprintable() for _, value in pairs):
            raise InvalidRequest("a parameter has unprintable characters")
        return cls(pairs, empty_is_absent=empty_is_absent)

    def single(self, name: str) -> str | None:
        """The value, None if there is none.

        Raises:
            InvalidRequest: there are several.
        """
        values = self._values.get(name, [])
        if len(values) > 1:
            raise InvalidRequest(f"{name} is given more than once")
        return values[0] if values else None

    def first(self, name: str) -> str | None:
        """The value, or the first of several, None if there is none."""
        return next(iter(self._values.get(name, ())), None)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Names and values in the order in which the names came first."""
        return [(name, value) for name, values in self._values.items() for value in values]

    def without(self, names: Collection[str]) -> Parameters:
        """The others."""
        return Parameters((name, value) for name, value in self.pairs if name not in names)

    def with_default(self, name: str, value: str) -> Parameters:
        """The same, with this one where there was none of that name."""
        return self if name in self._values else Parameters([*self.pairs, (name, value)])

    def parse(self, form: type[Form]) -> Form:
        """The parameters ``form`` declares; others are dropped (RFC 6749 §3.1), but refused if repeated.

        Raises:
            InvalidRequest: one is missing, malformed, or given more than once.
        """
        lists = _lists(form)
        for name in self._values.keys() - lists:
            if len(self._values[name]) > 1:
                # A name we do not know is not repeated to anybody.
                raise InvalidRequest(f"{name if name in form.model_fields else 'a parameter'} is given more than once")
        values = {name: tuple(given) if name in lists else given[0] for name, given in self._values.items()}
        try:
            return form.model_validate(values)
        except ValidationError as error:
            wrong = error.errors()[0]
            how = "missing" if wrong["type"] == "missing" else "malformed"
            raise InvalidRequest(f"{wrong['loc'][0]} is {how}") from None


def _plain(encoded: bytes) -> str:
    """A name or value as it is meant. Raises ValueError if it is not ASCII, or what it encodes is not UTF-8."""
    text = encoded.decode("ascii")
    if "%" not in text and "+" not in text:
        return text
    return _of_few(text) if len(text) < SHORT else unquote_plus(text, errors="strict")


@lru_cache(maxsize=256)
def _of_few(text: str) -> str:
    """What is short is the address of a resource, or scopes, and comes again and again."""
    return unquote_plus(text, errors="strict")


@cache
def _lists(form: type[BaseModel]) -> frozenset[str]:
    return frozenset(name for name, field in form.model_fields.items() if get_origin(field.annotation) is tuple)


def form_body(*forms: type[BaseModel]) -> dict[str, Any]:
    """The OpenAPI description of a form body: one of these models."""
    schemas = [form.model_json_schema() for form in forms]
    schema = schemas[0] if len(schemas) == 1 else {"oneOf": schemas}
    return {"requestBody": {"required": True, "content": {FORM: {"schema": schema}}}}


def query(form: type[BaseModel]) -> dict[str, Any]:
    """The OpenAPI description of query parameters: the fields of this model."""
    schema = form.model_json_schema()
    required = schema.get("required", ())
    return {
        "parameters": [
            {"name": name, "in": "query", "required": name in required, "schema": field}
            for name, field in schema["properties"].items()
        ]
    }
