"""What was sent to a webhook, and what is to be: looked up, tried out, sent again."""

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import errors, paging
from services.gateway.database import Database, Scope, moment_of
from services.gateway.records import Delivery, DeliveryState, Webhook, is_id, new_id
from services.gateway.webhooks.webhooks import Webhooks

TEST = "webhook.test"
"""The kind of a message that says nothing but that messages arrive."""


class Deliveries:
    """The deliveries of the webhooks within a scope."""

    def __init__(self, database: Database, webhooks: Webhooks) -> None:
        """Build over the database.

        Args:
            database: has them.
            webhooks: says whose they are.

        """
        self._database = database
        self._webhooks = webhooks

    async def get(self, scope: Scope, webhook_id: str, delivery_id: str) -> Delivery:
        """Return one.

        Raises:
            NotFoundError: there is none of this id within the scope.

        """
        await self._webhooks.get(scope, webhook_id)
        return await self._database.read(
            lambda session: _found(session, webhook_id, delivery_id), scope
        )

    async def page(
        self,
        scope: Scope,
        webhook_id: str,
        limit: int,
        cursor: str | None,
        state: DeliveryState | None = None,
    ) -> paging.Page[Delivery]:
        """List the deliveries of a webhook, newest first.

        Raises:
            NotFoundError: there is no webhook of this id within the scope.
            InvalidRequestError: the cursor is not one of ours.

        """
        await self._webhooks.get(scope, webhook_id)
        conditions = [col(Delivery.webhook_id) == webhook_id, *paging.after(Delivery, cursor)]
        if state is not None:
            conditions.append(col(Delivery.state) == state)
        rows = (
            select(Delivery)
            .where(*conditions)
            .order_by(*paging.newest_first(Delivery))
            .limit(limit + 1)
        )
        found = await self._database.read(lambda session: list(session.scalars(rows)), scope)
        return paging.page(found, limit)

    async def test(self, scope: Scope, webhook_id: str, delivery_id: str) -> Delivery:
        """Have a message sent that says nothing.

        Raises:
            NotFoundError: there is no webhook of this id within the scope.
            ConflictError: it is disabled.

        """
        _see_that_it_is_enabled(await self._webhooks.get(scope, webhook_id))
        delivery = Delivery(id=delivery_id, webhook_id=webhook_id, message_id=new_id(), kind=TEST)

        def work(session: Session) -> None:
            delivery.next_at = moment_of(session)
            session.add(delivery)

        await self._database.write(work, scope)
        return delivery

    async def replay(self, scope: Scope, webhook_id: str, delivery_id: str) -> Delivery:
        """Have a message sent again, with the same id, as if it had never been tried.

        Raises:
            NotFoundError: there is none of this id within the scope.
            ConflictError: the webhook is disabled.

        """
        _see_that_it_is_enabled(await self._webhooks.get(scope, webhook_id))

        def work(session: Session) -> Delivery:
            delivery = _found(session, webhook_id, delivery_id, held=True)
            delivery.state, delivery.attempts = DeliveryState.WAITING, 0
            delivery.next_at, delivery.holder = moment_of(session), None
            return delivery

        return await self._database.write(work, scope)


def _found(session: Session, webhook_id: str, delivery_id: str, *, held: bool = False) -> Delivery:
    asked = select(Delivery).where(
        col(Delivery.id) == delivery_id, col(Delivery.webhook_id) == webhook_id
    )
    if held:
        asked = asked.with_for_update()
    found: Delivery | None = session.scalar(asked) if is_id(delivery_id) else None
    if found is None:
        raise errors.NotFoundError("There is no delivery of this id to this webhook.")
    return found


def _see_that_it_is_enabled(webhook: Webhook) -> None:
    if webhook.disabled is not None:
        raise errors.ConflictError("The webhook is disabled. Enable it first.")
