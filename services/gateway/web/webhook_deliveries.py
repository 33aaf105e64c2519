"""A webhook with what was sent to it: looked at, tried out, sent again."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import ValidationError

from services.gateway import errors
from services.gateway.dependencies import Cursor, PartsDep, WebhooksDep
from services.gateway.identity import Caller
from services.gateway.parts import Parts
from services.gateway.records import Delivery, DeliveryState
from services.gateway.web.pages import Pages, PagesDep
from services.gateway.web.refusal import NOT_DONE, Refusal
from services.gateway.web.routing import pages_router
from services.gateway.web.sent_once import Token, done_once, keyed, new_token
from services.gateway.webhooks.sending import Fault

router = pages_router()

_DELIVERIES = 25
_Done = Literal["changed", "edited", "tested", "tested-before", "replayed", "replayed-before"]
_FAULTS: Mapping[str, str] = {
    Fault.STATUS: "the answer was not 2xx",
    Fault.TIMEOUT: "no answer came in time",
    Fault.CONNECTION: "nobody could be reached there",
    Fault.TLS: "the certificate is not good, or TLS failed",
    Fault.PROTOCOL: "the answer was no HTTP",
    Fault.FORBIDDEN: "the address leads to where webhooks may not go",
    Fault.SECRET: "the secret cannot be read; make a new one",
}


@router.get("/admin/webhooks/{webhook_id}")
async def page_webhook(
    webhook_id: str,
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: WebhooksDep,
    cursor: Cursor = None,
    state: Annotated[DeliveryState | None, Query()] = None,
    done: _Done | None = None,
) -> HTMLResponse:
    """Show a webhook with its last deliveries and what became of them."""
    shown = await shown_webhook(parts, caller, webhook_id, cursor=cursor, state=state, done=done)
    return pages.show(request, "webhook.html", shown, caller=caller)


@router.post("/admin/webhooks/{webhook_id}/test")
async def page_test_webhook(
    webhook_id: str,
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: WebhooksDep,
    form: Token = "",
) -> Response:
    """Send a message that says nothing; the same form sent twice sends one."""
    done = "tested-before"

    async def work(made: str) -> Delivery:
        nonlocal done
        done = "tested"
        return await parts.deliveries.test(caller.scope, webhook_id, made)

    async def find(made: str) -> Delivery:
        return await parts.deliveries.get(caller.scope, webhook_id, made)

    try:
        await parts.once.make(caller.user.id, keyed(request, form), Delivery, work, find)
    except NOT_DONE as error:
        return await refused(webhook_id, request, pages, parts, caller, error, form)
    parts.dispatcher.wake()
    return RedirectResponse(f"/admin/webhooks/{webhook_id}?done={done}", 303)


@router.post("/admin/webhooks/{webhook_id}/deliveries/{delivery_id}/replay")
async def page_replay_delivery(
    webhook_id: str,
    delivery_id: str,
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: WebhooksDep,
    form: Token = "",
) -> Response:
    """Send a message again, with the same id; the same form sent twice sends it once."""
    done = "replayed-before"

    async def work() -> None:
        nonlocal done
        done = "replayed"
        await parts.deliveries.replay(caller.scope, webhook_id, delivery_id)

    try:
        await done_once(request, caller, parts, form, work)
    except NOT_DONE as error:
        return await refused(webhook_id, request, pages, parts, caller, error)
    parts.dispatcher.wake()
    return RedirectResponse(f"/admin/webhooks/{webhook_id}?done={done}", 303)


async def refused(
    webhook_id: str,
    request: Request,
    pages: Pages,
    parts: Parts,
    caller: Caller,
    error: errors.GatewayError | ValidationError,
    form: str = "",
) -> HTMLResponse:
    """Show a webhook as it is now, and why what was asked of it was refused.

    Raises:
        NotFoundError: there is none of this id within the caller's scope.

    """
    refusal = Refusal.of(error)
    shown = await shown_webhook(parts, caller, webhook_id) | refusal.again(form)
    return pages.refuse(request, "webhook.html", shown, refusal, caller=caller)


async def shown_webhook(
    parts: Parts,
    caller: Caller,
    webhook_id: str,
    *,
    cursor: str | None = None,
    state: DeliveryState | None = None,
    **said: str | None,
) -> dict[str, Any]:
    """Return what the page of a webhook shows.

    Raises:
        NotFoundError: there is none of this id within the caller's scope.

    """
    webhook = await parts.webhooks.get(caller.scope, webhook_id)
    found = await parts.deliveries.page(caller.scope, webhook_id, _DELIVERIES, cursor, state)
    return {
        "webhook": webhook,
        "deliveries": found,
        "makers": await parts.accounts.names(caller.scope, {webhook.owner_id}),
        "state": state,
        "states": list(DeliveryState),
        "faults": _FAULTS,
        "form": new_token(),
        "refusal": "",
        "done": None,
        "secret": None,
        **said,
    }
