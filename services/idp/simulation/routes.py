"""The simulation API: ``/_sim/*`` of every tenant. JSON in and out; in no OpenAPI document, and for no browser.

What is wrong with a request is told as ``{"error", "error_description"}`` with 400, 404 or 409.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.exception_handlers import request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.idp import sessions
from services.idp.errors import flaws
from services.idp.keys import HeldKey, KeyInUse, UnknownKey
from services.idp.provider import Now, Started
from services.idp.registry import Algorithm
from services.idp.registry_file import TenantEntries
from services.idp.sign_ins import SignIn
from services.idp.simulation import entries, issuers
from services.idp.simulation.forge import UnknownSigner
from services.idp.simulation.mint import Mint, Minted, mint
from services.idp.simulation.names import UnknownName, member
from services.idp.simulation.quirks import QUIRKS, UnknownQuirk
from services.idp.simulation.recipes import RECIPES
from services.idp.simulation.state import Simulated
from services.idp.tenants import Tenants

LONGEST_WAIT = 60.0
"""Seconds."""

router = APIRouter(prefix="/_sim", include_in_schema=False)


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _NewKey(_Asked):
    algorithm: Algorithm | None = None


class _QuirkUse(_Asked):
    times: int | None = Field(default=None, ge=1)
    """Answers it bends; all of them unless given."""


class _Session(_Asked):
    user: str
    organization: str | None = None
    """Id or slug of the one they sign in to; their first active one unless given."""


class _SignIns(_Asked):
    sign_ins: list[SignIn]


class _Reset(_Asked):
    keys: bool = False
    """Whether there are new keys as well, so that nothing issued before is believed."""


@router.post("/mint")
async def mint_token(asked: Mint, request: Request, provider: Started, at: Now) -> Minted:
    """A token of any kind."""
    return mint(asked, provider, _tenants(request), at=at)


@router.get("/recipes")
async def list_recipes() -> dict[str, Any]:
    """The attack matrix."""
    return {
        "recipes": [
            {"name": recipe.name, "about": recipe.about, "expect": list(recipe.outcomes)} for recipe in RECIPES.values()
        ]
    }


@router.get("/keys")
async def list_keys(provider: Started) -> dict[str, Any]:
    """All of them, the oldest first."""
    return {"keys": [_key(held) for held in provider.keys.held.values()]}


@router.post("/keys", status_code=201)
async def publish_key(asked: _NewKey, provider: Started) -> dict[str, Any]:
    """A new one, to be activated later."""
    return _key(provider.keys.held[provider.keys.publish(asked.algorithm).kid])


@router.post("/keys/rotate", status_code=201)
async def rotate_keys(asked: _NewKey, provider: Started) -> dict[str, Any]:
    """A new one signs at once; the old one is still believed."""
    return _key(provider.keys.held[provider.keys.rotate(asked.algorithm).kid])


@router.post("/keys/{kid}/{verb}")
async def change_key(kid: str, verb: str, provider: Started) -> dict[str, Any]:
    """``activate``, ``retire``, ``hide`` or ``show`` it."""
    keys = provider.keys
    match verb:
        case "activate":
            keys.activate(kid)
        case "retire":
            keys.retire(kid)
        case "hide" | "show":
            keys.hide(kid, hidden=verb == "hide")
        case _:
            raise UnknownName(f"a key cannot {verb}; it can activate, retire, hide, show")
    return _key(keys.held[kid])


@router.get("/quirks")
async def list_quirks(simulation: Simulated) -> dict[str, Any]:
    """All there are, and which are active."""
    listed = [{"name": quirk.name, "on": quirk.on, "about": quirk.about} for quirk in QUIRKS.values()]
    return {"quirks": listed, "active": simulation.quirks.left}


@router.put("/quirks/{name}")
async def set_quirk(name: str, asked: _QuirkUse, simulation: Simulated) -> dict[str, Any]:
    """Be wrong in this way."""
    simulation.quirks.set(name, times=asked.times)
    return {"active": simulation.quirks.left}


@router.delete("/quirks/{name}")
async def clear_quirk(name: str, simulation: Simulated) -> dict[str, Any]:
    """Be right again."""
    if name not in QUIRKS:
        raise UnknownQuirk(f"there is no quirk {name!r}; there are {', '.join(QUIRKS)}")
    simulation.quirks.clear([name])
    return {"active": simulation.quirks.left}


@router.delete("/quirks")
async def clear_quirks(simulation: Simulated) -> dict[str, Any]:
    """Be right in everything."""
    simulation.quirks.clear()
    return {"active": {}}


@router.get("/requests")
async def list_requests(request: Request, simulation: Simulated, count: int = 0, wait: float = 0.0) -> dict[str, Any]:
    """What was asked and has these values, the oldest first; ``wait`` so many seconds until there are ``count``."""
    wanted = {name: value for name, value in request.query_params.items() if name not in ("count", "wait")}
    found = await simulation.requests.wait(wanted, count=count, seconds=min(wait, LONGEST_WAIT))
    return {"requests": found, "complete": len(found) >= count}


@router.delete("/requests", status_code=204)
async def forget_requests(simulation: Simulated) -> Response:
    """Begin to record anew."""
    simulation.requests.clear()
    return Response(status_code=204)


@router.post("/session", status_code=201)
async def begin_session(asked: _Session, provider: Started, at: Now) -> dict[str, Any]:
    """Somebody signed in: the cookie for a browser, in the form of Playwright's storage state."""
    session = sessions.begin(member(asked.user, asked.organization, provider), provider, at=at)
    cookie = {
        "name": provider.cookies.session,
        "value": provider.store.add_session(session),
        "domain": "localhost",
        "path": "/",
        "expires": -1,
        "httpOnly": True,
        "secure": provider.cookies.secure,
        "sameSite": "Lax",
    }
    return {"sid": session.sid, "cookie": cookie}


