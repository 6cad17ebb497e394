"""The process that starts, watches and stops stacks: ``python -m harness.supervisor NAME``.

``up``, the pytest fixtures and :func:`harness.running` all ask one for their stacks. It lives as long as its standard
input is open (unless detached): when its owner dies, however that happens, everything it started ends.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from harness.cradle import Cradle


def main(argv: Sequence[str] | None = None) -> int:
    """Supervise until the owner is gone, a signal comes, or a caller asks to shut down."""
    cradle = Cradle(os.urandom(8).hex())
    from harness import supervision  # noqa: PLC0415  # it loads while the other process does

    return supervision.main(cradle, argv)


if __name__ == "__main__":
    sys.exit(main())
