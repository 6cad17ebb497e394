"""The login page: pick who you are. There are no passwords, because nobody here is real."""

from __future__ import annotations

import logging

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from services.idp import redirects, sessions
from services.idp.authorize import issue_code, refuse
from services.idp.errors import REFUSED, SENT_ON, AccessDenied, InvalidRequest, Refusal
from services.idp.pages import Pages
from services.idp.parameters import Parameters, form_body, query
from services.idp.provider import Now, Provider, Started
from services.idp.records import AuthorizationRequest, Interaction
from services.idp.registry import Client, User

logger = logging.getLogger(__name__)

_TONES = 6
"""Colours of avatars in the style sheet."""


class LoginQuery(BaseModel):
    """The address of the page."""

    interaction: str


class LoginForm(BaseModel):
    """One of the buttons was pressed: a person's, or the one to turn back."""

    interaction: str
    username: str | None = None
    cancel: str | None = None


def router(pages: Pages) -> APIRouter:
    """The page and its form."""
    routes = APIRouter()

    @routes.get(
        "/login",
        operation_id="loginPage",
        response_class=HTMLResponse,
        responses=REFUSED,
        openapi_extra=query(LoginQuery),
    )
    async def login_page(request: Request, provider: Started, at: Now) -> HTMLResponse:
        """People to choose from, grouped by organization."""
        try:
            form = Parameters.of_query(request).parse(LoginQuery)
        except InvalidRequest:
            raise _nothing_to_do() from None
        interaction = _open(form.interaction, request, provider, at=at)
        asked = interaction.request
        return pages.render(
            "login.html",
            form_action=redirects.form_action(asked.redirect_uri),
            interaction=form.interaction,
            client=_client(asked, provider),
            wishes=[provider.registry.scopes[scope] for scope in provider.registry.scopes if scope in asked.scopes],
            organizations=list(provider.registry.organizations),
            initials=_initials,
            tones=_TONES,
        )

    @routes.post(
        "/login",
        operation_id="login",
        status_code=303,
        response_class=RedirectResponse,
        responses=SENT_ON | REFUSED,
        openapi_extra=form_body(LoginForm),
    )
    async def login(request: Request, provider: Started, at: Now) -> RedirectResponse:
        """Sign in as the person chosen and go back to the client."""
        try:
            form = (await Parameters.of_body(request)).parse(LoginForm)
        except InvalidRequest as error:
            raise Refusal("This form is broken", f"The problem: {error.description}.") from None
        asked = _open(form.interaction, request, provider, at=at).request
        if form.cancel is not None:
            return refuse(asked.redirect_uri, asked.state, AccessDenied("the person turned back"), provider)
        user = provider.registry.user_named(form.username or "")
        if user is None or not user.active:
            raise Refusal("Nobody of that name", "The person is not known here. Go back and choose another.")
        session = sessions.begin(user.sub, provider, at=at)
        response = issue_code(asked, session, provider, at=at)
        provider.store.end_session(request.cookies.get(provider.cookies.session))
        provider.cookies.set(response, provider.cookies.session, provider.store.add_session(session))
        logger.info("%s signed in for %s", user.username, asked.client_id)
        return response

    return routes


def _client(asked: AuthorizationRequest, provider: Provider) -> Client:
    client = provider.registry.clients.get(asked.client_id)
    if client is None:
        raise Refusal("Unknown application", "The application that began this is no longer registered.")
    return client


def _open(interaction_id: str, request: Request, provider: Provider, *, at: float) -> Interaction:
    """The page as it was opened by this browser; a link sent by somebody else is not one."""
    interaction = provider.store.interactions.get(interaction_id, at=at)
    if interaction is None:
        raise _nothing_to_do()
    if interaction.browser != request.cookies.get(provider.cookies.browser):
        raise Refusal("Another browser began this", "A sign-in has to end in the browser where it began.")
    return interaction


def _nothing_to_do() -> Refusal:
    return Refusal(
        "Nothing to sign in to", "This page has expired or was opened by itself. Start from the application."
    )


def _initials(person: User) -> str:
    words = person.name.split()
    return "".join(word[0] for word in (words[0], words[-1])).upper() if len(words) > 1 else words[0][:2].upper()
