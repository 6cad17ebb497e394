"""A sign-in in progress: the pages that stand between a request and its answer, in one browser and in no other."""

from __future__ import annotations

import secrets
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import RedirectResponse

from services.idp import redirects
from services.idp.errors import Refusal
from services.idp.provider import Provider
from services.idp.records import AuthorizationRequest, Interaction, Session


def begin(
    asked: AuthorizationRequest, session: Session | None, request: Request, provider: Provider, *, at: float
) -> RedirectResponse:
    """On to the login page; or, with a session that will do, to the question of consent."""
    browser = provider.cookies.browser_of(request)
    expires_at = at + provider.settings.interaction_seconds
    interaction = Interaction(asked, browser, expires_at, sid=session.sid if session else None)
    response = _kept(secrets.token_urlsafe(24), interaction, provider)
    provider.cookies.set(response, provider.cookies.browser, browser)
    return response


def signed_in(interaction_id: str, interaction: Interaction, session: Session, provider: Provider) -> RedirectResponse:
    """From the login page on to the question, which only this session can answer."""
    return _kept(interaction_id, replace(interaction, sid=session.sid), provider)


def find(interaction_id: str, request: Request, provider: Provider, *, at: float) -> Interaction:
    """The one that was begun in this browser; a link sent by somebody else is none.

    Raises:
        Refusal: there is none.
    """
    interaction = provider.store.interactions.get(interaction_id, at=at)
    if interaction is None:
        raise nothing_to_do()
    if interaction.browser != request.cookies.get(provider.cookies.browser):
        raise Refusal("Another browser began this", "A sign-in has to end in the browser where it began.")
    if interaction.request.client_id not in provider.registry.clients:
        raise Refusal("Unknown application", "The application that began this is no longer registered.")
    return interaction


def nothing_to_do() -> Refusal:
    """For a page that nothing led to."""
    return Refusal(
        "Nothing to sign in to", "This page has expired or was opened by itself. Start from the application."
    )


def _kept(interaction_id: str, interaction: Interaction, provider: Provider) -> RedirectResponse:
    provider.store.interactions.put(interaction_id, interaction)
    page = "login" if interaction.sid is None else "consent"
    return redirects.answer(f"{provider.issuer}/{page}", {"interaction": interaction_id})
