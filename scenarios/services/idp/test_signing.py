"""Slow signatures: for whoever asks alone on the spot, for those who ask together on two processors."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from services.idp.signing import AHEAD, Signatures

MANY = 100


@pytest.fixture
def signatures() -> Iterator[Signatures]:
    made = Signatures()
    yield made
    made.close()


def made_here(of: int) -> bytes:
    """Tells who was asked for, and which thread made it."""
    return f"{of} {threading.current_thread().name}".encode()


async def together(signatures: Signatures, *makes: Callable[[], bytes]) -> list[bytes | BaseException]:
    return await asyncio.gather(*(signatures.made(make) for make in makes), return_exceptions=True)


def test_whoever_asks_alone_waits_for_no_thread(signatures: Signatures) -> None:
    async def ask() -> list[bytes]:
        made = []
        for number in range(5):
            made.append(await signatures.made(partial(made_here, number)))
            await asyncio.sleep(0)  # the loop comes round, as it does between two requests
        return made

    assert asyncio.run(ask()) == [f"{number} MainThread".encode() for number in range(5)]


def test_of_those_who_ask_together_everybody_gets_their_own_and_a_thread_helps(signatures: Signatures) -> None:
    told = asyncio.run(together(signatures, *(partial(made_here, number) for number in range(MANY))))
    assert [str(each, "ascii").partition(" ")[0] for each in told if isinstance(each, bytes)] == [
        str(number) for number in range(MANY)
    ]
    assert {bytes(each).partition(b" ")[2] for each in told if isinstance(each, bytes)} == {
        b"MainThread",
        b"signatures",
    }


def test_no_more_wait_for_the_thread_than_it_makes_soon(signatures: Signatures) -> None:
    free = threading.Event()

    def held() -> bytes:
        assert free.wait(10)
        return b"held"

    async def ask() -> list[bytes | BaseException]:
        waiting = asyncio.ensure_future(together(signatures, partial(made_here, 0), held))
        await asyncio.sleep(0)
        told = asyncio.ensure_future(together(signatures, *(partial(counted, number) for number in range(MANY))))
        await all_but_few.wait()
        free.set()
        return [*await waiting, *await told]

    all_but_few, here = asyncio.Event(), list[int]()

    def counted(of: int) -> bytes:
        if threading.current_thread() is threading.main_thread():
            here.append(of)
            if len(here) >= MANY - AHEAD:
                all_but_few.set()
        return str(of).encode()

    told = asyncio.run(ask())
    assert told == [b"0 MainThread", b"held", *(str(number).encode() for number in range(MANY))]


def test_what_fails_fails_for_its_own_caller(signatures: Signatures) -> None:
    def broken() -> bytes:
        raise ValueError("no such key")

    first, failed, last = asyncio.run(together(signatures, partial(made_here, 0), broken, partial(made_here, 1)))
    assert isinstance(failed, ValueError)
    assert [first, last] == [b"0 MainThread", b"1 signatures"]


def test_whoever_is_gone_meanwhile_takes_nothing_from_others(signatures: Signatures) -> None:
    free = threading.Event()

    def held() -> bytes:
        assert free.wait(10)
        return b"held"

    async def ask() -> bytes:
        await signatures.made(partial(made_here, 0))
        gone = asyncio.ensure_future(signatures.made(held))
        other = asyncio.ensure_future(signatures.made(partial(made_here, 1)))
        await asyncio.sleep(0)
        gone.cancel()
        free.set()
        return await other

    assert asyncio.run(ask())[:1] == b"1"


def test_afterwards_threads_take_turns_as_before() -> None:
    usual, signatures = sys.getswitchinterval(), Signatures()
    asyncio.run(together(signatures, *(partial(made_here, number) for number in range(3))))
    meanwhile = sys.getswitchinterval()
    signatures.close()
    assert meanwhile < usual == sys.getswitchinterval()
    assert "signatures" not in {thread.name for thread in threading.enumerate()}
