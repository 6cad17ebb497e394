"""Entries by name: those of the registry file, and what was changed at run time on top, which outlives a restart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from pydantic import BaseModel

from services.idp.records import Change
from services.idp.shelf import Shelf

Entry = TypeVar("Entry", bound=BaseModel)


class Directory(Mapping[str, Entry], Generic[Entry]):
    """A mapping to read; :meth:`put` and :meth:`drop` to change."""

    def __init__(self, written: Mapping[str, Entry], kind: type[Entry], changes: Shelf[Change]) -> None:
        self._written, self._changes = written, changes
        self._entries = dict(written)
        for name, change in changes.all(at=0).items():
            if change.entry is None:
                self._entries.pop(name, None)
            else:
                self._entries[name] = kind.model_validate(change.entry)

    def __getitem__(self, name: str) -> Entry:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, name: str, entry: Entry) -> None:
        """Add or replace."""
        self._changes.put(name, Change(entry.model_dump(mode="json")))
        self._entries[name] = entry  # only now: what cannot be kept has not happened

    def drop(self, name: str) -> None:
        """Take away.

        Raises:
            KeyError: there is none of that name.
        """
        del self._entries[name]
        if name in self._written:
            self._changes.put(name, Change(None))
        else:  # nobody will miss it
            self._changes.drop(name)

    def restore(self) -> None:
        """As the file has it."""
        self._changes.clear()
        self._entries = dict(self._written)
