"""Validators of pydantic's models, put off while libraries load.

Libraries declare some seven hundred models, of which a service needs a few at its start. To make the validators of all
is a quarter of the time that loading takes. Put off, one is made when it is first used, or when there is nothing else
to do.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import BaseModel


def load(libraries: Sequence[str]) -> None:
    """Import ``libraries`` without the validators of their models. One that is not there is none of our business."""
    with put_off() if libraries else contextlib.nullcontext():
        for library in libraries:
            with contextlib.suppress(ImportError):  # whoever needs it will say so
                importlib.import_module(library)


@contextlib.contextmanager
def put_off() -> Iterator[None]:
    """Leave every model that is declared meanwhile, and what derives from it, without its validator."""
    from pydantic import BaseModel, ConfigDict  # noqa: PLC0415  # only who loads libraries has this

    usual = BaseModel.model_config
    BaseModel.model_config = ConfigDict(defer_build=True)
    try:
        yield
    finally:
        BaseModel.model_config = usual


def missing() -> list[type[BaseModel]]:
    """The models of this process that have no validator yet."""
    if "pydantic" not in sys.modules:
        return []
    from pydantic import BaseModel  # noqa: PLC0415

    return [model for model in {*_below(BaseModel)} if not model.__pydantic_complete__]


def make(model: type[BaseModel]) -> None:
    """Make the validator of ``model``, which takes some thousandths of a second at most.

    A name in it that nobody has defined yet is no error here: whoever uses the model is told.
    """
    # The empty namespace keeps pydantic from looking for names among our local variables.
    model.model_rebuild(raise_errors=False, _types_namespace={})


def _below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for each in model.__subclasses__():
        yield each
        yield from _below(each)
