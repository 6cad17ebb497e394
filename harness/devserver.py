"""Angular's development server on a stack's port, with live reload: ``python -m harness.devserver --port N``.

It is told where the services are as their own processes are: by ``ISSUER_URL`` and ``API_URL``.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import NoReturn

from harness import artefacts, bundle, modules, node


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Write the configuration and become the server."""
    parser = argparse.ArgumentParser(prog="python -m harness.devserver")
    parser.add_argument("--port", required=True)
    arguments = parser.parse_args(argv)
    modules.ensure(bundle.WORKSPACE)
    artefacts.write_local_environment(issuer=os.environ["ISSUER_URL"], api_url=os.environ["API_URL"])
    os.chdir(bundle.WORKSPACE)
    options = ["--configuration", "live", "--host", "localhost", "--port", arguments.port]
    os.execve(node.NODE, [str(node.NODE), str(bundle.NG), "serve", *options], node.environment())


if __name__ == "__main__":
    main()
