"""A function of a service behind a resource or a prompt: it gets its desk, and the arguments a client named as text."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, get_type_hints

import pydantic
from anyio import to_thread
from pydantic.fields import FieldInfo

from services.shared.mcp.desk import desk
from services.shared.mcp.problem_results import refuse_nul, unfit


class Handler:
    """The function, its name and docstring, and what it takes besides the desk, which comes first."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self.name = function.__name__
        self.description = inspect.getdoc(function)
        hints = get_type_hints(function, include_extras=True)
        parameters = list(inspect.signature(function).parameters.values())[1:]
        fields: dict[str, Any] = {
            each.name: (hints[each.name], ... if each.default is each.empty else each.default) for each in parameters
        }
        self._shape: type[pydantic.BaseModel] = pydantic.create_model(
            self.name, __config__=pydantic.ConfigDict(extra="forbid"), **fields
        )

    @property
    def arguments(self) -> Mapping[str, FieldInfo]:
        """What a client may name."""
        return self._shape.model_fields

    async def __call__(self, named: Mapping[str, Any]) -> Any:
        """Call the function for the caller of this request, in a thread of its own.

        Raises:
            Invalid: the arguments do not fit.
            ProblemError: the function refuses.
        """
        refuse_nul(named)
        try:
            given = self._shape.model_validate(named)
        except pydantic.ValidationError as error:
            raise unfit(error) from error
        values = {name: getattr(given, name) for name in self.arguments}
        return await to_thread.run_sync(partial(self._function, desk(), **values))
