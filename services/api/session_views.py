"""The session on the wire."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from services.api.parameters import Reference
from services.api.people_views import Organization
from services.api.views import In, Out


class OrganizationChoice(In):
    """Which of the caller's organizations to work in."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"organizationId": "org_b6wx6s7bccdkuner"}]})

    organization_id: Reference = Field(description="As `organization.id` in `GET /api/organizations`.")


class SwitchedSession(Out):
    """A token for this service about the organization that was chosen. It ends when the one it was traded for does."""

    access_token: str = Field(repr=False)
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a scheme
    expires_in: int = Field(ge=0, description="Seconds.")
    scope: str = Field(description="The same as before, separated by spaces.")
    organization: Organization
