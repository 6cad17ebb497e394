"""Ports: precedence, refusal of bad values before anything starts, honest conflicts."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack

import pytest

from harness import ports
from harness.errors import PortConfigurationError, PortTakenError
from harness.ports import PORTS, Source, configured, reserve, reserve_all

DEFAULTS = {port.service: port.default or 0 for port in PORTS}


def resolve(**sources: dict[str, str]) -> dict[str, int]:
    choices = configured([Source(name, values) for name, values in sources.items()], PORTS)
    return {name: choice.number for name, choice in choices.items()}


def refusal(**sources: dict[str, str]) -> str:
    with pytest.raises(PortConfigurationError) as refused:
        resolve(**sources)
    return str(refused.value)


def test_without_any_setting_the_defaults_hold() -> None:
    assert resolve() == DEFAULTS


def test_a_flag_beats_the_environment_beats_the_env_file_beats_the_default() -> None:
    flag, environment, dotenv = (
        {"IDP_PORT": "1111"},
        {"IDP_PORT": "2222", "API_PORT": "2223"},
        {
            "IDP_PORT": "3333",
            "API_PORT": "3334",
            "UI_PORT": "3335",
        },
    )
    chosen = resolve(flag=flag, environment=environment, dotenv=dotenv)
    assert chosen == DEFAULTS | {"idp": 1111, "api": 2223, "ui": 3335}


def test_an_offset_shifts_the_defaults_and_leaves_alone_what_is_set_by_name() -> None:
    chosen = resolve(environment={"PORT_OFFSET": "100", "UI_PORT": "5000"})
    assert chosen == {name: number + 100 for name, number in DEFAULTS.items()} | {"ui": 5000}


def test_an_empty_value_counts_as_not_set() -> None:
    assert resolve(environment={"IDP_PORT": ""}) == DEFAULTS


@pytest.mark.parametrize("value", ["text", "0", "70000", "-1", "1_000", "7000.0", "٩٠٠٠", "999999999999999999999"])
def test_a_bad_value_is_refused_and_named(value: str) -> None:
    assert f"IDP_PORT={value!r} (environment)" in refusal(environment={"IDP_PORT": value})


def test_all_bad_values_are_told_in_one_message_with_where_each_was_set() -> None:
    told = refusal(flag={"UI_PORT": "0"}, environment={"IDP_PORT": "text"}, dotenv={"API_PORT": "70000"})
    assert "UI_PORT='0' (flag)" in told
    assert "IDP_PORT='text' (environment)" in told
    assert "API_PORT='70000' (dotenv)" in told


def test_two_services_on_one_port_are_refused() -> None:
    told = refusal(environment={"IDP_PORT": "7000", "UI_PORT": "7000"})
    assert "IDP_PORT (environment) and UI_PORT (environment) are both 7000" in told


def test_an_offset_past_the_last_port_is_refused() -> None:
    assert "past 65535" in refusal(environment={"PORT_OFFSET": "60000"})


def test_a_privileged_port_without_rights_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_first_unprivileged_port", lambda: 1024)
    assert "UI_PORT=80 (environment): ports below 1024" in refusal(environment={"UI_PORT": "80"})


@pytest.mark.parametrize(("family", "address"), ports.LOOPBACK, ids=["IPv4", "IPv6"])
def test_a_taken_port_names_its_holder_and_leaves_nothing_reserved(family: socket.AddressFamily, address: str) -> None:
    with ExitStack() as opened:
        taken = opened.enter_context(socket.create_server((address, 0), family=family))
        free = reserve(0)
        free.close()
        environment = {"IDP_PORT": str(free.number), "UI_PORT": str(taken.getsockname()[1])}
        two = [port for port in PORTS if port.service in ("idp", "ui")]
        choices = configured([Source("environment", environment)], two)
        with pytest.raises(PortTakenError) as refused:
            reserve_all(choices)
        assert f"pid {os.getpid()}" in refused.value.evidence
        assert f"working directory: {os.getcwd()}" in refused.value.evidence  # noqa: PTH109  # as the system tells it
        assert "PORT_OFFSET" in refused.value.todo
        opened.enter_context(socket.create_server(("127.0.0.1", free.number)))


def test_connections_wait_until_the_service_accepts() -> None:
    with ExitStack() as opened:
        reservation = reserve(0)
        opened.callback(reservation.close)
        listening = [opened.enter_context(each) for each in reservation.listen()]
        client = opened.enter_context(socket.create_connection(("localhost", reservation.number)))
        client.sendall(b"early")
        answering = next(each for each in listening if each.family == client.family)
        accepted = opened.enter_context(answering.accept()[0])
        assert accepted.recv(5) == b"early"


def test_a_dead_service_refuses_connections_and_its_restart_has_the_same_port() -> None:
    with ExitStack() as opened:
        reservation = reserve(0)
        opened.callback(reservation.close)
        for each in reservation.listen():
            each.close()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", reservation.number))
        for each in reservation.listen():
            opened.enter_context(each)
        opened.enter_context(socket.create_connection(("127.0.0.1", reservation.number)))


def test_a_stranger_cannot_take_a_reserved_port_while_the_service_listens() -> None:
    with ExitStack() as opened:
        reservation = reserve(0)
        opened.callback(reservation.close)
        for each in reservation.listen():
            opened.enter_context(each)
        with pytest.raises(OSError, match="in use"):
            socket.create_server(("127.0.0.1", reservation.number))


def test_listening_sockets_name_their_protocol() -> None:
    """Without it asyncio leaves Nagle's algorithm on, and every answer on a kept connection waits 40 ms."""
    reservation = reserve(0)
    listening = reservation.listen()
    try:
        assert {each.proto for each in listening} == {socket.IPPROTO_TCP}
    finally:
        for each in listening:
            each.close()
        reservation.close()


def test_a_port_is_held_against_a_second_harness_even_while_nobody_listens() -> None:
    first = reserve(0)
    try:
        with pytest.raises(OSError, match="in use"):
            reserve(first.number)
        for listening in first.listen():
            listening.close()
        with pytest.raises(OSError, match="in use"):
            reserve(first.number)
    finally:
        first.close()
    reserve(first.number).close()


def test_a_lent_port_can_be_bound_by_a_program_of_its_own() -> None:
    lent = reserve(0)
    try:
        lent.lend()
        with socket.create_server(("127.0.0.1", lent.number)) as server:
            assert server.getsockname()[1] == lent.number
    finally:
        lent.close()


def test_a_port_that_could_not_be_lent_once_can_be_lent_later() -> None:
    lent = reserve(0)
    try:
        (*_, taken) = lent.listen()
        with pytest.raises(OSError, match="in use"):
            lent.lend()
        taken.close()
        for each in _:
            each.close()
        lent.lend()
    finally:
        lent.close()
