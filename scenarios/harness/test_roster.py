"""What ``python -m harness test`` hands out to which of its workers, and when."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.roster import Roster, pytest_xdist_make_scheduler

TESTS = [
    *("scenarios/test_one.py::test_alone",),
    *(f"scenarios/test_many.py::TestMany::test_{number}" for number in range(6)),
    *(f"scenarios/test_some.py::test_of_many[a::b@c.py-{number}]" for number in range(4)),
    *(f"scenarios/test_slow.py::test_{number}@slow" for number in range(2)),
    *("scenarios/test_slower.py::test_one@slow",),
]


class Worker:
    """One that collected ``TESTS``; it remembers what it was given."""

    def __init__(self) -> None:
        self.gateway = SimpleNamespace(id="")
        self.given: list[str] = []
        self.shutting_down = False

    def send_runtest_some(self, indices: list[int]) -> None:
        """Take these."""
        self.given += [TESTS[index] for index in indices]

    def shutdown(self) -> None:
        """There is no more."""
        self.shutting_down = True


def configured(dist: str) -> pytest.Config:
    """What pytest was told."""
    values = {"dist": dist, "tx": ["popen", "popen"]}
    told = SimpleNamespace(getvalue=values.__getitem__, option=SimpleNamespace(loadscopereorder=True))
    return cast("pytest.Config", told)


@pytest.fixture
def run() -> list[Worker]:
    """Two workers who have run all there is, in turns."""
    roster: Any = pytest_xdist_make_scheduler(configured("loadgroup"))
    workers = [Worker(), Worker()]
    nodes = {worker: iter(worker.given) for worker in workers}
    for node in nodes:
        roster.add_node(node)
        roster.add_node_collection(node, TESTS)
    roster.schedule()
    while roster.has_pending:
        for node, given in nodes.items():
            for test in given:
                roster.mark_test_complete(node, TESTS.index(test))
                break
    return workers


def test_everything_is_handed_out_once(run: list[Worker]) -> None:
    assert sorted(test for worker in run for test in worker.given) == sorted(TESTS)
    assert all(worker.shutting_down for worker in run)


def test_what_belongs_together_goes_to_one_worker(run: list[Worker]) -> None:
    for unit in ("@slow", "test_many.py", "test_some.py"):
        assert [any(unit in test for test in worker.given) for worker in run].count(True) == 1, unit


def test_groups_come_first_and_the_smallest_file_last(run: list[Worker]) -> None:
    assert run[0].given[0].endswith("@slow")
    assert run[1].given[0].startswith("scenarios/test_many.py")
    assert "scenarios/test_one.py::test_alone" in (worker.given[-1] for worker in run)


def test_another_way_to_distribute_is_left_to_pytest_xdist() -> None:
    assert pytest_xdist_make_scheduler(configured("load")) is None
    assert isinstance(pytest_xdist_make_scheduler(configured("loadgroup")), Roster)
