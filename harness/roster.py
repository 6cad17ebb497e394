"""Which worker of pytest-xdist runs what: the tests of a file together, and the groups before all else.

Under ``--dist loadgroup`` as it comes a test without a group is handed out alone. So each worker makes anew what the
tests of a file share, and for each of thousands of tests all that were ever handed out are counted again.
``python -m harness test`` names this plugin to pytest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadGroupScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.workermanage import WorkerController


FILES = ".py"


class Roster(LoadGroupScheduling):  # type: ignore[misc]
    """Hands out groups, and then files, the largest first: what is handed out last must not take long."""

    def _split_scope(self, nodeid: str) -> str:
        """The group of a test, else its file."""
        group_or_test: str = super()._split_scope(nodeid)
        return group_or_test.partition("::")[0]

    def _assign_work_unit(self, node: WorkerController) -> None:
        group = next((unit for unit in self.workqueue if not unit.endswith(FILES)), None)
        if group is not None:
            self.workqueue.move_to_end(group, last=False)
        super()._assign_work_unit(node)


@pytest.hookimpl
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer | None = None) -> Roster | None:
    """Ours, where groups are asked for at all."""
    return Roster(config, log) if config.getvalue("dist") == "loadgroup" else None
