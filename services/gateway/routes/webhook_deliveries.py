"""What was sent to a webhook, and what is to be."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from services.gateway.dependencies import Cursor, KeyedDep, Limit, PartsDep, WebhooksDep
from services.gateway.problems import documented
from services.gateway.records import Delivery, DeliveryState
from services.gateway.webhooks.sending import Fault

router = APIRouter(tags=["webhooks"])


class DeliveryView(BaseModel):
    """A message for a webhook, and how far it is."""

    id: str
    message_id: str = Field(description="Its `webhook-id`: the same at every attempt.")
    kind: str = Field(description="Its `type`.", examples=["analysis.succeeded"])
    subject_id: str | None = Field(description="The id of what it is about.")
    occurred_at: datetime
    created_at: datetime
    state: DeliveryState
    attempts: int = Field(description="Since it was made, or replayed.")
    attempted_at: datetime | None
    status_code: int | None = Field(description="Of the answer to the last attempt, if any came.")
    error: Fault | None = Field(
        description="What went wrong at the last attempt: `status` is an answer that is not 2xx, "
        "`forbidden` an address that webhooks may not go to, `secret` one that cannot be read."
    )
    next_at: datetime | None = Field(description="When it is tried next, if it is.")

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """Show a delivery."""
        return cls.model_validate(delivery.model_dump())


class DeliveryPage(BaseModel):
    """Some deliveries, newest first."""

    items: list[DeliveryView]
    next_cursor: str | None


@router.get("/v1/webhooks/{webhook_id}/deliveries", responses=documented(401, 403, 404, 422))
async def webhook_deliveries(
    webhook_id: str,
    caller: WebhooksDep,
    parts: PartsDep,
    limit: Limit = 50,
    cursor: Cursor = None,
    state: Annotated[DeliveryState | None, Query(description="Only those so far.")] = None,
) -> DeliveryPage:
    """List what was sent to a webhook in the last 30 days, or is to be; newest first."""
    page = await parts.deliveries.page(caller.scope, webhook_id, limit, cursor, state)
    items = [DeliveryView.of(delivery) for delivery in page.items]
    return DeliveryPage(items=items, next_cursor=page.next_cursor)


@router.get(
    "/v1/webhooks/{webhook_id}/deliveries/{delivery_id}", responses=documented(401, 403, 404)
)
async def webhook_delivery(
    webhook_id: str, delivery_id: str, caller: WebhooksDep, parts: PartsDep
) -> DeliveryView:
    """Show a delivery."""
    return DeliveryView.of(await parts.deliveries.get(caller.scope, webhook_id, delivery_id))


@router.post(
    "/v1/webhooks/{webhook_id}/test",
    status_code=202,
    responses=documented(401, 403, 404, 408, 409, 413, 422),
)
async def test_webhook(
    webhook_id: str, response: Response, caller: WebhooksDep, parts: PartsDep, keyed: KeyedDep
) -> DeliveryView:
    """Send a message that says nothing but that messages arrive; `Location` shows how it went."""
    delivery = await parts.once.make(
        caller.user.id,
        keyed,
        Delivery,
        lambda made: parts.deliveries.test(caller.scope, webhook_id, made),
        lambda made: parts.deliveries.get(caller.scope, webhook_id, made),
    )
    parts.dispatcher.wake()
    response.headers["Location"] = f"/v1/webhooks/{webhook_id}/deliveries/{delivery.id}"
    return DeliveryView.of(delivery)


@router.post(
    "/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay",
    status_code=202,
    responses=documented(401, 403, 404, 408, 409, 413),
)
async def replay_webhook_delivery(
    webhook_id: str,
    delivery_id: str,
    request: Request,
    caller: WebhooksDep,
    parts: PartsDep,
) -> DeliveryView:
    """Send a message again, with the same id, whatever became of it."""
    await request.body()  # there should be none; whoever sends one is heard to its end
    replayed = await parts.deliveries.replay(caller.scope, webhook_id, delivery_id)
    parts.dispatcher.wake()
    return DeliveryView.of(replayed)