@router.delete("/sessions/{sid}", status_code=204)
async def end_session(sid: str, provider: Started, at: Now) -> Response:
    """Sign somebody out, as if an administrator did: clients are told by the back channel."""
    if not sessions.revoke(sid, provider, at=at):
        raise UnknownName("there is no session of that sid")
    return Response(status_code=204)


@router.get("/sign-ins")
async def list_sign_ins(provider: Started) -> dict[str, Any]:
    """Those that wait."""
    return {"sign_ins": provider.sign_ins.waiting}


@router.post("/sign-ins", status_code=201)
async def queue_sign_ins(asked: _SignIns, provider: Started) -> dict[str, Any]:
    """Answer the next authorization requests like this."""
    for each in asked.sign_ins:
        if each.user is not None:
            member(each.user, each.organization, provider)
    provider.sign_ins.add(asked.sign_ins)
    return {"sign_ins": provider.sign_ins.waiting}


@router.delete("/sign-ins", status_code=204)
async def clear_sign_ins(provider: Started) -> Response:
    """Show people the page again."""
    provider.sign_ins.clear()
    return Response(status_code=204)


@router.put("/tenants/{name}", status_code=201)
async def add_tenant(name: str, asked: TenantEntries, request: Request) -> dict[str, str]:
    """One more issuer. It is asked at the root only, and stays until the system's world begins anew."""
    return {"issuer": _tenants(request).add(name, asked).issuer}


@router.post("/reset", status_code=204)
async def reset(asked: _Reset, provider: Started, simulation: Simulated) -> Response:
    """As the tenant began: nobody signed in, nothing granted, registry as written, nothing bent or recorded."""
    provider.store.forget()
    provider.registry.restore()
    provider.sign_ins.clear()
    simulation.quirks.clear()
    simulation.requests.clear()
    if asked.keys:
        provider.keys.renew()
    return Response(status_code=204)


def register(app: FastAPI) -> None:
    """Add the API and its way to say what is wrong."""
    app.include_router(router)
    app.include_router(entries.router)
    app.include_router(issuers.router)
    for kind, status in _STATUS.items():
        app.add_exception_handler(kind, _told(status))
    app.add_exception_handler(RequestValidationError, _malformed)


_STATUS: dict[type[Exception], int] = {
    UnknownName: 404,
    UnknownKey: 404,
    UnknownQuirk: 404,
    UnknownSigner: 404,
    KeyInUse: 409,
    ValidationError: 400,
    ValueError: 400,
}


def _told(status: int) -> Any:
    async def tell(request: Request, error: Exception) -> Response:
        if not request.scope["path"].startswith("/_sim"):
            raise error  # no mistake of the caller there
        description = flaws(error) if isinstance(error, ValidationError) else error.args[0]
        body = {"error": "not_found" if status == 404 else "invalid", "error_description": description}  # noqa: PLR2004
        return JSONResponse(body, status)

    return tell


async def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
    if not request.scope["path"].startswith("/_sim"):
        return await request_validation_exception_handler(request, error)
    return JSONResponse({"error": "invalid", "error_description": flaws(error)}, 400)


def _tenants(request: Request) -> Tenants:
    tenants: Tenants = request.app.state.tenants
    return tenants


def _key(held: HeldKey) -> dict[str, Any]:
    return {"kid": held.key.kid, "algorithm": held.key.algorithm, "state": held.state, "hidden": held.hidden}
