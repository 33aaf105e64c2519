"""Webhooks: receivers that are told what happens in an organisation."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Self

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from services.gateway import errors
from services.gateway.dependencies import Cursor, KeyedDep, Limit, PartsDep, WebhooksDep
from services.gateway.problems import documented
from services.gateway.records import Disabled, EventKind, Webhook, WebhookSecret
from services.gateway.routes.revision import RevisionsDep, etag
from services.gateway.routes.whole import Whole
from services.gateway.text import FilledText, Text

router = APIRouter(tags=["webhooks"])

Url = Annotated[FilledText, Field(max_length=2000)]
Description = Annotated[Text, Field(max_length=200)]
Kinds = Annotated[list[EventKind], Field(max_length=100)]
_URL = "https://ris.example.org/hooks/dermserve"
_FOR = "Radiology information system"


class NewWebhook(BaseModel):
    """A receiver."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    url: Url = Field(
        description="Where messages go: https, without a username, to a public address.",
        examples=[_URL],
    )
    description: Description = Field("", description="For people.", examples=[_FOR])
    kinds: Kinds = Field(
        default_factory=list,
        description="Which kinds of events it is told of; all where there is none.",
    )
    disabled: StrictBool = Field(default=False, description="Whether it is told nothing.")


class WebhookChange(BaseModel):
    """What to change of a webhook; what is left out stays."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    # What is not sent is not looked at; a default would say what it is taken for.
    url: Url = Field(default_factory=str, examples=[_URL])
    description: Description = Field(default_factory=str, examples=[_FOR])
    kinds: Kinds = Field(default_factory=list)
    disabled: StrictBool = Field(
        default_factory=bool, description="`false` also enables what was given up."
    )


class WebhookView(BaseModel):
    """A webhook, without its secrets."""

    id: str
    created_at: datetime
    url: str = Field(examples=[_URL])
    description: str = Field(examples=[_FOR])
    kinds: list[EventKind]
    disabled: bool
    disabled_because: Disabled | None = Field(
        description="`by_user`; `gone` where the receiver answered 410; `failing` where it failed "
        "for five days without a single success."
    )
    failing_since: datetime | None = Field(
        description="When the first attempt failed after the last success."
    )

    @classmethod
    def of(cls, webhook: Webhook) -> Self:
        """Show a webhook."""
        return cls(
            **webhook.model_dump(include={"id", "created_at", "url", "description", "kinds"}),
            disabled=webhook.disabled is not None,
            disabled_because=None if webhook.disabled is None else Disabled(webhook.disabled),
            failing_since=webhook.failing_since,
        )


class MadeWebhook(WebhookView):
    """A webhook that was just made."""

    secret: str = Field(
        "",
        description="What its messages are signed with. It is shown only this once.",
        examples=["whsec_…"],
    )


class WebhookPage(BaseModel):
    """Some webhooks, newest first."""

    items: list[WebhookView]
    next_cursor: str | None


class NewSecret(BaseModel):
    """A wish for a new secret."""

    model_config = ConfigDict(extra="forbid")

    overlap_hours: Whole = Field(
        24,
        ge=0,
        le=168,
        description="Hours that the former secret signs too, beside the new one; 0 for one that "
        "may be in wrong hands.",
    )


class MadeSecret(BaseModel):
    """A secret that was just made."""

    id: str
    created_at: datetime
    secret: str = Field(description="It is shown only this once.", examples=["whsec_…"])


@router.post("/v1/webhooks", status_code=201, responses=documented(401, 403, 409, 413, 422))
async def create_webhook(
    new: NewWebhook, response: Response, caller: WebhooksDep, parts: PartsDep, keyed: KeyedDep
) -> MadeWebhook:
    """Make a webhook. It is told of what its maker may see, from now on.

    When the request comes again with its Idempotency-Key, the answer is 409: the secret cannot be
    shown another time.
    """

    async def make(made: str) -> tuple[Webhook, str | None]:
        return await parts.webhooks.create(caller.scope, made, new.model_dump())

    async def find(made: str) -> tuple[Webhook, str | None]:
        return await parts.webhooks.get(caller.scope, made), None

    webhook, secret = await parts.once.make(caller.user.id, keyed, Webhook, make, find)
    if secret is None:
        raise errors.ConflictError(
            f"This Idempotency-Key has made the webhook {webhook.id}, whose secret cannot be shown "
            "again. Give it a new one."
        )
    response.headers["Location"] = f"/v1/webhooks/{webhook.id}"
    response.headers["ETag"] = etag(webhook)
    made = MadeWebhook.of(webhook)
    made.secret = secret
    return made


@router.get("/v1/webhooks", responses=documented(401, 403, 422))
async def webhooks(
    caller: WebhooksDep, parts: PartsDep, limit: Limit = 50, cursor: Cursor = None
) -> WebhookPage:
    """List webhooks, newest first."""
    page = await parts.webhooks.page(caller.scope, limit, cursor)
    items = [WebhookView.of(webhook) for webhook in page.items]
    return WebhookPage(items=items, next_cursor=page.next_cursor)


@router.get("/v1/webhooks/{webhook_id}", responses=documented(401, 403, 404))
async def webhook(
    webhook_id: str, response: Response, caller: WebhooksDep, parts: PartsDep
) -> WebhookView:
    """Show a webhook; `ETag` names the revision."""
    found = await parts.webhooks.get(caller.scope, webhook_id)
    response.headers["ETag"] = etag(found)
    return WebhookView.of(found)


_CHANGE: dict[str, Any] = {"responses": documented(401, 403, 404, 412, 413, 422, 428)}


@router.patch("/v1/webhooks/{webhook_id}", **_CHANGE)
async def change_webhook(
    webhook_id: str,
    change: WebhookChange,
    response: Response,
    # Who calls is asked before what the change is meant for.
    caller: WebhooksDep,
    revisions: RevisionsDep,
    parts: PartsDep,
) -> WebhookView:
    """Change a webhook, if it is still of the revision that `If-Match` names.

    One that goes elsewhere, or is enabled again, begins anew: its failures do not count any more.
    """
    values = change.model_dump(exclude_unset=True)
    changed = await parts.webhooks.change(caller.scope, webhook_id, revisions, values)
    parts.dispatcher.wake()
    response.headers["ETag"] = etag(changed)
    return WebhookView.of(changed)


@router.delete(
    "/v1/webhooks/{webhook_id}",
    status_code=204,
    responses=documented(401, 403, 404, 412, 422, 428),
)
async def delete_webhook(
    webhook_id: str, caller: WebhooksDep, revisions: RevisionsDep, parts: PartsDep
) -> None:
    """Remove a webhook for good, with its secrets and deliveries."""
    await parts.webhooks.remove(caller.scope, webhook_id, revisions)


@router.post(
    "/v1/webhooks/{webhook_id}/secrets",
    status_code=201,
    responses=documented(401, 403, 404, 409, 413, 422),
)
async def create_webhook_secret(
    webhook_id: str, new: NewSecret, caller: WebhooksDep, parts: PartsDep, keyed: KeyedDep
) -> MadeSecret:
    """Give a webhook a new secret; the former one signs beside it for a while.

    When the request comes again with its Idempotency-Key, the answer is 409: the secret cannot be
    shown another time.
    """

    async def make(made: str) -> tuple[WebhookSecret, str | None]:
        overlap = timedelta(hours=new.overlap_hours)
        return await parts.webhooks.renew_secret(caller.scope, webhook_id, made, overlap)

    async def find(made: str) -> tuple[WebhookSecret, str | None]:
        return await parts.webhooks.secret(caller.scope, webhook_id, made), None

    made, secret = await parts.once.make(caller.user.id, keyed, WebhookSecret, make, find)
    if secret is None:
        raise errors.ConflictError(
            "This Idempotency-Key has made a secret, which cannot be shown again. Make another."
        )
    return MadeSecret(id=made.id, created_at=made.created_at, secret=secret)
