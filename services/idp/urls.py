"""What the parts of URLs mean, whatever is left out of them."""

from __future__ import annotations

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
"""Names of this machine for itself."""

DEFAULT_PORTS = {"http": 80, "https": 443}
"""RFC 9110 §4.2.1, §4.2.2."""
