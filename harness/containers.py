"""``compose.yaml``: the system in containers, one per service, rendered from the port map and the services."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping

from harness.ports import OFFSET, Port
from harness.topology import Service

IMAGE = "dress-rehearsal"
NETWORK = "network"
HEAD = f"""\
# Rendered from the port map by `python -m harness generate`. Do not edit.
#
#   docker compose up --build --wait        then open the web interface; `docker compose down --volumes` removes all
#
# All containers share the network of one, so that http://localhost:PORT is the same place for a service and for your
# browser, as the issuer and the audiences of tokens require. Ports are taken from .env, each by its own variable
# ({OFFSET} is not known here). Secrets are made by the first container and kept in the volume.
name: {IMAGE}
"""
DOCKERFILE = """\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN python -m harness --version && .venv/bin/python -c "from harness import bundle; bundle.ensure()"
"""
CHECK = "from urllib.request import urlopen; urlopen('{url}')"


def compose(services: Mapping[str, Service], ports: Iterable[Port]) -> str:
    """The text of ``compose.yaml``."""
    numbers = {port.service: f"${{{port.variable}:-{port.default}}}" for port in ports}
    variables = {port.variable: numbers[port.service] for port in ports}
    return "\n".join(
        [
            HEAD,
            "x-service: &service",
            f"  image: {IMAGE}",
            "  pull_policy: never",
            f"  network_mode: service:{NETWORK}",
            "  volumes: [state:/app/.harness]",
            "  restart: on-failure",
            "  environment:",
            *(f"    {variable}: {number}" for variable, number in variables.items()),
            "",
            "services:",
            f"  {NETWORK}:",
            f"    image: {IMAGE}",
            "    pull_policy: build",
            "    build:",
            "      context: .",
            "      dockerfile_inline: |",
            textwrap.indent(DOCKERFILE, " " * 8).rstrip(),
            "    command: [sleep, infinity]",
            "    init: true",
            "    ports:",
            *(f'      - "127.0.0.1:{number}:{number}"' for number in numbers.values()),
            *(line for service in services.values() for line in _service(service, numbers[service.name])),
            "",
            "volumes:",
            "  state:",
            "",
        ]
    )


def _service(service: Service, number: str) -> list[str]:
    check = CHECK.format(url=f"http://localhost:{number}{service.health}")
    return [
        "",
        f"  {service.name}:",
        "    <<: *service",
        f"    command: [python, -m, harness, serve, {service.name}, --address, 0.0.0.0]",
        "    depends_on:",
        *(f"      {name}: {{condition: service_started}}" for name in (NETWORK, *service.needs)),
        "    healthcheck:",
        f'      test: [CMD, python, -c, "{check}"]',
        "      interval: 5s",
        "      start_period: 60s",
        "      start_interval: 1s",
    ]
