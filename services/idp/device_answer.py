"""What somebody answers for a device (RFC 8628 §3.3): no, or on to the sign-in, and from there back to here.

From the answer on it goes as with any application that has a browser: the device's request becomes an authorization
request whose way back is on this provider, which redeems the code itself.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.idp import authorize, pkce
from services.idp.device_page import signed_in
from services.idp.devices import Found
from services.idp.errors import REFUSED, SENT_ON, InvalidGrant, InvalidRequest, OAuthError, Refusal, broken_form
from services.idp.grants.code import redeem
from services.idp.pages import Pages
from services.idp.parameters import Parameters, form_body, query
from services.idp.provider import Now, Provider, Started
from services.idp.records import AuthorizationRequest, DeviceConfirmation

logger = logging.getLogger(__name__)


class DecisionForm(BaseModel):
    """One of the buttons was pressed."""

    confirmation: str
    answer: str
    """``allow``, ``other`` (as somebody else than is signed in) or ``deny``."""


class ReturnQuery(BaseModel):
    """RFC 6749 §4.1.2, as any application gets it."""

    state: str
    code: str | None = None
    error: str | None = None


def router(pages: Pages) -> APIRouter:
    """The form of the question, and the way back from the sign-in."""
    routes = APIRouter()

    @routes.post(
        "/device/decision",
        operation_id="decideOnDevice",
        status_code=303,
        response_class=RedirectResponse,
        responses=SENT_ON | REFUSED | {200: {"description": "It is told no", "content": {"text/html": {}}}},
        openapi_extra=form_body(DecisionForm),
    )
    async def decide(request: Request, provider: Started, at: Now) -> Response:
        """On to the sign-in, if it is the person's own device."""
        try:
            form = (await Parameters.of_body(request)).parse(DecisionForm)
        except InvalidRequest as error:
            raise broken_form(error.description) from None
        confirmation, found = _open(form.confirmation, request, provider, at=at)
        match form.answer:
            case "allow" | "other":
                stays = form.answer == "allow" and signed_in(found[1], request, provider, at=at) is not None
                prompts = frozenset(() if stays else {"select_account"})
                asked = _wanted(found, confirmation, provider, state=form.confirmation, prompts=prompts)
                try:
                    return authorize.proceed(asked, request, provider, at=at)
                except OAuthError as error:
                    return authorize.refuse(asked.redirect_uri, asked.state, error, provider)
            case "deny":
                provider.store.devices.answered(form.confirmation)
                return _turned_away(pages, found, provider)
            case _:
                raise broken_form("answer must be allow, other or deny")

    @routes.get(
        "/device/return",
        operation_id="deviceReturn",
        response_class=HTMLResponse,
        responses=REFUSED,
        openapi_extra=query(ReturnQuery),
    )
    async def come_back(request: Request, provider: Started, at: Now) -> HTMLResponse:
        """What came of the sign-in is what the device is told."""
        try:
            form = Parameters.of_query(request).parse(ReturnQuery)
        except InvalidRequest as error:
            raise broken_form(error.description) from None
        confirmation, found = _open(form.state, request, provider, at=at)
        provider.store.devices.answered(form.state)
        if form.code is None:
            return _turned_away(pages, found, provider)
        return _let_in(pages, found, confirmation.verifier, form.code, provider, at=at)

    return routes


def _open(secret: str, request: Request, provider: Provider, *, at: float) -> tuple[DeviceConfirmation, Found]:
    """The question as it was put in this browser, about a device that still waits.

    Raises:
        Refusal: there is none, or somebody else was asked.
    """
    confirmation = provider.store.devices.confirmation(secret, at=at)
    found = provider.store.devices.waiting(confirmation.device, at=at) if confirmation else None
    if confirmation is None or found is None:
        raise Refusal("No device waits here", "It was answered already, or its code has expired. Begin at the device.")
    if confirmation.browser != request.cookies.get(provider.cookies.browser):
        raise Refusal("Another browser began this", "Type the code of your device in the browser where you sign in.")
    return confirmation, found


def _wanted(
    found: Found, confirmation: DeviceConfirmation, provider: Provider, *, state: str, prompts: frozenset[str]
) -> AuthorizationRequest:
    """What the device asked for, as if it had a browser."""
    _, asked = found
    return AuthorizationRequest(
        client_id=asked.client_id,
        redirect_uri=_way_back(provider),
        scopes=asked.scopes,
        resource=asked.resource,
        challenge=pkce.s256(confirmation.verifier),
        state=state,
        nonce=None,
        prompts=prompts,
        max_age=None,
        hinted_subject=None,
        organization=asked.organization,
    )


def _way_back(provider: Provider) -> str:
    return f"{provider.issuer}/device/return"


def _let_in(pages: Pages, found: Found, verifier: str, code: str, provider: Provider, *, at: float) -> HTMLResponse:
    key, asked = found
    try:
        _, family = redeem(
            code,
            provider,
            client_id=asked.client_id,
            redirect_uri=_way_back(provider),
            verifier=verifier,
            at=at,
        )
    except InvalidGrant as error:
        raise Refusal("This did not work", f"The problem: {error.description}. Type the code again.") from None
    provider.store.devices.keep(key, replace(asked, state="granted", family=family.id))
    logger.info("%s: a device was let in", asked.client_id)
    explanation = "It will notice in a moment. You can close this page and go back to it."
    return pages.render("message.html", tenant=provider.tenant, title="Your device is in", explanation=explanation)


def _turned_away(pages: Pages, found: Found, provider: Provider) -> HTMLResponse:
    key, asked = found
    provider.store.devices.keep(key, replace(asked, state="denied"))
    logger.info("%s: a device was turned away", asked.client_id)
    explanation = "It gets nothing, and will be told so. You can close this page."
    return pages.render("message.html", tenant=provider.tenant, title="Device turned away", explanation=explanation)
