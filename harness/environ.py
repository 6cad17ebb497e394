"""What every process of ours is told by its environment."""

from __future__ import annotations

import os

NONCE = "INSTANCE_NONCE"
QUIET_LIBRARIES = {
    # FastMCP reads a .env file of the working directory and asks for updates unless told otherwise.
    "FASTMCP_ENV_FILE": os.devnull,
    "FASTMCP_CHECK_FOR_UPDATES": "off",
    "FASTMCP_SHOW_SERVER_BANNER": "false",
    "FASTMCP_ENABLE_RICH_LOGGING": "false",
    # FastMCP's key-value store checks the types of its own calls, which takes 0.15 s of every import.
    "PY_KEY_VALUE_DISABLE_BEARTYPE": "true",
    "PYTHONUNBUFFERED": "1",
}
