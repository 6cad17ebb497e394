"""Who Schemathesis is at this provider: what ``schemathesis.toml`` takes from the environment."""

from __future__ import annotations

import secrets
from typing import Any

CLIENT = "fuzzer"
LASTS_S = 24 * 3600
ALL_GRANTS = (
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
)


def credentials(control: Any) -> dict[str, str]:
    """Make a client that may do everything, and tokens that outlast a run. ``control`` is an ``IdpControl``."""
    secret = secrets.token_urlsafe()
    resources = {resource["id"]: resource["uri"] for resource in control.resources()}
    control.put_client(
        CLIENT,
        secret=secret,
        grants=ALL_GRANTS,
        resources=list(resources.values()),
        default_resource=resources["api"],
        exchanges=resources["api"],
        switches=True,
        redirect_uris=["http://127.0.0.1/callback"],
    )
    person = control.mint(audience="api", scopes=["openid", "profile", "email"], ttl=LASTS_S)
    machine = control.mint(machine=True, client="organizations", audience="directory", ttl=LASTS_S)
    registered = control.register(client_name="Fuzzed", redirect_uris=["http://127.0.0.1/callback"])
    return {
        "IDP_FUZZ_REGISTERED": registered["client_id"],
        "IDP_FUZZ_REGISTRATION_TOKEN": registered["registration_access_token"],
        "IDP_FUZZ_CLIENT": CLIENT,
        "IDP_FUZZ_SECRET": secret,
        "IDP_FUZZ_ACCESS_TOKEN": person["token"],
        "IDP_FUZZ_DIRECTORY_TOKEN": machine["token"],
    }
