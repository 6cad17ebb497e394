"""The start of the process that becomes the zygotes.

It needs a tenth of a second to get ready to be told what to warm; in that time its supervisor loads its own modules.
So this one loads next to nothing.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from harness.bootstrap import child_environment
from harness.environ import NONCE, QUIET_LIBRARIES

ROOT = Path(__file__).resolve().parent.parent


class Cradle:
    """A process ``harness.zygote`` that waits for its first line on ``channel``.

    All that comes out of it can be told by ``mark``, with which the nonces of the stacks begin.
    """

    def __init__(self, mark: str) -> None:
        self.mark = mark
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        number = theirs.fileno()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "harness.zygote", "--parent", str(os.getpid()), "--channel", str(number)],
            cwd=ROOT,
            env=child_environment(os.environ) | QUIET_LIBRARIES | {NONCE: mark},
            stdin=subprocess.DEVNULL,
            pass_fds=[number],
            start_new_session=True,
        )
        theirs.close()

    def put_away(self) -> None:
        """Nobody is going to tell it anything: end it."""
        self.channel.close()
        self.process.kill()
        self.process.wait()
