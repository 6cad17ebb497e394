"""``python -m harness``: sets up what is missing, then runs the command."""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "error: Dress Rehearsal needs Python 3.11 or newer\n"
        f"  this is Python {sys.version_info[0]}.{sys.version_info[1]} at {sys.executable}\n"
        "  run it with another interpreter, for instance: python3.11 -m harness up"
    )

from harness import bootstrap  # not parseable by the Pythons refused above

if __name__ == "__main__":
    sys.exit(bootstrap.main(sys.argv[1:]))
