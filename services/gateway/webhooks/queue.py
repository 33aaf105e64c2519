"""What waits to be delivered, in the database: taken in hand by one process, put back with news.

Who takes a message in hand moves its next attempt on, by longer than an attempt can take. So a
process that is killed leaves nothing behind: another one comes by then. The receiver may then get
it twice, with the same id, as Standard Webhooks foresees.

What is due is so by the database's clock: those of replicas differ.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import ColumnElement, Integer, Select, bindparam, func, or_, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway.database import Database, moment_of, remove_old
from services.gateway.records import (
    Delivery,
    DeliveryState,
    Disabled,
    Webhook,
    WebhookSecret,
    new_id,
    now,
)
from services.gateway.records.base import UtcDateTime
from services.gateway.webhooks import schedule
from services.gateway.webhooks.makers import Makers
from services.gateway.webhooks.sending import Message, Outcome

GIVEN_UP_AFTER = timedelta(days=5)
"""How long a receiver may fail without a single success; then nothing more is sent to it."""

KEPT = timedelta(days=30)
"""How long a delivery can be looked up, and replayed."""

_GONE = 410
_BUSY = frozenset({429, 502, 503, 504})
_REST = timedelta(seconds=10)
_REMOVED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Job:
    """A message in hand: what is to be sent where, and signed with what."""

    delivery: Delivery
    webhook: Webhook
    sealed: tuple[str, ...]

    @property
    def message(self) -> Message:
        """What is to be sent."""
        its = self.delivery
        return Message(its.message_id, its.kind, its.subject_id, its.occurred_at)


class DeliveryQueue:
    """The deliveries of all organisations, for the processes that make them."""

    def __init__(self, database: Database, makers: Makers, lease: timedelta) -> None:
        """Build over the database.

        Args:
            database: has them, across organisations.
            makers: knows whose webhooks are told.
            lease: longer than an attempt can take.

        """
        self._database = database
        self._makers = makers
        self._lease = lease
        # Asked every second: built once.
        self._due = _due_webhooks(makers)

    async def take(self, most: int, each: int, busy: Mapping[str, int]) -> list[Job]:
        """Take in hand what is due, what is longest due first.

        Args:
            most: so many at most.
            each: so many of a webhook at most, those in hand here included.
            busy: how many of which webhook are in hand here.

        """
        full = [webhook_id for webhook_id, count in busy.items() if count >= each]
        due = self._due.where(col(Webhook.id).not_in(full)) if full else self._due

        def found(session: Session) -> Sequence[Webhook]:
            return session.scalars(due, {"moment": moment_of(session), "most": most}).all()

        # Most looks find nothing, and need not wait for those who write.
        if not await self._database.read(found):
            return []

        def work(session: Session) -> list[Job]:
            jobs: list[Job] = []
            for webhook in found(session):
                room = min(each - busy.get(webhook.id, 0), most - len(jobs))
                jobs += _taken(session, webhook, room, self._lease)
            return jobs

        return await self._database.write(work)

    async def finish(self, job: Job, outcome: Outcome) -> None:
        """Write down how an attempt ended; not for a message that is in other hands by now."""
        await self._database.write(partial(_finish, job, outcome))

    async def put_back(self, job: Job) -> None:
        """Leave a message to others as if it had not been taken."""
        values = {"attempts": job.delivery.attempts - 1, "holder": None}
        back = update(Delivery).where(*_held(job)).values(values)
        await self._database.write(
            lambda session: session.execute(back.values(next_at=moment_of(session)))
        )

    async def waiting(self) -> tuple[int, timedelta]:
        """Return how many messages wait, and how long the oldest of them has."""
        asked = (
            select(func.count(), func.min(col(Delivery.created_at)))
            .join(Webhook, col(Webhook.id) == col(Delivery.webhook_id))
            .where(
                col(Delivery.next_at).is_not(None),
                col(Webhook.disabled).is_(None),
                self._makers.may(),
            )
        )
        count, oldest = await self._database.read(lambda session: session.execute(asked).one())
        return count, timedelta() if oldest is None else max(now() - oldest, timedelta())

    async def clean(self) -> None:
        """Remove some of the deliveries that are too old to be asked for."""
        oldest = partial(
            remove_old, at=Delivery.created_at, before=now() - KEPT, most=_REMOVED_AT_ONCE
        )
        await self._database.write(oldest)


def _due_webhooks(makers: Makers) -> Select[Webhook]:
    """Return the question for so many as ``most`` webhooks with a delivery due at ``moment``."""
    moment = bindparam("moment", type_=UtcDateTime())
    earliest = (
        select(func.min(col(Delivery.next_at)))
        .where(col(Delivery.webhook_id) == col(Webhook.id), col(Delivery.next_at) <= moment)
        .correlate(Webhook)
        .scalar_subquery()
    )
    return (
        select(Webhook)
        .where(
            col(Webhook.disabled).is_(None),
            makers.may(),
            or_(col(Webhook.resting_until).is_(None), col(Webhook.resting_until) <= moment),
            earliest.is_not(None),
        )
        .order_by(earliest)
        .limit(bindparam("most", type_=Integer()))
    )


def _taken(session: Session, webhook: Webhook, most: int, lease: timedelta) -> list[Job]:
    moment = moment_of(session)
    due = (
        select(col(Delivery.id))
        .where(col(Delivery.webhook_id) == webhook.id, col(Delivery.next_at) <= moment)
        .order_by(col(Delivery.next_at))
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    # One statement, so that nobody else takes the same in between.
    taking = (
        update(Delivery)
        .where(col(Delivery.id).in_(due))
        .values(
            next_at=moment + lease,
            attempts=col(Delivery.attempts) + 1,
            attempted_at=moment,
            holder=new_id(),
        )
        .returning(Delivery)
    )
    taken = list(session.scalars(taking))
    sealed = tuple(session.scalars(_sealed(webhook.id, moment))) if taken else ()
    return [Job(delivery, webhook, sealed) for delivery in taken]


def _sealed(webhook_id: str, moment: datetime) -> Select[str]:
    """Return the question for what signs now, the newest first."""
    until = col(WebhookSecret.expires_at)
    return (
        select(col(WebhookSecret.sealed))
        .where(col(WebhookSecret.webhook_id) == webhook_id, or_(until.is_(None), until > moment))
        .order_by(col(WebhookSecret.created_at).desc())
    )


def _held(job: Job) -> tuple[ColumnElement[bool], ...]:
    return col(Delivery.id) == job.delivery.id, col(Delivery.holder) == job.delivery.holder


def _finish(job: Job, outcome: Outcome, session: Session) -> None:
    # The webhook before the delivery, as whoever removes both does; not its key, which every new
    # delivery refers to.
    mine = select(Webhook).where(col(Webhook.id) == job.webhook.id)
    webhook: Webhook | None = session.scalar(mine.with_for_update(key_share=True))
    letting_go = update(Delivery).where(*_held(job)).values(holder=None).returning(Delivery)
    delivery: Delivery | None = session.scalar(letting_go)
    if webhook is None or delivery is None:
        return
    delivery.status_code = outcome.status_code
    delivery.error = outcome.fault
    if outcome.fault is None:
        delivery.state, delivery.next_at = DeliveryState.DELIVERED, None
        webhook.failing_since = webhook.resting_until = None
        return
    wait = schedule.delay(delivery.attempts, outcome.wished)
    moment = moment_of(session)
    delivery.next_at = None if wait is None else moment + wait
    delivery.state = DeliveryState.WAITING if wait else DeliveryState.FAILED
    _failed(webhook, outcome, moment)


def _failed(webhook: Webhook, outcome: Outcome, moment: datetime) -> None:
    """Note a failure of a receiver; one that is gone, or fails for days, is left alone."""
    webhook.failing_since = webhook.failing_since or moment
    if outcome.status_code in _BUSY:
        webhook.resting_until = moment + min(outcome.wished or _REST, schedule.LONGEST_WISH)
    gone = outcome.status_code == _GONE
    if gone or moment - webhook.failing_since >= GIVEN_UP_AFTER:
        webhook.disabled = webhook.disabled or (Disabled.GONE if gone else Disabled.FAILING)
        webhook.revision += 1
