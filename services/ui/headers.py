"""What a browser is told about the answers: what they may do, and how long they may be kept."""

from __future__ import annotations

SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Sent with every answer."""

FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
NEVER = "no-store"


def content_security_policy(nonce: str, *, connect: tuple[str, ...]) -> str:
    """The policy of a page (CSP 3): nothing but our own files, inline styles with ``nonce``, calls to ``connect``.

    Angular inserts component styles at run time, so styles need the nonce; scripts are files only. Trusted Types are
    enforced, with the policies Angular itself creates.
    """
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data:",
            "font-src 'self'",
            " ".join(["connect-src", "'self'", *connect]),
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types angular angular#components",
        ]
    )
