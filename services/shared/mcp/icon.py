"""The icon a server and its parts carry in lists: drawn here, so that no client has to fetch it from anywhere."""

from __future__ import annotations

from base64 import b64encode

from mcp_types import Icon

_COLOURS = ("#0b57d0", "#146c2e", "#8c1d18", "#6f43c0")


def of(name: str) -> Icon:
    """A square with the first letter of ``name``, in a colour of its own."""
    colour = _COLOURS[len(name) % len(_COLOURS)]
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" '
        f'fill="{colour}"/><text x="8" y="12" font-size="11" text-anchor="middle" fill="#fff">{name[0].upper()}</text>'
        "</svg>"
    )
    return Icon(src=f"data:image/svg+xml;base64,{b64encode(drawing.encode()).decode()}", mime_type="image/svg+xml")
