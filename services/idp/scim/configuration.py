"""What this provider can do of SCIM, in its own words (RFC 7643 §5, §6, §7); anybody may read it (RFC 7644 §4)."""

from __future__ import annotations

from typing import Any

from services.idp.scim.users import USER

LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
MOST = 100
"""Users in one answer."""

_CONFIGURATION = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
_RESOURCE_TYPE = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Schema"

Member = dict[str, Any]


def service_provider(base: str) -> Member:
    """RFC 7643 §5."""
    return {
        "schemas": [_CONFIGURATION],
        "patch": {"supported": True},
        "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": MOST},
        "changePassword": {"supported": False},
        "sort": {"supported": False},
        "etag": {"supported": True},
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "OAuth bearer token",
                "description": "An access token of the grant client_credentials for this address, with users:read or "
                "users:write.",
                "specUri": "https://www.rfc-editor.org/rfc/rfc6750",
                "primary": True,
            }
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{base}/ServiceProviderConfig"},
    }


def resource_types(base: str) -> list[Member]:
    """RFC 7643 §6."""
    return [
        {
            "schemas": [_RESOURCE_TYPE],
            "id": "User",
            "name": "User",
            "endpoint": "/Users",
            "description": "Somebody who can sign in",
            "schema": USER,
            "meta": {"resourceType": "ResourceType", "location": f"{base}/ResourceTypes/User"},
        }
    ]


def schemas(base: str) -> list[Member]:
    """RFC 7643 §7: the attributes that there are here, and no others."""
    text = _attribute
    labels = [text("type"), text("primary", kind="boolean"), text("display")]
    return [
        {
            "schemas": [_SCHEMA],
            "id": USER,
            "name": "User",
            "description": "Somebody who can sign in",
            "attributes": [
                text("userName", required=True, mutability="immutable", uniqueness="server"),
                text("displayName", required=True),
                text("name", kind="complex", required=True, parts=[text("formatted", required=True)]),
                text("emails", kind="complex", several=True, required=True, parts=[text("value"), *labels]),
                text(
                    "roles",
                    kind="complex",
                    several=True,
                    required=True,
                    about="One in each organization, whose id is the type; the next token about that has it in its "
                    "claim roles. Whoever is not active in one gets no tokens about it.",
                    parts=[text("value"), *labels, text("active", kind="boolean")],
                ),
                text(
                    "active",
                    kind="boolean",
                    required=True,
                    about="Whoever is not is signed out everywhere. Somebody with one role only is active in both or "
                    "in neither.",
                ),
            ],
            "meta": {"resourceType": "Schema", "location": f"{base}/Schemas/{USER}"},
        }
    ]


def listed(resources: list[Member], *, total: int, first: int) -> Member:
    """RFC 7644 §3.4.2."""
    return {
        "schemas": [LIST],
        "totalResults": total,
        "startIndex": first,
        "itemsPerPage": len(resources),
        "Resources": resources,
    }


def _attribute(
    name: str,
    *,
    kind: str = "string",
    about: str = "",
    several: bool = False,
    required: bool = False,
    mutability: str = "readWrite",
    uniqueness: str = "none",
    parts: list[Member] | None = None,
) -> Member:
    told: Member = {
        "name": name,
        "type": kind,
        "multiValued": several,
        "description": about or name,
        "required": required,
        "caseExact": False,
        "mutability": mutability,
        "returned": "default",
        "uniqueness": uniqueness,
    }
    return told | ({"subAttributes": parts} if parts else {})
