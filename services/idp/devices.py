"""Devices that wait to be let in (RFC 8628): found by the code they ask with, and by the one that people type."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import TypeAlias

from services.idp.records import DeviceConfirmation, DeviceRequest, UserCode, WrongCodes
from services.idp.shelf import Record, Shelf, digest, kept

MOST_WRONG_CODES = 100
"""Of all browsers together within `WRONG_CODES_S`. There are 25 600 million codes (RFC 8628 §5.1)."""

WRONG_CODES_S = 600

Found: TypeAlias = tuple[str, DeviceRequest]
"""A request, and the key to :meth:`Devices.keep` it by."""


class Devices:
    """Those of one tenant. Codes are kept only as digests."""

    def __init__(self, connection: sqlite3.Connection, *, tenant: str) -> None:
        def shelf(kind: type[Record], name: str) -> Shelf[Record]:
            return Shelf(connection, kind, tenant=tenant, name=name)

        self._requests = shelf(DeviceRequest, "devices")
        self._user_codes = shelf(UserCode, "user-codes")
        self._confirmations = shelf(DeviceConfirmation, "device-confirmations")
        self._wrong_codes = shelf(WrongCodes, "wrong-codes")

    def forget(self) -> None:
        """Forget them all."""
        for shelf in (self._requests, self._user_codes, self._confirmations, self._wrong_codes):
            shelf.clear()

    def add(self, request: DeviceRequest, user_code: str) -> str:
        """Returns the device code as the client gets it."""
        device_code = kept(self._requests, request)
        self._user_codes.put(digest(user_code), UserCode(digest(device_code), request.valid_until))
        return device_code

    def asking(self, device_code: str, *, at: float) -> Found | None:
        """What the device with that code asked for, as long as it is told what became of it."""
        return self._found(digest(device_code), at=at)

    def shown(self, user_code: str, *, at: float) -> Found | None:
        """The request of a device that shows that code and waits for an answer."""
        known = self._user_codes.get(digest(user_code), at=at)
        return self.waiting(known.device, at=at) if known else None

    def waiting(self, key: str, *, at: float) -> Found | None:
        """The same by its key."""
        found = self._found(key, at=at)
        return found if found and found[1].state == "waiting" and at < found[1].valid_until else None

    def keep(self, key: str, request: DeviceRequest) -> None:
        """What became of it."""
        self._requests.put(key, request)

    def confirming(self, confirmation: DeviceConfirmation) -> str:
        """Returns what the answer has to name."""
        return kept(self._confirmations, confirmation)

    def confirmation(self, secret: str, *, at: float) -> DeviceConfirmation | None:
        """The question that was put under that name."""
        return self._confirmations.get(digest(secret), at=at)

    def answered(self, secret: str) -> None:
        """It is put no more."""
        self._confirmations.drop(digest(secret))

    def count_wrong_code(self, *, at: float) -> None:
        """Somebody typed one that no device shows."""
        before = self._wrong_codes.get("all", at=at) or WrongCodes(count=0, expires_at=at + WRONG_CODES_S)
        self._wrong_codes.put("all", replace(before, count=before.count + 1))

    def guessed_too_often(self, *, at: float) -> bool:
        """Whether no code is looked at for a while."""
        known = self._wrong_codes.get("all", at=at)
        return known is not None and known.count >= MOST_WRONG_CODES

    def _found(self, key: str, *, at: float) -> Found | None:
        request = self._requests.get(key, at=at)
        return (key, request) if request else None
