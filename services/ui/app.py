"""Serves one built Angular application on any port: what differs between stacks is in ``/config.json``, not in it."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from services.shared.health import healthy
from services.ui import bundle
from services.ui.bundle import Asset, Bundle
from services.ui.config import browser_configuration
from services.ui.headers import ASK_AGAIN, FOR_EVER, NEVER, SECURITY, content_security_policy
from services.ui.settings import UiSettings

_REFUSED = re.compile(r";q=0(?:\.0*)?$")


@dataclass(frozen=True)
class Site:
    """What is served between one start of the lifespan and its end."""

    settings: UiSettings
    bundle: Bundle

    @property
    def config(self) -> dict[str, str]:
        """What the application needs to know before it starts."""
        return browser_configuration(issuer=self.settings.issuer_url, api_url=self.settings.api_url)


def create_app() -> Starlette:
    """The routes; the bundle and the settings are read when the lifespan starts."""
    return Starlette(
        routes=[
            Route("/healthz", _healthz),
            Route("/config.json", _config),
            Route("/{path:path}", _file_or_page),
        ],
        lifespan=_serving,
    )


@asynccontextmanager
async def _serving(app: Starlette) -> AsyncIterator[None]:
    settings = UiSettings.read()
    app.state.site = Site(settings, bundle.read(settings.ui_bundle))
    yield
    del app.state.site


def _site(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


async def _healthz(request: Request) -> Response:
    return healthy("ui", _site(request).settings.instance_nonce)


async def _config(request: Request) -> Response:
    return JSONResponse(_site(request).config, headers=SECURITY | {"Cache-Control": NEVER})


async def _file_or_page(request: Request) -> Response:
    site, path = _site(request), request.url.path
    asset = site.bundle.assets.get(path)
    if asset:
        return _file(asset, request)
    if _is_page(request):
        return _page(site)
    return PlainTextResponse("There is no such file.\n", 404, headers=SECURITY | {"Cache-Control": NEVER})


def _is_page(request: Request) -> bool:
    """Whether a route of the application is asked for: by something that shows pages, and not by a file's name.

    A missing script answered with a page would fail later and mysteriously: the browser refuses its media type.
    """
    path = request.url.path
    named_like_a_file = "." in path.rpartition("/")[2]
    return path in {"/", "/index.html"} or (not named_like_a_file and "text/html" in request.headers.get("Accept", ""))


def _page(site: Site) -> Response:
    nonce = secrets.token_urlsafe(16)
    policy = content_security_policy(nonce, connect=(str(site.settings.api_url), str(site.settings.issuer_url)))
    return HTMLResponse(
        site.bundle.index.replace(bundle.NONCE, nonce),
        headers=SECURITY | {"Cache-Control": NEVER, "Content-Security-Policy": policy},
    )


def _file(asset: Asset, request: Request) -> Response:
    content, tag = asset.content, f'"{asset.digest}"'
    headers = SECURITY | {"Cache-Control": FOR_EVER if asset.hashed else ASK_AGAIN}
    if asset.compressed is not None:
        headers["Vary"] = "Accept-Encoding"
        if _accepts_gzip(request):
            content, tag = asset.compressed, f'"{asset.digest}-gzip"'
            headers["Content-Encoding"] = "gzip"
    headers["ETag"] = tag
    if tag in request.headers.get("If-None-Match", ""):
        headers.pop("Content-Encoding", None)
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=asset.media_type, headers=headers)


def _accepts_gzip(request: Request) -> bool:
    """RFC 9110 §12.5.3, as far as browsers use it: named, and not with a weight of zero."""
    codings = (coding.replace(" ", "").lower() for coding in request.headers.get("Accept-Encoding", "").split(","))
    return any(coding.partition(";")[0] == "gzip" and not _REFUSED.search(coding) for coding in codings)
