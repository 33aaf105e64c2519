"""A webhook that goes elsewhere, is told of other things, or is given a new secret."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from services.gateway import errors
from services.gateway.dependencies import PartsDep, WebhooksDep
from services.gateway.records import EVENT_MEANING, Webhook, WebhookSecret
from services.gateway.routes.webhooks import NewSecret, WebhookChange
from services.gateway.web.pages import PagesDep
from services.gateway.web.refusal import Refusal
from services.gateway.web.routing import pages_router
from services.gateway.web.sent_once import Token, done_once, keyed, new_token, parts_of
from services.gateway.web.webhook_deliveries import refused, shown_webhook
from services.gateway.web.webhook_fields import AT_FAULT, FIELDS, REFUSED, WrittenDep

router = pages_router()


@router.get("/admin/webhooks/{webhook_id}/change")
async def page_webhook_form(
    webhook_id: str, request: Request, pages: PagesDep, parts: PartsDep, caller: WebhooksDep
) -> HTMLResponse:
    """Ask what is to be changed of a webhook."""
    found = await parts.webhooks.get(caller.scope, webhook_id)
    shown = _form(found, {name: getattr(found, name) for name in FIELDS})
    return pages.show(request, "webhook_form.html", shown, caller=caller)


@router.post("/admin/webhooks/{webhook_id}/change")
async def page_change_webhook(
    webhook_id: str,
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: WebhooksDep,
    written: WrittenDep,
    revision: Annotated[int, Form(ge=0)] = 0,
    form: Token = "",
) -> Response:
    """Change a webhook; where somebody else did meanwhile, both versions are shown."""

    async def work() -> None:
        found = await parts.webhooks.get(caller.scope, webhook_id)
        wanted = WebhookChange.model_validate(written).model_dump(exclude_unset=True)
        # Whatever has not changed does not begin anew.
        values = {name: value for name, value in wanted.items() if value != getattr(found, name)}
        if values:
            await parts.webhooks.change(caller.scope, webhook_id, frozenset({revision}), values)

    try:
        await done_once(request, caller, parts, form, work, parts_of({**written, "of": revision}))
    except (*REFUSED, errors.ChangedMeanwhileError) as error:
        refusal = Refusal.of(error, AT_FAULT)
        found = await parts.webhooks.get(caller.scope, webhook_id)
        changed = isinstance(error, errors.ChangedMeanwhileError)
        shown = _form(found, written) | refusal.again(form) | {"theirs": changed}
        return pages.refuse(request, "webhook_form.html", shown, refusal, caller=caller)
    parts.dispatcher.wake()
    return RedirectResponse(f"/admin/webhooks/{webhook_id}?done=edited", 303)


@router.post("/admin/webhooks/{webhook_id}/secrets")
async def page_create_webhook_secret(
    webhook_id: str,
    request: Request,
    pages: PagesDep,
    parts: PartsDep,
    caller: WebhooksDep,
    overlap_hours: Annotated[int, Form()] = 24,
    form: Token = "",
) -> Response:
    """Give a webhook a new secret and show it, this once; sent twice, a form makes one."""

    async def find(made: str) -> tuple[WebhookSecret, str | None]:
        return await parts.webhooks.secret(caller.scope, webhook_id, made), None

    try:
        asked = NewSecret(overlap_hours=overlap_hours)
        overlap = timedelta(hours=asked.overlap_hours)

        async def make(made: str) -> tuple[WebhookSecret, str | None]:
            return await parts.webhooks.renew_secret(caller.scope, webhook_id, made, overlap)

        renewal = keyed(request, form, (str(overlap_hours).encode(),))
        _, secret = await parts.once.make(caller.user.id, renewal, WebhookSecret, make, find)
    except REFUSED as error:
        return await refused(webhook_id, request, pages, parts, caller, error, form)
    done = "renewed" if secret else "renewed-before"
    shown = await shown_webhook(parts, caller, webhook_id, secret=secret, done=done)
    return pages.show(request, "webhook.html", shown, caller=caller, status=201)


def _form(webhook: Webhook, written: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "webhook": webhook,
        **written,
        "meaning": EVENT_MEANING,
        "form": new_token(),
        "refusal": "",
        "theirs": False,
    }
