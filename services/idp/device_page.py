"""The page where people type the code that their device shows, and are asked whether it is theirs (RFC 8628 §3.3).

The question is put in a browser that this provider knows: a link or a form of somebody else leads to it and not past it
(§5.4). The answer is for ``device_answer``.
"""

from __future__ import annotations

import secrets

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import HTMLResponse

from services.idp import consent, device, organization, sessions
from services.idp.devices import WRONG_CODES_S, Found
from services.idp.errors import REFUSED, AccessDenied, Documented, InvalidRequest, Refusal, broken_form
from services.idp.members import Member
from services.idp.pages import Pages
from services.idp.parameters import Parameters, form_body, query
from services.idp.provider import Now, Provider, Started
from services.idp.records import DeviceConfirmation, DeviceRequest

_BUSY: Documented = {429: {"description": "Too many wrong codes were typed", "content": {"text/html": {}}}}


class DeviceQuery(BaseModel):
    """The address of the page, with a code that is filled in (RFC 8628 §3.3.1)."""

    user_code: str = ""


class UserCodeForm(BaseModel):
    """A code was typed."""

    user_code: str = ""


def router(pages: Pages) -> APIRouter:
    """The page and its form."""
    routes = APIRouter()

    @routes.get(
        "/device",
        operation_id="devicePage",
        response_class=HTMLResponse,
        responses=REFUSED,
        openapi_extra=query(DeviceQuery),
    )
    async def device_page(request: Request, provider: Started) -> HTMLResponse:
        """Where to type a code."""
        try:
            form = Parameters.of_query(request).parse(DeviceQuery)
        except InvalidRequest as error:
            raise broken_form(error.description) from None
        return _ask_for_code(pages, provider, form.user_code)

    @routes.post(
        "/device",
        operation_id="enterUserCode",
        response_class=HTMLResponse,
        responses=REFUSED | _BUSY,
        openapi_extra=form_body(UserCodeForm),
    )
    async def enter(request: Request, provider: Started, at: Now) -> HTMLResponse:
        """Whose code it is, and what the device wants."""
        try:
            form = (await Parameters.of_body(request)).parse(UserCodeForm)
        except InvalidRequest as error:
            raise broken_form(error.description) from None
        devices, user_code = provider.store.devices, device.typed(form.user_code)
        if user_code is None:
            problem = "A code has eight letters, such as BCDF-GHJK."
            return _ask_for_code(pages, provider, form.user_code, problem=problem, status=400)
        if devices.guessed_too_often(at=at):
            problem = f"Too many wrong codes were typed. Try again in {WRONG_CODES_S // 60} minutes."
            return _ask_for_code(pages, provider, form.user_code, problem=problem, status=429)
        found = devices.shown(user_code, at=at)
        if found is None:
            devices.count_wrong_code(at=at)
            problem = "No device shows this code now. It may have expired, or have been used already."
            return _ask_for_code(pages, provider, form.user_code, problem=problem, status=400)
        return _question(pages, found, user_code, request, provider, at=at)

    return routes


def signed_in(asked: DeviceRequest, request: Request, provider: Provider, *, at: float) -> Member | None:
    """Who would let the device in without signing in again; None if nobody is signed in whom it could be about."""
    session = sessions.current(request, provider, at=at)
    try:
        return organization.granted(asked.organization, session, provider) if session else None
    except AccessDenied:
        return None


def _ask_for_code(
    pages: Pages, provider: Provider, user_code: str, *, problem: str = "", status: int = 200
) -> HTMLResponse:
    return pages.render("device.html", tenant=provider.tenant, status=status, user_code=user_code, problem=problem)


def _question(
    pages: Pages, found: Found, user_code: str, request: Request, provider: Provider, *, at: float
) -> HTMLResponse:
    key, asked = found
    client, target = provider.registry.clients.get(asked.client_id), provider.registry.resources.get(asked.resource)
    if client is None or target is None:
        raise Refusal("Unknown application", "The application on the device is no longer registered.")
    browser = provider.cookies.browser_of(request)
    confirmation = DeviceConfirmation(
        device=key,
        browser=browser,
        verifier=secrets.token_urlsafe(32),
        expires_at=at + provider.settings.interaction_seconds,
    )
    response = pages.render(
        "device_question.html",
        tenant=provider.tenant,
        client=client,
        resource=target,
        user_code=device.shown(user_code),
        confirmation=provider.store.devices.confirming(confirmation),
        person=signed_in(asked, request, provider, at=at),
        wishes=consent.wishes(asked.scopes, target, provider),
    )
    provider.cookies.set(response, provider.cookies.browser, browser)
    return response
