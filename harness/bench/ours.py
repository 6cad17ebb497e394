"""Our identity provider, known to the same clients as its peers and run as ``up --backend process`` runs it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from harness import __version__, launch
from harness.bench import registration
from harness.bench.peers import FOLDER, Running

NAME, TITLE = "idp", "Dress Rehearsal"
REGISTRY = "IDP_REGISTRY"


@contextmanager
def started() -> Iterator[Running]:
    """Our provider, in a fresh process of its own and inside the simulation layer, until the block ends."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / f"registry-{os.getpid()}.yaml"
    file.write_text(registration.for_ours(), encoding="utf-8")
    before = os.environ.get(REGISTRY)
    os.environ[REGISTRY] = str(file)
    try:
        with launch.running(only=(NAME,), backend="process") as stack:
            pid = stack.describe()["services"][NAME]["pid"]
            yield Running(TITLE, __version__, stack.url(NAME), pid)
    finally:
        file.unlink()
        if before is None:
            del os.environ[REGISTRY]
        else:
            os.environ[REGISTRY] = before
