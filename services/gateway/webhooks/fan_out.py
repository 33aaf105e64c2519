"""Events become deliveries: each event once for each webhook that is to be told of it.

Events of an organisation are numbered without gaps and become visible in that order. So one number
says how far a webhook has been told, and it moves on in the transaction that makes the deliveries:
whatever process ends in between, and however many do this, nothing is lost or made twice.
"""

from functools import partial

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway.database import Database, moment_of
from services.gateway.records import Delivery, Event, EventCount, Organisation, Webhook
from services.gateway.webhooks.makers import Makers

_EVENTS_AT_ONCE = 500


class FanOut:
    """Makes deliveries of the events of all organisations."""

    def __init__(self, database: Database, makers: Makers) -> None:
        """Build over the database, across organisations.

        Args:
            database: has events and webhooks.
            makers: knows whose webhooks are told.

        """
        self._database = database
        self._makers = makers
        # Asked every second: built once.
        self._behind = (
            select(col(Webhook.id))
            .join(EventCount, col(EventCount.organisation_id) == col(Webhook.organisation_id))
            .where(
                col(Webhook.disabled).is_(None),
                col(Webhook.told) < col(EventCount.count),
                makers.may(),
            )
        )

    async def spread(self) -> None:
        """Make a delivery of whatever a webhook has not been told of."""
        behind = await self._database.read(lambda session: list(session.scalars(self._behind)))
        for webhook_id in behind:
            while await self._database.write(partial(_tell, webhook_id, self._makers)):
                pass


def newest(session: Session, organisation_id: str) -> int:
    """Return the number of the newest event of an organisation; 0 where there was none."""
    count = select(col(EventCount.count)).where(col(EventCount.organisation_id) == organisation_id)
    return session.scalar(count) or 0


def _tell(webhook_id: str, makers: Makers, session: Session) -> bool:
    """Make deliveries of some events for a webhook; say whether there may be more."""
    # A change of nothing: until the commit others wait, SQLite's too, which knows no FOR UPDATE.
    hold = (
        update(Webhook)
        .where(col(Webhook.id) == webhook_id, col(Webhook.disabled).is_(None), makers.may())
        .values(told=col(Webhook.told))
        .returning(Webhook)
    )
    webhook: Webhook | None = session.scalar(hold)
    if webhook is None:
        return False
    # Looked up first: what is committed meanwhile is for the next time.
    last = newest(session, webhook.organisation_id)
    events = _events(session, webhook, last)
    due_at = moment_of(session) if events else None
    session.add_all(
        Delivery(
            organisation_id=webhook.organisation_id,
            webhook_id=webhook.id,
            message_id=event.id,
            kind=event.kind,
            subject_id=event.subject_id,
            occurred_at=event.created_at,
            next_at=due_at,
        )
        for event in events
        if not webhook.kinds or event.kind in webhook.kinds
    )
    more = len(events) == _EVENTS_AT_ONCE
    webhook.told = events[-1].number if more else last
    return more


def _events(session: Session, webhook: Webhook, last: int) -> list[Event]:
    """Return events that the owner of a webhook may see, up to one of a number."""
    organisation = col(Organisation.id) == webhook.organisation_id
    shared = session.scalar(select(col(Organisation.shared)).where(organisation))
    within = [col(Event.organisation_id) == webhook.organisation_id]
    if not shared:
        within.append(col(Event.owner_id) == webhook.owner_id)
    rows = (
        select(Event)
        .where(*within, col(Event.number) > webhook.told, col(Event.number) <= last)
        .order_by(col(Event.number))
        .limit(_EVENTS_AT_ONCE)
    )
    return list(session.scalars(rows))
