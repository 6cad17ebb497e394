"""What is bent and recorded in each tenant. It ends with the process."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from services.idp.provider import Provider
from services.idp.simulation.quirks import ActiveQuirks
from services.idp.simulation.requests import Requests


@dataclass(slots=True)
class Simulation:
    """Of one tenant."""

    quirks: ActiveQuirks = field(default_factory=ActiveQuirks)
    requests: Requests = field(default_factory=Requests)


class Simulations(defaultdict[str, Simulation]):
    """By the name of the tenant."""

    def __init__(self) -> None:
        super().__init__(Simulation)


async def _simulated(request: Request) -> Simulation:
    provider: Provider = request.scope["provider"]
    simulations: Simulations = request.app.state.simulations
    return simulations[provider.tenant]


Simulated = Annotated[Simulation, Depends(_simulated)]
"""Parameter of an endpoint: that of the tenant that is asked."""
