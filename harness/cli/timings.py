"""The start-up timeline as text and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from harness import timeline
from harness.cli.render import Report
from harness.timeline import BAR, Beginning, Start


def added(report: Report, beginning: Beginning | None) -> Report:
    """``report`` of a running system with its timeline: since ``up`` began, or since the first service was asked for.

    A service that was restarted shows its last start.
    """
    services: Mapping[str, Mapping[str, Any]] = report.data["services"]
    asked = [service["asked_at"] for service in services.values() if service["ready_s"] is not None]
    zero = beginning.process if beginning else min(asked, default=0.0)
    starts = timeline.starts(report.data, zero)
    if not starts:
        return report
    steps = timeline.chain(beginning, starts[-1]) if beginning else []
    data = {
        "healthy_s": starts[-1].healthy,
        "services": {start.service: asdict(start) for start in starts},
        "chain": [asdict(step) for step in steps],
    }
    lines = [*report.lines, "", *_services(starts)]
    if steps:
        lines += ["", "critical chain (when it was over, how long it took)"]
        lines += [f"  {step.over_at:6.3f} s  +{step.took:.3f} s  {step.what}" for step in steps]
    return replace(report, data={**report.data, "timings": data}, lines=lines)


def _services(starts: Sequence[Start]) -> list[str]:
    whole = starts[-1].healthy or 1.0
    width = max(len(start.service) for start in starts)
    return [
        f"all healthy after {whole:.3f} s ({timeline.WAITS} waits for a process, {timeline.STARTS} starts)",
        *(
            f"{start.service:<{width}}  {start.bar(whole):<{BAR + 1}} {start.healthy:6.3f} s"
            f"  waited {start.spawned - start.asked:.3f} s, started in {start.healthy - start.spawned:.3f} s"
            for start in starts
        ),
    ]
