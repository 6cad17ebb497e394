"""The page that asks a person whether an application may do what it asked for."""

from __future__ import annotations

import logging

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from services.idp import consent, interactions, sessions
from services.idp.authorize import issue_code, refuse
from services.idp.consent import ALLOW, DENY, Question
from services.idp.errors import REFUSED, SENT_ON, AccessDenied, InvalidRequest, Refusal, broken_form
from services.idp.pages import Pages
from services.idp.parameters import Parameters, form_body, query
from services.idp.provider import Now, Provider, Started
from services.idp.records import AuthorizationRequest, Interaction, Session

logger = logging.getLogger(__name__)


class ConsentQuery(BaseModel):
    """The address of the page."""

    interaction: str


class ConsentForm(BaseModel):
    """One of its two buttons was pressed."""

    interaction: str
    answer: str
    """``allow`` or ``deny``."""


def router(pages: Pages) -> APIRouter:
    """The page and its form."""
    routes = APIRouter()

    @routes.get(
        "/consent",
        operation_id="consentPage",
        response_class=HTMLResponse,
        responses=REFUSED,
        openapi_extra=query(ConsentQuery),
    )
    async def consent_page(request: Request, provider: Started, at: Now) -> HTMLResponse:
        """Who wants to do what, where, in whose name."""
        try:
            form = Parameters.of_query(request).parse(ConsentQuery)
        except InvalidRequest:
            raise interactions.nothing_to_do() from None
        interaction, session = _open(form.interaction, request, provider, at=at)
        return consent.page(
            pages,
            _question(interaction.request, session, provider),
            provider,
            action="consent",
            kept={"interaction": form.interaction},
            way_back=interaction.request.redirect_uri,
            other_person=f"login?interaction={form.interaction}",
        )

    @routes.post(
        "/consent",
        operation_id="consent",
        status_code=303,
        response_class=RedirectResponse,
        responses=SENT_ON | REFUSED,
        openapi_extra=form_body(ConsentForm),
    )
    async def answer(request: Request, provider: Started, at: Now) -> RedirectResponse:
        """Go back to the client with the answer."""
        try:
            form = (await Parameters.of_body(request)).parse(ConsentForm)
        except InvalidRequest as error:
            raise broken_form(error.description) from None
        interaction, session = _open(form.interaction, request, provider, at=at)
        asked = interaction.request
        question = _question(asked, session, provider)
        match form.answer:
            case consent.ALLOW:
                question.allow(provider)
                logger.info("%s lets %s in", question.person.user.username, asked.client_id)
                return issue_code(asked, session, provider, at=at)
            case consent.DENY:
                question.deny(provider)
                logger.info("%s does not let %s in", question.person.user.username, asked.client_id)
                return refuse(asked.redirect_uri, asked.state, AccessDenied("the person said no"), provider)
            case _:
                raise broken_form(f"answer must be {ALLOW} or {DENY}")

    return routes


def _question(asked: AuthorizationRequest, session: Session, provider: Provider) -> Question:
    try:
        return Question.of(asked, session, provider)
    except AccessDenied:
        raise Refusal("Not a member any more", "You have left the organization. Start from the application.") from None


def _open(interaction_id: str, request: Request, provider: Provider, *, at: float) -> tuple[Interaction, Session]:
    """The question and the session it was put to; nobody else answers it."""
    interaction = interactions.find(interaction_id, request, provider, at=at)
    if interaction.sid is None:
        raise interactions.nothing_to_do()
    session = sessions.current(request, provider, at=at)
    if session is None or session.sid != interaction.sid:
        raise Refusal("Somebody else is signed in now", "Start again from the application.")
    return interaction, session
