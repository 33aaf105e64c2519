"""The API keys of an organisation's services."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.gateway.dependencies import AdminDep, Cursor, PartsDep
from services.gateway.identity import Caller
from services.gateway.identity.permissions import ALLOWED, MEANING
from services.gateway.parts import Parts
from services.gateway.records import ApiKey, Role, now
from services.gateway.routes.api_keys import NewApiKey
from services.gateway.web.pages import PagesDep
from services.gateway.web.refusal import NOT_DONE, Refusal
from services.gateway.web.routing import pages_router
from services.gateway.web.sent_once import Token, keyed, new_token, parts_of, removed_once

router = pages_router()

_KEYS = 50
_SERVICES = 100
_Field = Annotated[str, Form(max_length=256)]


async def _written(
    user_id: _Field = "",
    name: _Field = "",
    days: _Field = "",
    permissions: Annotated[list[str] | None, Form()] = None,
) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "name": name,
        "days": int(days) if days.isascii() and days.isdigit() else days,
        "permissions": permissions or [],
    }


_WrittenDep = Annotated[dict[str, Any], Depends(_written)]


@router.get("/admin/keys")
async def page_api_keys(
    request: Request, pages: PagesDep, parts: PartsDep, caller: AdminDep, cursor: Cursor = None
) -> HTMLResponse:
    """List the keys, and offer to make and revoke them."""
    shown = await _shown(parts, caller, cursor=cursor)
    return pages.show(request, "api_keys.html", shown, caller=caller)


@router.post("/admin/keys")
async def page_create_api_key(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: AdminDep,
    written: _WrittenDep,
    form: Token = "",
) -> Response:
    """Make a key and show it, this once; the same form sent twice makes one."""
    try:
        new = NewApiKey.model_validate(written)

        async def make(key_id: str) -> tuple[ApiKey, str | None]:
            lifetime = timedelta(days=new.days)
            return await parts.api_keys.create(
                caller.scope, key_id, new.user_id, new.name, new.permissions, lifetime
            )

        async def find(key_id: str) -> tuple[ApiKey, str | None]:
            return await parts.api_keys.get(caller.scope, key_id), None

        asked = keyed(request, form, parts_of(written))
        made, key = await parts.once.make(caller.user.id, asked, ApiKey, make, find)
    except NOT_DONE as error:
        refusal = Refusal.of(error)
        again = refusal.again(form) | written
        shown = await _shown(parts, caller, **again)
        return pages.refuse(request, "api_keys.html", shown, refusal, caller=caller)
    shown = await _shown(parts, caller, made=made, key=key)
    return pages.show(request, "api_keys.html", shown, caller=caller, status=201)


@router.post("/admin/keys/{key_id}/revoke")
async def page_revoke_api_key(
    key_id: str, request: Request, parts: PartsDep, caller: AdminDep, form: Token = ""
) -> Response:
    """Revoke a key: it is no good from the next request on; sent twice, a form does once."""

    async def work() -> None:
        await parts.api_keys.revoke(caller.scope, key_id)

    await removed_once(request, caller, parts, form, work)
    return RedirectResponse("/admin/keys", 303)


async def _shown(
    parts: Parts, caller: Caller, *, cursor: str | None = None, **written: Any
) -> dict[str, Any]:
    keys = await parts.api_keys.page(caller.scope, _KEYS, cursor)
    services = await parts.accounts.page(caller.scope, _SERVICES, None, Role.SERVICE)
    return {
        "keys": keys,
        "services": services.items,
        "owners": await parts.accounts.names(caller.scope, {key.user_id for key in keys.items}),
        "allowed": sorted(ALLOWED[Role.SERVICE]),
        "meaning": MEANING,
        "now": now(),
        "form": new_token(),
        "refusal": "",
        "made": None,
        "key": None,
        "user_id": "",
        "name": "",
        "days": 365,
        "permissions": [],
        **written,
    }
