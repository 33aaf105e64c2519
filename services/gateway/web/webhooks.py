"""Receivers that an organisation has told what happens: listed, made, paused, removed."""

from typing import Annotated, Any, Literal

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.gateway import errors
from services.gateway.dependencies import Cursor, PartsDep, WebhooksDep
from services.gateway.identity import Caller
from services.gateway.parts import Parts
from services.gateway.records import EVENT_MEANING, Disabled, Webhook
from services.gateway.routes.webhooks import NewWebhook
from services.gateway.web.pages import PagesDep
from services.gateway.web.refusal import Refusal
from services.gateway.web.routing import pages_router
from services.gateway.web.sent_once import Token, keyed, new_token, parts_of, removed_once
from services.gateway.web.webhook_deliveries import refused
from services.gateway.web.webhook_fields import AT_FAULT, REFUSED, WrittenDep

router = pages_router()

_WEBHOOKS = 50
_Revision = Annotated[int, Form(ge=0)]


@router.get("/admin/webhooks")
async def page_webhooks(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: WebhooksDep,
    cursor: Cursor = None,
    done: Literal["removed"] | None = None,
) -> HTMLResponse:
    """List the webhooks, and offer to make one."""
    shown = await _shown(parts, caller, cursor=cursor, done=done)
    return pages.show(request, "webhooks.html", shown, caller=caller)


@router.post("/admin/webhooks")
async def page_create_webhook(
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: WebhooksDep,
    written: WrittenDep,
    form: Token = "",
) -> Response:
    """Make a webhook and show its secret, this once; the same form sent twice makes one."""
    try:
        new = NewWebhook.model_validate(written)

        async def make(webhook_id: str) -> tuple[Webhook, str | None]:
            return await parts.webhooks.create(caller.scope, webhook_id, new.model_dump())

        async def find(webhook_id: str) -> tuple[Webhook, str | None]:
            return await parts.webhooks.get(caller.scope, webhook_id), None

        asked = keyed(request, form, parts_of(written))
        made, secret = await parts.once.make(caller.user.id, asked, Webhook, make, find)
    except REFUSED as error:
        refusal = Refusal.of(error, AT_FAULT)
        again = refusal.again(form) | written
        shown = await _shown(parts, caller, **again)
        return pages.refuse(request, "webhooks.html", shown, refusal, caller=caller)
    shown = await _shown(parts, caller, made=made, secret=secret)
    return pages.show(request, "webhooks.html", shown, caller=caller, status=201)


@router.post("/admin/webhooks/{webhook_id}")
async def page_pause_webhook(
    webhook_id: str,
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: WebhooksDep,
    disabled: Annotated[Literal["yes", "no"], Form()],
    revision: _Revision = 0,
) -> Response:
    """Pause a webhook, or have it told again; what somebody else changed meanwhile is shown."""
    found = await parts.webhooks.get(caller.scope, webhook_id)
    wanted = disabled == "yes"
    # One that was given up meanwhile is off, but not as was asked.
    there = found.disabled == Disabled.BY_USER if wanted else found.disabled is None
    if not there:
        try:
            meant, values = frozenset({revision}), {"disabled": wanted}
            await parts.webhooks.change(caller.scope, webhook_id, meant, values)
        except errors.ChangedMeanwhileError as error:
            return await refused(webhook_id, request, pages, parts, caller, error)
        parts.dispatcher.wake()
    # Who sends the form twice has what they want: it is as they asked.
    return RedirectResponse(f"/admin/webhooks/{webhook_id}?done=changed", 303)


@router.get("/admin/webhooks/{webhook_id}/remove")
async def page_webhook_removal(
    webhook_id: str, request: Request, pages: PagesDep, parts: PartsDep, caller: WebhooksDep
) -> HTMLResponse:
    """Ask whether a webhook is really to be removed."""
    found = await parts.webhooks.get(caller.scope, webhook_id)
    shown = {"webhook": found, "form": new_token()}
    return pages.show(request, "webhook_removal.html", shown, caller=caller)


@router.post("/admin/webhooks/{webhook_id}/remove")
async def page_remove_webhook(
    webhook_id: str,
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: WebhooksDep,
    revision: _Revision = 0,
    form: Token = "",
) -> Response:
    """Remove a webhook for good, with its secrets and deliveries; sent twice, a form does once."""

    async def work() -> None:
        await parts.webhooks.remove(caller.scope, webhook_id, frozenset({revision}))

    try:
        await removed_once(request, caller, parts, form, work)
    except errors.ChangedMeanwhileError as error:
        return await refused(webhook_id, request, pages, parts, caller, error)
    return RedirectResponse("/admin/webhooks?done=removed", 303)


async def _shown(
    parts: Parts, caller: Caller, *, cursor: str | None = None, **written: Any
) -> dict[str, Any]:
    return {
        "webhooks": await parts.webhooks.page(caller.scope, _WEBHOOKS, cursor),
        "meaning": EVENT_MEANING,
        "form": new_token(),
        "refusal": "",
        "done": None,
        "made": None,
        "secret": None,
        "url": "",
        "description": "",
        "kinds": [],
        **written,
    }
