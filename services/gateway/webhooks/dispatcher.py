"""Delivers what happens, a bounded number at a time, for as long as the process runs."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator

from sqlalchemy.exc import SQLAlchemyError

from services import telemetry
from services.gateway.metrics import Metrics
from services.gateway.security.sealing import Seal, SealError
from services.gateway.webhooks.fan_out import FanOut
from services.gateway.webhooks.queue import DeliveryQueue, Job
from services.gateway.webhooks.sending import Fault, Outcome, Sender

AT_ONCE = 64
"""Attempts that one process makes at the same time."""

AT_ONCE_EACH = 2
"""Of those, to one webhook: so many wait for a slow receiver, and the others go on."""

_LOOK_S = 1.0
_MEASURE_S = 15.0
_CLEAN_S = 3600.0
_DRAIN_S = 5.0

_log = telemetry.logger(__name__)


class Dispatcher:
    """Takes messages from the queue and sends them."""

    def __init__(
        self, fan_out: FanOut, queue: DeliveryQueue, sender: Sender, seal: Seal, metrics: Metrics
    ) -> None:
        """Build over the queue.

        Args:
            fan_out: fills the queue.
            queue: has what waits.
            sender: makes attempts.
            seal: opens the secrets that sign.
            metrics: count.

        """
        self._fan_out = fan_out
        self._queue = queue
        self._sender = sender
        self._seal = seal
        self._metrics = metrics
        self._in_hand: dict[asyncio.Task[None], Job] = {}
        self._awake = asyncio.Event()
        self._stopping = False
        self._measure_at = self._clean_at = 0.0

    def wake(self) -> None:
        """Look for messages at once."""
        self._awake.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver until the end; then finish what is in hand, or leave it to others."""
        looking = asyncio.create_task(self._look())
        try:
            yield
        finally:
            self._stopping = True
            self.wake()
            await asyncio.wait([looking])
            await self._drain()

    async def _look(self) -> None:
        while not self._stopping:
            self._awake.clear()
            try:
                await self._fan_out.spread()
                await self._begin_what_is_due()
                await self._keep_house()
            except (SQLAlchemyError, OSError) as error:
                # The next look may find the database there again.
                _log.warning("webhooks wait for the database", error=type(error).__name__)
            except Exception:  # noqa: BLE001 - a fault of ours must not end all looks to come
                _log.exception("look for webhooks failed")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), _LOOK_S)

    async def _begin_what_is_due(self) -> None:
        free = AT_ONCE - len(self._in_hand)
        if free == 0:
            return
        busy = Counter(job.webhook.id for job in self._in_hand.values())
        for job in await self._queue.take(free, AT_ONCE_EACH, busy):
            task = asyncio.create_task(self._deliver(job))
            self._in_hand[task] = job
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._in_hand[task]
        self.wake()

    async def _deliver(self, job: Job) -> None:
        try:
            outcome = await self._attempt(job)
            await self._queue.finish(job, outcome)
        except Exception:  # noqa: BLE001 - whatever it is, the other attempts go on
            # It is tried again when the lease ends.
            _log.exception("webhook attempt not recorded", delivery_id=job.delivery.id)
            return
        self._metrics.webhook_attempts(outcome.fault or "delivered").inc()

    async def _attempt(self, job: Job) -> Outcome:
        try:
            secrets = [self._seal.open(sealed, job.webhook.id) for sealed in job.sealed]
        except SealError:
            _log.error("webhook secret cannot be opened", webhook_id=job.webhook.id)
            return Outcome(Fault.SECRET)
        webhook = job.webhook
        return await self._sender.send(webhook.organisation_id, webhook.url, job.message, secrets)

    async def _keep_house(self) -> None:
        moment = time.monotonic()
        if moment >= self._measure_at:
            self._measure_at = moment + _MEASURE_S
            count, age = await self._queue.waiting()
            self._metrics.webhooks_waiting.set(count)
            self._metrics.webhooks_oldest_seconds.set(age.total_seconds())
        if moment >= self._clean_at:
            self._clean_at = moment + _CLEAN_S
            await self._queue.clean()

    async def _drain(self) -> None:
        if not self._in_hand:
            return
        _, late = await asyncio.wait(list(self._in_hand), timeout=_DRAIN_S)
        left = {task: self._in_hand[task] for task in late}
        for task in left:
            task.cancel()
        for task, job in left.items():
            await asyncio.wait([task])
            # Without the database the lease does the same.
            with contextlib.suppress(SQLAlchemyError, OSError):
                await self._queue.put_back(job)
