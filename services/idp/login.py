"""The login page: pick who you are. There are no passwords, because nobody here is real."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from services.idp import interactions, organization, redirects, sessions
from services.idp.authorize import asks_consent, issue_code, refuse
from services.idp.errors import (
    REFUSED,
    SENT_ON,
    AccessDenied,
    InvalidRequest,
    LoginRequired,
    OAuthError,
    Refusal,
    broken_form,
)
from services.idp.members import Member, Organization
from services.idp.pages import Pages
from services.idp.parameters import Parameters, form_body, query
from services.idp.provider import Now, Provider, Started
from services.idp.records import AuthorizationRequest

logger = logging.getLogger(__name__)

SHOWN = 8
"""So many of an organization are there at once; the others unfold."""

MANY = 12
"""People from which on the page has a field to find one."""

_TONES = 6
"""Colours of avatars in the style sheet."""


class LoginQuery(BaseModel):
    """The address of the page."""

    interaction: str
    find: Annotated[str, Field(max_length=100)] | None = None
    """A part of what is shown of those to be listed."""


class LoginForm(BaseModel):
    """One of the buttons was pressed: a person's, or the one to turn back."""

    interaction: str
    username: str | None = None
    organization: str | None = None
    """Its id, where the button stood in one; the first of the person's otherwise."""
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
            raise interactions.nothing_to_do() from None
        asked = interactions.find(form.interaction, request, provider, at=at).request
        session = sessions.current(request, provider, at=at)
        suggested, signed_in = _suggested(asked, provider), session.subject if session else None
        return pages.render(
            "login.html",
            tenant=provider.tenant,
            form_action=redirects.form_action(asked.redirect_uri),
            interaction=form.interaction,
            client=provider.registry.clients[asked.client_id],
            wishes=[provider.registry.scopes[scope] for scope in provider.registry.scopes if scope in asked.scopes],
            many=len(provider.registry.users) > MANY,
            find=form.find or "",
            organizations=list(_found(form.find, asked.organization, provider)),
            suggested=suggested,
            signed_in=signed_in,
            divided=partial(_divided, pointed_out={suggested, signed_in}, whole=form.find is not None),
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
            raise broken_form(error.description) from None
        interaction = interactions.find(form.interaction, request, provider, at=at)
        asked = interaction.request
        if form.cancel is not None:
            return refuse(asked.redirect_uri, asked.state, AccessDenied("the person turned back"), provider)
        try:
            member = _picked(form, asked, provider)
        except OAuthError as error:
            return refuse(asked.redirect_uri, asked.state, error, provider)
        session, secret = sessions.sign_in(member, request, provider, at=at)
        if asks_consent(asked, session, provider):
            response = interactions.signed_in(form.interaction, interaction, session, provider)
        else:
            response = issue_code(asked, session, provider, at=at)
        provider.cookies.set(response, provider.cookies.session, secret)
        logger.info("%s of %s signed in for %s", member.user.username, member.membership.org_name, asked.client_id)
        return response

    return routes


def _picked(form: LoginForm, asked: AuthorizationRequest, provider: Provider) -> Member:
    """Whose button was pressed, as the organization has them in which it stood.

    Raises:
        Refusal: nobody can sign in by it.
        LoginRequired, AccessDenied: the client has somebody else in mind, or another organization.
    """
    user = provider.registry.user_named(form.username or "")
    if user is None:
        raise Refusal("Nobody of that name", "The person is not known here. Go back and choose another.")
    if not user.can_sign_in:
        told = "has not accepted the invitation, has left, or belongs to an organization that is suspended"
        raise Refusal("Not able to sign in", f"{user.name} {told}. Go back and choose another.")
    if asked.hinted_subject not in (None, user.sub):
        raise LoginRequired("somebody else signed in")
    member = user.within(form.organization or asked.organization)
    if member is None or not (asked.organization is None or member.membership.answers_to(asked.organization)):
        raise organization.denied()
    return member


def _suggested(asked: AuthorizationRequest, provider: Provider) -> str | None:
    """The subject that the client has in mind, by its hints (OIDC Core §3.1.2.1)."""
    if asked.hinted_subject is not None or asked.login_hint is None:
        return asked.hinted_subject
    user = provider.registry.user_hinted(asked.login_hint)
    return user.sub if user else None


def _found(wanted: str | None, named: str | None, provider: Provider) -> Iterator[Organization]:
    """Those who can sign in, in the organization that is asked for if one is, and whose name, role, e-mail or
    organization has the text in it.
    """
    sought = (wanted or "").strip().casefold()
    for group in provider.registry.organizations:
        people = tuple(
            person
            for person in group.people
            if (named is None or person.membership.answers_to(named)) and sought in _text(person).casefold()
        )
        if people:
            yield replace(group, people=people)


def _text(person: Member) -> str:
    user, membership = person.user, person.membership
    return "\n".join((user.name, user.email, membership.role, membership.org_name))


def _divided(
    people: tuple[Member, ...], *, pointed_out: set[str | None], whole: bool
) -> tuple[tuple[Member, ...], tuple[Member, ...]]:
    """Those who are there at once, and the others. Whoever is pointed out is not hidden; nor are only a few."""
    if whole or len(people) <= SHOWN + 2:
        return people, ()
    first = tuple(person for place, person in enumerate(people) if place < SHOWN or person.sub in pointed_out)
    return first, tuple(person for person in people if person not in first)


def _initials(person: Member) -> str:
    words = person.user.name.split() or "?"
    return "".join(word[0] for word in (words[0], words[-1])).upper() if len(words) > 1 else words[0][:2].upper()
