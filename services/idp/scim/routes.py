"""The endpoints at ``/scim/v2`` of every tenant (RFC 7644 §3)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from services.idp import bearer, people
from services.idp.errors import BearerError, InvalidRequest
from services.idp.members import User
from services.idp.parameters import LONGEST, Parameters, query
from services.idp.provider import Now, Provider, Started
from services.idp.scim import configuration, patch, paths, users
from services.idp.scim.description import TYPES, answers, body
from services.idp.scim.errors import MEDIA_TYPE, ScimError, ScimResponse, as_scim
from services.idp.scim.users import Document, Newcomer, ScimUser
from services.shared import bodies, strict_json
from services.shared.tokens import AccessToken

logger = logging.getLogger(__name__)

PATH = "/scim/v2"

router = APIRouter(prefix=PATH, default_response_class=ScimResponse)


class UsersQuery(BaseModel):
    """RFC 7644 §3.4.2."""

    filter: str | None = None
    startIndex: int = 1  # noqa: N815 - the name on the wire
    count: int = configuration.MOST


@router.get("/Users", operation_id="scimUsers", responses=answers(None, 400, 401, 403), openapi_extra=query(UsersQuery))
async def list_users(request: Request, provider: Started, at: Now) -> Response:
    """People, in the order of their ids, or those for whom a filter holds."""
    _authorize(request, "users:read", provider, at=at)
    try:
        asked = Parameters.of_query(request, empty_is_absent=False).parse(UsersQuery)
    except InvalidRequest as error:
        raise ScimError(400, error.description, kind="invalidValue") from None
    everybody = [users.document(user, provider) for _, user in sorted(provider.registry.users.items())]
    found = everybody if asked.filter is None else paths.filtered(asked.filter, everybody)
    first = max(asked.startIndex, 1)
    page = found[first - 1 :][: min(max(asked.count, 0), configuration.MOST)]
    return ScimResponse(configuration.listed(page, total=len(found), first=first))


@router.post(
    "/Users",
    operation_id="scimMakeUser",
    status_code=201,
    responses=answers(ScimUser, 400, 401, 403, 409, 413, 415, good=201),
    openapi_extra=body(Newcomer),
)
async def make_user(request: Request, provider: Started, at: Now) -> Response:
    """Somebody new (§3.3), who may be inactive yet. The type of the role says in which organization."""
    user = users.made(patch.whole(await _asked(request, "users:write", provider, at=at)), provider)
    people.put(user, provider, at=at)
    logger.info("%s was made: %s", user.username, _described(user))
    return _told(user, request, provider, status=201)


@router.get("/Users/{user_id}", operation_id="scimUser", responses=answers(ScimUser, 400, 401, 403, 404))
async def get_user(user_id: str, request: Request, provider: Started, at: Now) -> Response:
    """One person; 304 if the version is that of If-None-Match (§3.14)."""
    _authorize(request, "users:read", provider, at=at)
    return _told(_find(user_id, provider), request, provider)


@router.patch(
    "/Users/{user_id}",
    operation_id="scimPatchUser",
    responses=answers(ScimUser, 400, 401, 403, 404, 412, 413, 415),
    openapi_extra=body(patch.PatchOp),
)
async def patch_user(user_id: str, request: Request, provider: Started, at: Now) -> Response:
    """Change role, name, address, or whether somebody is active. The next token has it."""
    asked = await _asked(request, "users:write", provider, at=at)
    operations = patch.read(asked)
    return _change(user_id, lambda before: patch.patched(before, operations), request, provider, at=at)


@router.put(
    "/Users/{user_id}",
    operation_id="scimPutUser",
    responses=answers(ScimUser, 400, 401, 403, 404, 412, 413, 415),
    openapi_extra=body(ScimUser),
)
async def put_user(user_id: str, request: Request, provider: Started, at: Now) -> Response:
    """The same, with the whole of the person."""
    asked = await _asked(request, "users:write", provider, at=at)
    return _change(user_id, lambda before: patch.replaced(before, asked), request, provider, at=at)


@router.get("/ServiceProviderConfig", operation_id="scimServiceProviderConfig", responses=answers(None, 403))
async def service_provider_config(request: Request, provider: Started) -> Response:
    """What can be done here (RFC 7643 §5)."""
    _without_filter(request)
    return ScimResponse(configuration.service_provider(_base(provider)))


@router.get("/ResourceTypes", operation_id="scimResourceTypes", responses=answers(None, 403))
async def list_resource_types(request: Request, provider: Started) -> Response:
    """The kinds of things there are (RFC 7643 §6)."""
    _without_filter(request)
    return _listed(configuration.resource_types(_base(provider)))


@router.get("/Schemas", operation_id="scimSchemas", responses=answers(None, 403))
async def list_schemas(request: Request, provider: Started) -> Response:
    """What they are made of (RFC 7643 §7)."""
    _without_filter(request)
    return _listed(configuration.schemas(_base(provider)))


@router.get("/{kind}/{name}", operation_id="scimDescription", responses=answers(None, 403, 404))
async def get_description(kind: str, name: str, request: Request, provider: Started) -> Response:
    """One of them."""
    _without_filter(request)
    described = {"ResourceTypes": configuration.resource_types, "Schemas": configuration.schemas}
    for each in described[kind](_base(provider)) if kind in described else ():
        if each["id"] == name:
            return ScimResponse(each)
    raise ScimError(404, "there is no such thing here")


def register(app: FastAPI) -> None:
    """Add the endpoints and their way to say what is wrong."""
    app.include_router(router)
    app.add_exception_handler(ScimError, as_scim)


def _base(provider: Provider) -> str:
    return f"{provider.issuer}{PATH}"


def _authorize(request: Request, scope: str, provider: Provider, *, at: float) -> None:
    """A token for this address, of a client that asks for itself: people do not administer people here."""
    try:
        token = bearer.presented(request, provider, audiences={_base(provider)}, at=at)
        if not _is_own(token, provider):
            raise bearer.refusal(
                request, 403, "insufficient_scope", "the token is not one of client_credentials", scope=scope
            )
        if scope not in token.scopes:
            raise bearer.refusal(request, 403, "insufficient_scope", f"the token has no scope {scope}", scope=scope)
    except BearerError as error:
        detail = error.body.get("error_description", "a bearer token is missing")
        headers = {**error.headers, "WWW-Authenticate": error.challenge}
        raise ScimError(error.status, detail, headers=headers) from None


def _is_own(token: AccessToken, provider: Provider) -> bool:
    own = token.subject == token.client_id and not token.actors
    return own and token.client_id in provider.registry.clients and token.subject not in provider.registry.users


async def _asked(request: Request, scope: str, provider: Provider, *, at: float) -> object:
    """The body of somebody who may write."""
    _authorize(request, scope, provider, at=at)
    if bodies.media_type(request.headers) not in TYPES:
        raise ScimError(415, f"the body must be {MEDIA_TYPE}")
    try:
        return strict_json.loads(await bodies.read(request, longest=LONGEST))
    except bodies.TooLong:
        raise ScimError(413, f"the body is longer than {LONGEST} bytes") from None
    except ValueError as error:
        raise ScimError(400, f"the body is not JSON: {error}", kind="invalidSyntax") from None


def _find(user_id: str, provider: Provider) -> User:
    user = provider.registry.users.get(user_id)
    if user is None:
        raise ScimError(404, "nobody here has that id")
    return user


def _change(
    user_id: str, change: Callable[[Document], Document], request: Request, provider: Provider, *, at: float
) -> Response:
    user = _find(user_id, provider)
    before = users.document(user, provider)
    if not _matches(request.headers.get("if-match", "*"), before):
        raise ScimError(412, "somebody has changed it since: read it again")
    wanted = users.changed(user, before, change(before), provider)
    if wanted != user:
        people.put(wanted, provider, at=at)
        logger.info("%s was changed: %s", user.username, _described(wanted))
    return _told(wanted, request, provider)


def _described(user: User) -> str:
    """For the log."""
    members = {member.org_id for member in user.members}
    each = (f"{one.role} of {one.org_id}{'' if one.org_id in members else ', inactive'}" for one in user.memberships)
    return "; ".join(each)


def _told(user: User, request: Request, provider: Provider, *, status: int = 200) -> Response:
    document = users.document(user, provider)
    headers = {"ETag": document["meta"]["version"], "Location": document["meta"]["location"]}
    if request.method == "GET" and _matches(request.headers.get("if-none-match", '""'), document):
        return Response(status_code=304, headers=headers)
    return ScimResponse(document, status, headers=headers)


def _matches(given: str, document: Document) -> bool:
    """Of a list of entity tags, by the weak comparison (RFC 9110 §8.8.3.2)."""
    tags = {tag.strip().removeprefix("W/") for tag in given.split(",")}
    return "*" in tags or document["meta"]["version"].removeprefix("W/") in tags


def _listed(resources: list[dict[str, Any]]) -> Response:
    return ScimResponse(configuration.listed(resources, total=len(resources), first=1))


def _without_filter(request: Request) -> None:
    if "filter" in request.query_params:
        raise ScimError(403, "these are not filtered (RFC 7644 section 4)")
