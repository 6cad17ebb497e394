"""The built application: read whole into memory, so that a rebuild under a running server cannot mix two versions."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_HASHED = re.compile(r"/(?:(?:main|polyfills|styles|chunk)-[\w-]{8}\.(?:js|css)|media/.+-[A-Z0-9]{8}\.\w+)$")
"""How the Angular build names what may be kept for ever: ``/main-5XQ2ZL7B.js``, ``/media/inter-…-NRMW37G5.woff2``."""

NONCE = "__CSP_NONCE__"
"""What stands in ``index.html`` where each answer gets its own nonce."""


class BundleMissing(Exception):  # noqa: N818 - says what is the matter
    """There is no built application where one was expected."""


@dataclass(frozen=True)
class Asset:
    """A file as it is sent."""

    content: bytes
    media_type: str
    compressed: bytes | None
    """The same by gzip, if the build made a ``.gz`` beside it."""
    digest: str
    """Of the content: for an entity tag."""
    hashed: bool
    """Its name changes with its content."""


@dataclass(frozen=True)
class Bundle:
    """All files by their path under the root, such as ``/main-5XQ2ZL7B.js``; ``index.html`` apart."""

    index: str
    assets: Mapping[str, Asset]


def read(directory: Path) -> Bundle:
    """Read the application built into ``directory``.

    Raises:
        BundleMissing: there is no such directory, or no ``index.html`` in it.
    """
    index = directory / "index.html"
    if not index.is_file():
        state = "has no index.html" if directory.is_dir() else "does not exist"
        raise BundleMissing(
            f"UI_BUNDLE: the directory {directory} {state}. Build the Angular application, or name the directory "
            "of its index.html."
        )
    files = {f"/{path.relative_to(directory).as_posix()}": path for path in directory.rglob("*") if path.is_file()}
    return Bundle(
        index=index.read_text(encoding="utf-8"),
        assets={name: _asset(name, path, files) for name, path in files.items() if _is_asset(name, files)},
    )


def _is_asset(name: str, files: Mapping[str, Path]) -> bool:
    """Neither the index, which is sent with a nonce, nor the compressed form of another file."""
    return name != "/index.html" and not (name.endswith(".gz") and name.removesuffix(".gz") in files)


def _asset(name: str, path: Path, files: Mapping[str, Path]) -> Asset:
    media_type, _ = mimetypes.guess_type(name)
    compressed = files.get(f"{name}.gz")
    content = path.read_bytes()
    return Asset(
        content=content,
        media_type=media_type or "application/octet-stream",
        compressed=compressed.read_bytes() if compressed else None,
        digest=hashlib.sha256(content).hexdigest()[:16],
        hashed=_HASHED.fullmatch(name) is not None,
    )
