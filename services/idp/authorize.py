"""The authorization endpoint (RFC 6749 §4.1.1, OIDC Core §3.1.2): checks, then the page or the answer.

Until the redirect URI is known to be the client's, an error is a page. From then on it is a redirect with ``error``,
``state`` and ``iss`` (RFC 9207).
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse

from services.idp import (
    interactions,
    metadata_documents,
    organization,
    pushed,
    redirects,
    scopes,
    sessions,
)
from services.idp.authorization_request import Asked, AuthorizeForm, accepted
from services.idp.consent import Question
from services.idp.errors import (
    REFUSED,
    SENT_ON,
    AccessDenied,
    ConsentRequired,
    InvalidRequest,
    LoginRequired,
    OAuthError,
    Refusal,
)
from services.idp.parameters import Parameters, form_body, query
from services.idp.provider import Now, Provider, Started
from services.idp.records import AuthorizationRequest, Code, Family, Session
from services.idp.registry import Client, Registry
from services.idp.sign_ins import SignIn
from services.idp.tokens import new_family_id

router = APIRouter()


@router.get(
    "/authorize",
    operation_id="authorize",
    status_code=303,
    response_class=RedirectResponse,
    responses=SENT_ON | REFUSED,
    openapi_extra=query(AuthorizeForm),
)
async def authorize(request: Request, provider: Started, at: Now) -> RedirectResponse:
    """Begin a sign-in: on to the login page, or straight back if somebody is signed in."""
    try:
        parameters = Parameters.of_query(request)
    except InvalidRequest as error:
        raise _broken(error) from None
    await _learn(parameters, provider, at=at)
    return _answered(parameters, request, provider, at=at)


@router.post(
    "/authorize",
    operation_id="authorizeByForm",
    status_code=303,
    response_class=RedirectResponse,
    responses=SENT_ON | REFUSED,
    openapi_extra=form_body(AuthorizeForm),
)
async def authorize_by_form(request: Request, provider: Started, at: Now) -> RedirectResponse:
    """The same by a form (OIDC Core §3.1.2.1)."""
    try:
        parameters = await Parameters.of_body(request)
    except InvalidRequest as error:
        raise _broken(error) from None
    await _learn(parameters, provider, at=at)
    return _answered(parameters, request, provider, at=at)


def issue_code(asked: AuthorizationRequest, session: Session, provider: Provider, *, at: float) -> RedirectResponse:
    """The good answer (RFC 6749 §4.1.2): a code for the person who is signed in.

    Raises:
        AccessDenied: they are not, or no longer, an active member of the organization that is asked for.
    """
    member, settings = organization.granted(asked.organization, session, provider), provider.settings
    lifetime = settings.refresh_seconds if scopes.OFFLINE in asked.scopes else settings.access_token_seconds
    family = Family(
        id=new_family_id(),
        subject=member.sub,
        organization=member.org_id,
        client_id=asked.client_id,
        scopes=asked.scopes,
        resource=asked.resource,
        sid=session.sid,
        auth_time=session.auth_time,
        expires_at=at + settings.code_seconds + lifetime,
    )
    provider.store.add_family(family)
    provider.store.add_participant(session, asked.client_id)
    code = Code(
        family=family.id,
        redirect_uri=asked.redirect_uri,
        challenge=asked.challenge,
        nonce=asked.nonce,
        valid_until=at + settings.code_seconds,
        expires_at=family.expires_at,
        dpop_jkt=asked.dpop_jkt,
    )
    secret = provider.store.add_code(code)
    return redirects.answer(asked.redirect_uri, {"code": secret, "state": asked.state, "iss": provider.issuer})


def asks_consent(asked: AuthorizationRequest, session: Session, provider: Provider) -> bool:
    """Whether the person has to be asked before a code is issued: where it is demanded, and where it is missing."""
    return "consent" in asked.prompts or Question.of(asked, session, provider).needed(provider)


def refuse(redirect_uri: str, state: str | None, error: OAuthError, provider: Provider) -> RedirectResponse:
    """The bad answer (RFC 6749 §4.1.2.1), which names its issuer as well (RFC 9207 §2)."""
    return _refusal(redirect_uri, state, error.error, error.description, provider)


def _refusal(
    redirect_uri: str, state: str | None, error: str, description: str, provider: Provider
) -> RedirectResponse:
    told = {"error": error, "error_description": description, "state": state, "iss": provider.issuer}
    return redirects.answer(redirect_uri, told)


def _answered(parameters: Parameters, request: Request, provider: Provider, *, at: float) -> RedirectResponse:
    try:
        is_pushed = pushed.named(parameters)
        parameters = pushed.taken(parameters, provider, at=at) if is_pushed else parameters
    except InvalidRequest as error:
        raise _broken(error) from None
    client, redirect_uri = _addressee(parameters, provider.registry)
    try:
        asked = Asked(parameters.parse(AuthorizeForm), client, provider.registry, pushed=is_pushed)
        return proceed(accepted(asked, provider), request, provider, at=at)
    except OAuthError as error:
        return refuse(redirect_uri, _state(parameters), error, provider)


async def _learn(parameters: Parameters, provider: Provider, *, at: float) -> None:
    """Know the client that is described at its own address; nobody is redirected to one that cannot be known."""
    try:
        await metadata_documents.learn(parameters, provider, at=at)
    except OAuthError as error:
        raise Refusal("Unknown application", f"The problem: {error.description}.") from None


def _addressee(parameters: Parameters, registry: Registry) -> tuple[Client, str]:
    """Whom to answer, and where; until that is settled, a person is told and nobody is redirected."""
    try:
        client_id, redirect_uri = parameters.single("client_id"), parameters.single("redirect_uri")
    except InvalidRequest as error:
        raise _broken(error) from None
    client = registry.clients.get(client_id or "")
    if client is None:
        raise Refusal("Unknown application", "No application is registered here under the client_id of this link.")
    if redirect_uri is None or not redirects.registered(redirect_uri, client):
        raise Refusal("Unknown way back", f"{client.name} has not registered the redirect_uri of this link.")
    return client, redirect_uri


def _broken(error: InvalidRequest) -> Refusal:
    return Refusal("This sign-in link is broken", f"The problem: {error.description}.")


def _state(parameters: Parameters) -> str | None:
    try:
        return parameters.single("state")
    except InvalidRequest:
        return None


def proceed(asked: AuthorizationRequest, request: Request, provider: Provider, *, at: float) -> RedirectResponse:
    """On to whatever page is needed; or straight back, with a code.

    Raises:
        OAuthError: a page is needed, and none may be shown; or who is signed in is not in the organization asked for.
    """
    chosen = provider.sign_ins.take()
    if chosen is not None:
        return _without_page(chosen, asked, request, provider, at=at)
    session = sessions.current(request, provider, at=at)
    if session and not _good_for(asked, session, at=at):
        session = None
    if session and not asks_consent(asked, session, provider):
        return issue_code(asked, session, provider, at=at)
    if "none" in asked.prompts:
        raise _page_needed(session)
    if asked.organization is not None and provider.registry.organization(asked.organization) is None:
        raise organization.denied()  # to whomever the page would be shown
    return interactions.begin(asked, session, request, provider, at=at)


def _page_needed(session: Session | None) -> OAuthError:
    """Why it cannot be done without a page (OIDC Core §3.1.2.6)."""
    if session is None:
        return LoginRequired("nobody is signed in who would do")
    return ConsentRequired("the person has not been asked for all of this")


def _without_page(
    chosen: SignIn, asked: AuthorizationRequest, request: Request, provider: Provider, *, at: float
) -> RedirectResponse:
    """The answer that was queued for this request: a person's, who is signed in from now on, or an error."""
    user = provider.registry.user_named(chosen.user or "")
    member = user.within(asked.organization or chosen.organization) if user else None
    if member is None:
        error = chosen.error or AccessDenied.error
        return _refusal(asked.redirect_uri, asked.state, error, chosen.description, provider)
    session, secret = sessions.sign_in(member, request, provider, at=at)
    response = issue_code(asked, session, provider, at=at)
    provider.cookies.set(response, provider.cookies.session, secret)
    return response


def _good_for(asked: AuthorizationRequest, session: Session, *, at: float) -> bool:
    """Whether a session spares the person the page (OIDC Core §3.1.2.1)."""
    return (
        asked.prompts <= {"none", "consent"}
        # An age of 0 demands the page, even within a second of the sign-in.
        and (asked.max_age is None or int(at) - session.auth_time <= asked.max_age > 0)
        and asked.hinted_subject in (None, session.subject)
    )
