"""Services that are hard to get rid of, for a made-up checkout: plain programs without a library, and one ASGI app."""

from __future__ import annotations

SPECIMENS = ("stubborn", "child", "grandchild", "daemon", "flood", "stopped")
"""What the service ``desk`` starts; by these names they stand in ``specimens.txt`` of the stack's folder."""

PYPROJECT = """
[tool.harness]
start = ["desk", "mule", "app"]

[tool.harness.services.desk]
command = "python -S -E desk.py {port} {folder}"
health = "/"

[tool.harness.services.mule]
command = "python -S -E mule.py {port}"
health = "tcp"

[tool.harness.services.app]
app = "app:create_app"
health = "/"
"""
MULE = """
import signal, socket, sys

for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    listening.accept()[0].close()
"""
DESK = """
import os, select, signal, socket, sys

born, tell = os.pipe()


def be(name):
    os.write(tell, f"{name} {os.getpid()}\\n".encode())


def wait():
    while True:
        signal.pause()


def stubborn():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    be("stubborn")
    wait()


def child():
    be("child")
    if os.fork() == 0:
        be("grandchild")
    wait()


def daemon():
    os.setsid()
    if os.fork():
        os._exit(0)
    be("daemon")
    os.closerange(0, 256)
    wait()


def flood():
    be("flood")
    while True:
        os.write(1, b"and on and on and on\\n" * 200)
        select.select([], [], [], 0.001)  # four megabytes a second; more would starve whoever shall end it
        if os.fstat(1).st_size > 1 << 24:
            os.ftruncate(1, 0)


def stopped():
    be("stopped")
    os.kill(os.getpid(), signal.SIGSTOP)
    wait()


pids = {}
for specimen in (stubborn, child, daemon, flood, stopped):
    pids[specimen] = os.fork()
    if pids[specimen] == 0:
        specimen()
os.waitpid(pids[daemon], 0)
os.waitpid(pids[stopped], os.WUNTRACED)
names = b""
while names.count(b"\\n") < 6:
    names += os.read(born, 4096)
with open(os.path.join(sys.argv[2], "specimens.txt"), "wb") as file:
    file.write(names)
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    caller = listening.accept()[0]
    caller.recv(4096)
    caller.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok")
    caller.close()
"""
APP = """
def create_app():
    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            for half in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{half}.complete"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    return app
"""
CONFTEST = 'pytest_plugins = ["harness.plugin"]'
TESTS = """
import json
import os
import signal
from pathlib import Path

import pytest


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_waits_until_it_is_ended(stack, number):
    draft = Path(f"{number}.draft")
    draft.write_text(json.dumps({"pid": os.getpid(), **stack.describe()}))
    draft.rename(f"{number}.json")
    while True:
        signal.pause()
"""
FILES = {
    "pyproject.toml": PYPROJECT,
    "desk.py": DESK,
    "mule.py": MULE,
    "app.py": APP,
    "conftest.py": CONFTEST,
    "test_specimens.py": TESTS,
}
WITHOUT_APP = {**FILES, "pyproject.toml": PYPROJECT.replace('"mule", "app"]', '"mule"]')}
"""Starts in a third of the processor time."""
