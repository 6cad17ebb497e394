"""Userinfo (OIDC Core §5.3), and the bearer token it is asked with (RFC 6750)."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse

from services.idp import bearer
from services.idp.errors import NO_STORE, Documented, ErrorBody
from services.idp.members import Member
from services.idp.provider import Now, Started
from services.idp.tokens import speaker
from services.shared.tokens import InvalidToken

router = APIRouter()


class UserInfo(BaseModel):
    """What the scopes of the token allow to be told."""

    sub: str
    name: str | None = None
    preferred_username: str | None = None
    org_id: str | None = None
    email: str | None = None
    email_verified: bool | None = None


_RESPONSES: Documented = {
    200: {"model": UserInfo},
    400: {"model": ErrorBody},
    401: {"description": "No token, or not a good one (RFC 6750 §3.1)"},
    403: {"model": ErrorBody},
}


@router.get("/userinfo", operation_id="userinfo", responses=_RESPONSES)
async def userinfo(request: Request, provider: Started, at: Now) -> JSONResponse:
    """Who the bearer of an access token speaks for."""
    token = bearer.presented(request, provider, audiences=provider.registry.resources.keys(), at=at)
    if "openid" not in token.scopes:
        raise bearer.refusal(request, 403, "insufficient_scope", "the token has no scope openid", scope="openid")
    try:
        person = speaker(token, provider)
    except InvalidToken as error:
        raise bearer.refusal(request, 401, "invalid_token", error.description) from None
    if not isinstance(person, Member):
        raise bearer.refusal(request, 401, "invalid_token", "the person is no longer known")
    return JSONResponse({"sub": person.sub} | person.told(token.scopes), headers=NO_STORE)


@router.post("/userinfo", operation_id="userinfoByPost", responses=_RESPONSES)
async def userinfo_by_post(request: Request, provider: Started, at: Now) -> JSONResponse:
    """The same; the token is still in the header."""
    return await userinfo(request, provider, at)
