"""A resource server's side of OAuth: tokens of its own audience, its metadata (RFC 9728), its challenges (RFC 6750)."""

from __future__ import annotations

from fastmcp.server.auth import AccessToken, RemoteAuthProvider, TokenVerifier
from fastmcp.server.dependencies import get_access_token
from pydantic import AnyHttpUrl, ConfigDict, TypeAdapter
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from services.shared.credentials import SingleCredential
from services.shared.mcp import trace
from services.shared.permissions import Caller
from services.shared.problems import Unavailable
from services.shared.tokens import AccessTokenVerifier, InvalidToken, KeysUnavailable

_EXACT_URL = TypeAdapter(AnyHttpUrl, config=ConfigDict(url_preserve_empty_path=True))
"""Pydantic would add a slash to a bare host, and clients compare issuers as text (RFC 8414 §3.3)."""


class VerifiedTokens(TokenVerifier):
    """Our verifier in the shape FastMCP asks for.

    It names no required scopes: FastMCP would answer a missing one with 401 ``invalid_token``.
    """

    def __init__(self, verifier: AccessTokenVerifier) -> None:
        super().__init__()
        self._verifier = verifier

    async def verify_token(self, token: str) -> AccessToken | None:
        """The token if it is valid here; None becomes 401 ``invalid_token``."""
        try:
            verified = await self._verifier.verify(token)
        except InvalidToken:
            return None
        return AccessToken(
            token=token,
            subject=verified.subject,
            client_id=verified.client_id,
            scopes=sorted(verified.scopes),
            # FastMCP would compare it once more, one second later than RFC 7519 §4.1.4 has it.
            expires_at=None,
            claims=dict(verified.claims),
        )


class ProtectedResource(RemoteAuthProvider):
    """Where tokens for this server come from, and what is said to those who come without one."""

    def __init__(
        self, verifier: AccessTokenVerifier, *, url: str, name: str, scopes: frozenset[str], first_scope: str
    ) -> None:
        """``scopes`` are all that tools may need; a client without a token is told to ask for ``first_scope``."""
        super().__init__(
            VerifiedTokens(verifier),
            authorization_servers=[_EXACT_URL.validate_python(verifier.issuer)],
            base_url=url,
            scopes_supported=sorted(scopes),
            challenge_scopes=[first_scope],
            resource_name=name,
        )

    def get_middleware(self) -> list[Middleware]:
        """Authentication, and around it the answers for two credentials and for an issuer that is out of reach."""
        return [Middleware(SingleCredential), Middleware(WithoutKeys), *super().get_middleware()]


class WithoutKeys:
    """503 while the issuer's keys cannot be read: the token may well be good, so 401 would send its owner away."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Authentication runs before anything is sent, so an answer can still be given."""
        try:
            await self.app(scope, receive, send)
        except KeysUnavailable:
            problem = Unavailable("The identity provider's keys cannot be read.", headers={"Retry-After": "1"})
            await problem.response()(scope, receive, send)


def current_caller() -> Caller:
    """Whom the token of this request speaks for."""
    token = get_access_token()
    if token is None or token.subject is None:
        raise RuntimeError("a tool ran without authentication")
    org_id = token.claims.get("org_id", "")
    return Caller(
        subject=token.subject,
        org_id=org_id,
        # A role is one in an organization: with a token that is about none, as a machine's, nothing is allowed.
        roles=frozenset(token.claims.get("roles", ()) if org_id else ()),
        scopes=frozenset(token.scopes),
        client_id=token.client_id,
        actor=(token.claims.get("act") or {}).get("sub"),
        trace_id=trace.current_trace_id(),
    )
