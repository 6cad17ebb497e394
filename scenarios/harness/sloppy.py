"""A provider that puts up with everything, so that each check of the probe can be seen to find what it looks for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlencode

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from harness import ports

STRICT_ALL_THE_SAME = {"revocation-client"}
"""It forgets to revoke, so nobody can revoke what belongs to others."""

ENDPOINTS = (
    *("authorization", "token", "userinfo", "revocation", "introspection", "end_session"),
    *("pushed_authorization_request", "device_authorization", "registration"),
)


class Sloppy:
    """Its endpoints."""

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._pushed: dict[str, str] = {}
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def app(self) -> Starlette:
        """All of it, readable with cookies by every origin."""
        routes = [
            Route("/.well-known/{name}", self.metadata),
            Route("/jwks", self.jwks),
            Route("/authorization", self.authorize, methods=["GET", "POST"]),
            Route("/token", self.token, methods=["GET", "POST"]),
            Route("/userinfo", self.userinfo, methods=["GET", "POST"]),
            Route("/introspection", self.fine, methods=["POST"]),
            Route("/revocation", self.fine, methods=["POST"]),
            Route("/end_session", self.sign_out),
            Route("/pushed_authorization_request", self.push, methods=["POST"]),
            Route("/device_authorization", self.device, methods=["POST"]),
            Route("/registration", self.register, methods=["POST", "GET", "DELETE"]),
            Route("/api/keys/rotate", self.fine, methods=["POST"]),
        ]
        open_to_all = Middleware(
            CORSMiddleware, allow_origin_regex=".*", allow_credentials=True, allow_methods=["GET", "POST"]
        )
        return Starlette(routes=routes, middleware=[open_to_all])

    async def metadata(self, request: Request) -> Response:
        place = f"http://{request.headers['host']}"
        found: dict[str, Any] = {f"{name}_endpoint": f"{place}/{name}" for name in ENDPOINTS}
        found |= {"issuer": f"{place}/", "jwks_uri": f"{place}/jwks", "dpop_signing_alg_values_supported": ["none"]}
        return JSONResponse(found)

    async def jwks(self, _: Request) -> Response:
        return JSONResponse({"keys": [jwt.get_algorithm_by_name("RS256").to_jwk(self._key, as_dict=True)]})

    async def authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        if "request_uri" in asked:
            asked = {"redirect_uri": "https://evil.example/", **self._pushed, **asked}
        signed_in = request.method == "POST" or "signed_in" in request.cookies
        if asked.get("prompt") == "none" and not signed_in:
            return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'error': 'login_required'})}", 302)
        if not signed_in or (request.method == "GET" and asked.get("prompt") != "none"):
            return HTMLResponse(f'{" ".join(asked.values())}<form method="post"><button>Sign in</button></form>')
        told = {"code": "code", "state": asked.get("state", "").upper()}
        if "token" in asked.get("response_type", ""):
            told |= {"access_token": "token"}
        # 307: the form goes on to the client.
        answer = RedirectResponse(f"{asked['redirect_uri']}?{urlencode(told)}", 307)
        answer.set_cookie("signed_in", "yes")
        return answer

    async def token(self, request: Request) -> Response:
        asked = dict(parse_qsl((await request.body()).decode())) | dict(request.query_params)
        claims = {"iss": self._issuer, "sub": "alice", "aud": asked.get("client_id", ""), "exp": int(time.time()) + 60}
        signed = jwt.encode(claims, self._key, algorithm="RS256")
        answer = {"access_token": signed, "id_token": signed, "refresh_token": "refresh"}
        answer |= {"token_type": "DPoP" if "dpop" in request.headers else "Bearer"}
        return JSONResponse(answer | {"scope": asked.get("scope", "openid")})

    async def push(self, request: Request) -> Response:
        self._pushed = dict(parse_qsl((await request.body()).decode()))
        return JSONResponse({"request_uri": "urn:always-the-same"}, 201)

    async def device(self, _: Request) -> Response:
        return JSONResponse({"device_code": "device", "user_code": "user"})

    async def register(self, request: Request) -> Response:
        place = f"http://{request.headers['host']}/registration"
        return JSONResponse(
            {"client_id": "anybody", "registration_client_uri": place, "registration_access_token": "token"}, 201
        )

    async def userinfo(self, _: Request) -> Response:
        return JSONResponse({"sub": "alice"})

    async def fine(self, _: Request) -> Response:
        return JSONResponse({"active": True})

    async def sign_out(self, request: Request) -> Response:
        answer = RedirectResponse(request.query_params.get("post_logout_redirect_uri", "/"), 302)
        answer.delete_cookie("signed_in")
        return answer


@contextmanager
def running() -> Iterator[str]:
    """Its URL."""
    reservation = ports.reserve(0)
    issuer = f"http://localhost:{reservation.number}"
    server = uvicorn.Server(uvicorn.Config(Sloppy(issuer).app(), log_config=None, lifespan="off"))
    thread = Thread(target=server.run, kwargs={"sockets": reservation.listen()})
    thread.start()
    try:
        yield issuer
    finally:
        server.should_exit = True
        thread.join()
        reservation.close()
