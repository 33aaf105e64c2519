"""Those who work in a process: so many at a time, until they are told to stop."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from services import telemetry
from services.gateway.jobs.attempt import Attempt, UnwellError
from services.gateway.jobs.backoff import Backoff
from services.gateway.jobs.held import Held
from services.gateway.jobs.queue import Queue
from services.gateway.jobs.solitude import Solitude
from services.gateway.metrics import Metrics

_LOOK_EVERY_S = 1.0
"""How often to look for what others put into the line, or what has become due."""

_SHOWN_EVERY_S = 10.0

_log = telemetry.logger(__name__)


class Workers:
    """Take jobs up and try them. Only one looks for work at a time; the others wait behind it.

    A picture at which something failed once is judged while no other is, so that what counts
    against it from then on is not another's fault. What the store takes for any of them is no part
    of that.
    """

    def __init__(
        self,
        queue: Queue,
        attempt: Attempt,
        metrics: Metrics,
        serving: Callable[[], Awaitable[bool]],
        lease_s: float,
        backoff: Backoff,
    ) -> None:
        """Build from what they work with.

        Args:
            queue: where the jobs are.
            attempt: tries one.
            metrics: shows how the line stands.
            serving: says whether inference is well; while it is not, no job is touched.
            lease_s: seconds after which a job is lost of which nothing is heard.
            backoff: how long to wait for an inference that is down.

        """
        self._queue = queue
        self._attempt = attempt
        self._metrics = metrics
        self._serving = serving
        self._heard_every_s = min(lease_s / 3, _SHOWN_EVERY_S)
        self._backoff = backoff
        self._looking = asyncio.Lock()
        self._news = asyncio.Event()
        self._solitude = Solitude()
        self._stopping = asyncio.Event()
        self._held: dict[str, Held] = {}
        self._rest_until = 0.0
        self._down = 0

    def wake(self) -> None:
        """Say that there is something new in the line."""
        self._news.set()

    @contextlib.asynccontextmanager
    async def working(self, count: int, drain_s: float) -> AsyncIterator[None]:
        """Work meanwhile; in the end, finish what is in hand.

        Args:
            count: how many jobs to try at the same time; none if 0.
            drain_s: seconds that what is in hand may take in the end; then it is given back.

        """
        tasks = [asyncio.create_task(self._work()) for _ in range(count)]
        keeping = asyncio.create_task(self._keep())
        try:
            yield
        finally:
            self._stopping.set()
            self._news.set()
            if tasks:
                await asyncio.wait(tasks, timeout=drain_s)
            for task in (*tasks, keeping):
                task.cancel()
            await asyncio.gather(*tasks, keeping, return_exceptions=True)

    async def _work(self) -> None:
        while not self._stopping.is_set():
            async with self._looking:
                held = await self._next()
            if held is not None:
                await self._try(held)

    async def _next(self) -> Held | None:
        """Wait for a job and take it up; None when it is time to stop."""
        while not self._stopping.is_set():
            expected = self._news.is_set()
            self._news.clear()
            held = await self._look(expected=expected)
            if held is not None:
                return held
            await self._pause()
        return None

    async def _look(self, *, expected: bool) -> Held | None:
        if self._rest_s() > 0:
            return None
        try:
            # Most looks without news find nothing: they ask nobody else, and none wait to write.
            if not expected and not await self._queue.has_due():
                return None
            if await self._serving():
                self._down = 0
                held = await self._queue.take()
            else:
                self._down += 1
                self._rest(self._backoff.after(self._down))
                held = None
        except Exception:  # noqa: BLE001 - the database is down, or ours: neither ends the work
            _log.exception("the line could not be looked at")
            return None
        if held is not None:
            self._held[held.holder] = held
        return held

    async def _pause(self) -> None:
        """Wait for news, or to the end of a rest."""
        rest_s = self._rest_s()
        waited_for = self._stopping if rest_s > 0 else self._news
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(waited_for.wait(), rest_s if rest_s > 0 else _LOOK_EVERY_S)

    def _rest_s(self) -> float:
        return self._rest_until - time.monotonic()

    def _rest(self, seconds: float) -> None:
        self._rest_until = max(self._rest_until, time.monotonic() + seconds)

    async def _try(self, held: Held) -> None:
        telemetry.enter_request(held.request_id)
        try:
            if rest_s := await self._attempt.make(held, self._judging(held)):
                self._rest(rest_s)
        except asyncio.CancelledError:
            await self._queue.give_back(held)
            raise
        except Exception:  # noqa: BLE001 - as above
            # What could not be written down stays in hand until the lease ends.
            _log.exception("a job could not be ended")
        finally:
            self._held.pop(held.holder, None)
            # It may have gone back into the line.
            self.wake()

    @contextlib.asynccontextmanager
    async def _judging(self, held: Held) -> AsyncIterator[None]:
        """Let a picture be judged as far as it may be beside others.

        Raises:
            UnwellError: inference has not outlived those that were waited for.

        """
        waits = held.strikes or self._solitude.is_kept
        async with self._solitude.alone() if held.strikes else self._solitude.together():
            if waits and not await self._serving():
                raise UnwellError
            yield

    async def _keep(self) -> None:
        """Keep what is in hand, and show how the line stands."""
        while True:
            try:
                if self._held:
                    await self._queue.keep(tuple(self._held))
                figures = await self._queue.figures()
                self._metrics.jobs_waiting.set(figures.waiting)
                self._metrics.jobs_running.set(figures.running)
                self._metrics.jobs_age_seconds_max.set(figures.oldest_s)
            except Exception:  # noqa: BLE001 - as above
                _log.exception("the line could not be kept")
            await asyncio.sleep(self._heard_every_s)
