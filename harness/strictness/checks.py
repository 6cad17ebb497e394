"""All checks, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Mapping

from harness.strictness import authorization, codes, extensions, renewal, surroundings, tokens
from harness.strictness.verdict import Check

CHECKS: Mapping[str, Check] = {
    check.name: check
    for check in (
        *authorization.CHECKS,
        *codes.CHECKS,
        *renewal.CHECKS,
        *tokens.CHECKS,
        *surroundings.CHECKS,
        *extensions.CHECKS,
    )
}
