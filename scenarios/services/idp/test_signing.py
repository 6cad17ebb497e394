"""Slow signatures: for whoever asks alone on the spot, for those who ask together on two processors."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any, TypeVar

import pytest
from anyio.from_thread import start_blocking_portal

from services.idp import signing
from services.idp.signing import AHEAD, Signatures

MANY = 100
HERE, BESIDE = "in the loop", "beside it"
T = TypeVar("T")


@pytest.fixture
def signatures() -> Iterator[Signatures]:
    made = Signatures()
    yield made
    made.close()


def in_a_loop(ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """In a thread of its own: that of the scenarios may have a loop that is running."""
    with start_blocking_portal() as portal:
        answer: T = portal.call(ask)
    return answer


def where() -> str:
    """Where a signature is being made."""
    return BESIDE if threading.current_thread().name == signing.THREAD else HERE


def made(number: int) -> bytes:
    """Tells whose it is, and where it was made."""
    return f"{number} {where()}".encode()


async def together(signatures: Signatures, *makes: Callable[[], bytes]) -> list[Any]:
    """What each of them gets, who all ask in the same round."""
    return await asyncio.gather(*(signatures.made(make) for make in makes), return_exceptions=True)


def test_whoever_asks_alone_waits_for_no_thread(signatures: Signatures) -> None:
    async def ask() -> list[bytes]:
        got = []
        for number in range(5):
            got.append(await signatures.made(partial(made, number)))
            await asyncio.sleep(0)  # the loop comes round, as it does between two requests
        return got

    assert in_a_loop(ask) == [f"{number} {HERE}".encode() for number in range(5)]


def test_of_those_who_ask_together_everybody_gets_their_own_and_a_thread_helps(signatures: Signatures) -> None:
    got = in_a_loop(lambda: together(signatures, *(partial(made, number) for number in range(MANY))))
    told = [each.decode().partition(" ") for each in got]
    assert [number for number, _, _ in told] == [str(number) for number in range(MANY)]
    assert {place for _, _, place in told} == {HERE, BESIDE}


def test_no_more_wait_for_the_thread_than_it_makes_soon(signatures: Signatures) -> None:
    free, all_but_few, here = threading.Event(), asyncio.Event(), list[int]()

    def held() -> bytes:
        assert free.wait(10)
        return b"held"

    def counted(number: int) -> bytes:
        if where() == HERE:
            here.append(number)
            if len(here) == MANY - AHEAD:
                all_but_few.set()
        return str(number).encode()

    async def ask() -> list[bytes]:
        first = asyncio.ensure_future(together(signatures, partial(counted, -1), held))
        then = asyncio.ensure_future(together(signatures, *(partial(counted, number) for number in range(MANY))))
        await asyncio.wait_for(all_but_few.wait(), 10)
        free.set()
        return [*await first, *await then]

    assert in_a_loop(ask) == [b"-1", b"held", *(str(number).encode() for number in range(MANY))]


def test_what_fails_fails_for_its_own_caller(signatures: Signatures) -> None:
    def broken() -> bytes:
        raise ValueError("no such key")

    first, failed, last = in_a_loop(lambda: together(signatures, partial(made, 0), broken, partial(made, 1)))
    assert isinstance(failed, ValueError)
    assert [first, last] == [f"0 {HERE}".encode(), f"1 {BESIDE}".encode()]


def test_whoever_is_gone_meanwhile_takes_nothing_from_others(signatures: Signatures) -> None:
    free = threading.Event()

    def held() -> bytes:
        assert free.wait(10)
        return b"held"

    async def ask() -> bytes:
        await signatures.made(partial(made, 0))
        gone = asyncio.ensure_future(signatures.made(held))
        other = asyncio.ensure_future(signatures.made(partial(made, 1)))
        await asyncio.sleep(0)
        gone.cancel()
        free.set()
        return await other

    assert in_a_loop(ask).startswith(b"1 ")


def test_afterwards_there_is_no_thread_and_threads_take_turns_as_before() -> None:
    before, signatures = set(threading.enumerate()), Signatures()
    in_a_loop(lambda: together(signatures, *(partial(made, number) for number in range(3))))
    (thread,) = (each for each in set(threading.enumerate()) - before if each.name == signing.THREAD)
    signatures.close()
    assert not thread.is_alive()
    assert sys.getswitchinterval() == signing.USUAL_SWITCH_S
