"""Sign-out asked for by a client (OpenID Connect RP-Initiated Logout 1.0)."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.idp import redirects, sessions
from services.idp.errors import REFUSED, SENT_ON, InvalidRequest, Refusal
from services.idp.pages import Pages
from services.idp.parameters import Parameters, form_body, query
from services.idp.provider import Now, Provider, Started
from services.idp.records import Session
from services.idp.tokens import read_id_token_hint
from services.shared import claims
from services.shared.tokens import InvalidToken


class LogoutForm(BaseModel):
    """§2."""

    id_token_hint: str | None = None
    client_id: str | None = None
    post_logout_redirect_uri: str | None = None
    state: str | None = None
    confirmation: str | None = None
    """Of our own page: the person said yes."""


@dataclass(frozen=True, slots=True)
class Hint:
    """What a verified ID token tells about who is leaving what."""

    client_id: str
    sid: str


def router(pages: Pages) -> APIRouter:
    """The endpoint, by query and by form."""
    routes = APIRouter()

    @routes.get(
        "/logout",
        operation_id="logout",
        response_class=HTMLResponse,
        responses=SENT_ON | REFUSED,
        openapi_extra=query(LogoutForm),
    )
    async def logout(request: Request, provider: Started, at: Now) -> Response:
        """End the session and go back to the client, or ask first if the client shows no proof."""
        try:
            form = Parameters.of_query(request).parse(LogoutForm)
        except InvalidRequest as error:
            raise _broken(error.description) from None
        return _answer(form.model_copy(update={"confirmation": None}), request, provider, at=at)

    @routes.post(
        "/logout",
        operation_id="logoutByForm",
        response_class=HTMLResponse,
        responses=SENT_ON | REFUSED,
        openapi_extra=form_body(LogoutForm),
    )
    async def logout_by_form(request: Request, provider: Started, at: Now) -> Response:
        """The same by a form; also the answer to our own question."""
        try:
            form = (await Parameters.of_body(request)).parse(LogoutForm)
        except InvalidRequest as error:
            raise _broken(error.description) from None
        return _answer(form, request, provider, at=at)

    def _answer(form: LogoutForm, request: Request, provider: Provider, *, at: float) -> Response:
        hint = _verified(form, provider)
        _check_way_back(form, hint, provider)
        secret = request.cookies.get(provider.cookies.session)
        session = provider.store.session(secret, at=at)
        if session and not _sure(form, hint, session):
            return _question(form, session, provider)
        sessions.end(secret, provider, at=at)
        response = _leave(form, provider)
        provider.cookies.delete(response, provider.cookies.session)
        return response

    def _question(form: LogoutForm, session: Session, provider: Provider) -> HTMLResponse:
        way_back = form.post_logout_redirect_uri
        target = redirects.form_action(way_back) if way_back else ""
        kept = form.model_dump(exclude_none=True, exclude={"confirmation"})
        kept |= {"confirmation": session.logout_token}
        return pages.render("logout.html", tenant=provider.tenant, form_action=target, kept=kept)

    def _leave(form: LogoutForm, provider: Provider) -> Response:
        if form.post_logout_redirect_uri:
            return redirects.answer(form.post_logout_redirect_uri, {"state": form.state})
        return pages.render(
            "message.html",
            tenant=provider.tenant,
            title="You are signed out",
            explanation=f"Nobody is signed in at {provider.issuer}.",
        )

    return routes


def _verified(form: LogoutForm, provider: Provider) -> Hint | None:
    if form.id_token_hint is None:
        return None
    try:
        told = read_id_token_hint(form.id_token_hint, provider)
        hint = Hint(client_id=_only(claims.audiences(told)), sid=claims.text(told, "sid"))
    except InvalidToken as error:
        raise _broken(error.description) from None
    if form.client_id not in (None, hint.client_id):
        raise _broken("client_id is not the one the ID token was issued to")
    return hint


def _only(audiences: list[str]) -> str:
    if len(audiences) > 1:
        raise InvalidToken("the ID token was issued to several clients")
    return audiences[0]


def _check_way_back(form: LogoutForm, hint: Hint | None, provider: Provider) -> None:
    """A registered one of the client that proves itself, or nobody is sent anywhere (§3)."""
    if form.post_logout_redirect_uri is None:
        return
    client = provider.registry.clients.get(hint.client_id) if hint else None
    if client is None:
        raise _broken("post_logout_redirect_uri needs an id_token_hint")
    if form.post_logout_redirect_uri not in client.post_logout_redirect_uris:
        raise _broken(f"{client.name} has not registered this post_logout_redirect_uri")


def _sure(form: LogoutForm, hint: Hint | None, session: Session) -> bool:
    """Whether this session is meant: any page can send a browser here, so the link alone says nothing (§2)."""
    if hint and hint.sid == session.sid:
        return True
    return form.confirmation == session.logout_token


def _broken(problem: str) -> Refusal:
    return Refusal("This sign-out link is broken", f"The problem: {problem}.")
