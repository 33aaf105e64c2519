"""One try at a job: it ends in a result, or the job goes back into the line."""

import http
import random
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from sqlalchemy.orm import Session

from services import telemetry
from services.gateway import errors, kinds
from services.gateway.analyses.analyze import answered
from services.gateway.analyses.files import Files
from services.gateway.clients import Answer, Inference
from services.gateway.database import EVERYTHING, Database
from services.gateway.deadlines import Deadline
from services.gateway.jobs.backoff import Backoff
from services.gateway.jobs.held import Held
from services.gateway.jobs.queue import LostError, Queue
from services.gateway.metrics import Metrics
from services.gateway.records import Status, now

MAX_STRIKES = 5
"""A picture at which inference failed so often, though it was well before, is given up: all but
the first time, no other picture of this gateway was with inference."""

MAX_DEFERRALS = 1000
"""A picture that inference refused, or that inference or the store was too slow for, so often is
given up, once it has waited for so long as no load lasts."""

LONGEST_LOAD = timedelta(days=7)
"""No load lasts for so long: what is refused for as long is refused for its own sake."""

LONGEST_REST_S = 5.0
"""For so many seconds at most nothing else is tried because of pictures that inference refused: it
may be that it refuses only these."""

LONGEST_TROUBLE_S = 30.0
"""For so many seconds at most a picture waits that the store is in trouble with: all go on soon
once it is mended."""

_UNWANTED = "The account that sent this was disabled before it was analyzed. Send it again."
_UNCLEAR = "It could not be analyzed in several tries."
_LEAST_WAIT_S = 0.01
# So many are remembered; the longest ago is forgotten, for it may have ended at another gateway.
_MOST_TROUBLED = 1000
_SHORT_S = 0.1

_log = telemetry.logger(__name__)


class UnwellError(Exception):
    """Inference is not well any more, so it was not asked."""


@dataclass(frozen=True, slots=True)
class _Trouble:
    """That of the store with a picture.

    Attributes:
        done: how many pictures were done when it was met for the last time.
        times: how often it was met.

    """

    done: int
    times: int


class Attempt:
    """Tries jobs."""

    def __init__(
        self,
        database: Database,
        queue: Queue,
        files: Files,
        inference: Inference,
        metrics: Metrics,
        timeout_s: float,
        backoff: Backoff,
    ) -> None:
        """Build from what a try needs.

        Args:
            database: has the records.
            queue: where the jobs are.
            files: has the pictures, and takes those of the answers.
            inference: judges pictures.
            metrics: counts results and retries.
            timeout_s: seconds that inference may take.
            backoff: how long a picture waits that may be at fault itself.

        """
        self._database = database
        self._queue = queue
        self._files = files
        self._inference = inference
        self._metrics = metrics
        self._timeout_s = timeout_s
        self._backoff = backoff
        # Since the last answer.
        self._late_ones: set[str] = set()
        self._refused_ones: set[str] = set()
        self._done = 0
        self._troubles: dict[str, _Trouble] = {}
        # Of whichever pictures, since one was done.
        self._troubles_in_a_row = 0

    async def make(self, held: Held, judging: AbstractAsyncContextManager[None]) -> float:
        """Try a job.

        Args:
            held: the job.
            judging: is entered while inference has its picture, and no longer; it may raise
                ``UnwellError``.

        Returns:
            seconds for which no other job should be tried, because inference would refuse it too.

        """
        try:
            await self._made(held, judging)
        except UnwellError:
            await self._queue.give_back(held)
        except LostError:
            await self._lost(held)
        except errors.ServiceDownError as error:
            # It was well when this was begun, so the picture may be what it died of.
            await self._strike(held, error)
            return error.retry_after_s
        except errors.BusyError as error:
            return await self._refused(held, error)
        except errors.DeadlinePassedError as error:
            await self._late(held, error)
        except errors.InsufficientStorageError:
            await self._again(held, "trouble", self._backoff.longest_s)
        except errors.StoreUnavailableError as error:
            await self._troubled(held, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the line goes on
            await self._other(held, error)
        return 0.0

    async def _made(self, held: Held, judging: AbstractAsyncContextManager[None]) -> None:
        if not held.wanted:
            raise errors.OwnerDisabledError(_UNWANTED)
        picture = await self._files.get(held.record.organisation_id, str(held.record.image_sha256))
        async with judging:
            deadline = Deadline.after(self._timeout_s)
            answer = await self._inference.analyze(picture, deadline, bulk=held.bulk)
        self._late_ones.clear()
        self._refused_ones.clear()
        await self._keep(held, answer)
        self._done += 1
        self._troubles_in_a_row = 0
        self._troubles.pop(held.record.id, None)
        self._metrics.analyses(answer.outcome).inc()
        self._metrics.jobs("succeeded").inc()

    async def _keep(self, held: Held, answer: Answer) -> None:
        async with self._files.stage(held.scope) as stage:
            values = {
                **answered(answer),
                "mask_sha256": stage.add(answer.mask_png),
                "explanation_sha256": stage.add(answer.explanation_png),
            }
            values["kept_bytes"] = (held.record.kept_bytes or 0) + stage.size
            work = partial(self._queue.end, held=held, values=values)
            await self._files.complete(stage, work, held.scope)

    async def _refused(self, held: Held, error: errors.BusyError) -> float:
        """Put it off; if another is refused too, the others have to wait as well."""
        self._refused_ones.add(held.record.id)
        refusals = held.refusals + 1
        asked_s = max(error.retry_after_s, _LEAST_WAIT_S)
        delay_s = min(asked_s * refusals, self._backoff.longest_s)
        await self._put_off(replace(held, refusals=refusals), error, "refused", delay_s)
        return min(delay_s, LONGEST_REST_S if len(self._refused_ones) > 1 else _SHORT_S)

    async def _late(self, held: Held, error: Exception) -> None:
        """Count it only if no other is late: otherwise inference is slow."""
        self._late_ones.add(held.record.id)
        if len(self._late_ones) > 1:
            await self._put_off(held, error, "slow", self._backoff.after(len(self._late_ones)))
        else:
            await self._strike(held, error)

    async def _other(self, held: Held, error: Exception) -> None:
        """Wait for what is down; end or count whatever else the picture meets."""
        kind = kinds.kind_of(error)
        if kind.status == http.HTTPStatus.SERVICE_UNAVAILABLE:
            _log.warning("a job could not be tried", error=type(error).__name__)
            await self._again(held, "trouble", self._backoff.first_s)
        elif isinstance(error, errors.GatewayError) and not isinstance(error, errors.UpstreamError):
            await self._failed(held, error, kind.detail or str(error))
        else:
            # Another replica may have the file, where they do not share a store.
            if not isinstance(error, errors.UpstreamError | FileNotFoundError):
                _log.error("a job failed", exc_info=error)
            await self._strike(held, error)

    async def _troubled(self, held: Held, error: errors.StoreUnavailableError) -> None:
        """Wait for the store, ever longer; count it where others were done meanwhile."""
        # The store has said what the matter is.
        _log.warning("a job could not be tried", error=type(error).__name__)
        before = self._troubles.pop(held.record.id, _Trouble(self._done, 0))
        times = before.times + 1
        self._troubles[held.record.id] = _Trouble(self._done, times)
        if len(self._troubles) > _MOST_TROUBLED:
            del self._troubles[next(iter(self._troubles))]
        self._troubles_in_a_row += 1
        # Where more pictures wait than are remembered, each is forgotten before it comes again.
        rounds = self._troubles_in_a_row // _MOST_TROUBLED
        delay_s = min(self._backoff.after(max(times, rounds)), LONGEST_TROUBLE_S)
        if before.done == self._done:
            await self._again(held, "trouble", delay_s)
        elif error.of_object:
            await self._strike(held, error)
        else:
            await self._put_off(held, error, "trouble", delay_s)

    async def _put_off(self, held: Held, error: Exception, reason: str, delay_s: float) -> None:
        """Count what need not be the picture's own fault; with far too much of it, give it up."""
        deferrals = held.deferrals + 1
        if deferrals >= MAX_DEFERRALS and now() - held.record.created_at >= LONGEST_LOAD:
            await self._given_up(held, error)
        else:
            await self._again(replace(held, deferrals=deferrals), reason, delay_s)

    async def _strike(self, held: Held, error: Exception) -> None:
        """Count what may be the picture's own fault; with too much of it, give the picture up."""
        strikes = held.strikes + 1
        if strikes >= MAX_STRIKES:
            await self._given_up(held, error)
        else:
            # So that those which failed together do not come back together.
            delay_s = self._backoff.after(strikes) * random.uniform(1, 2)  # noqa: S311 - no secret
            await self._again(replace(held, strikes=strikes), "failed", delay_s)

    async def _again(self, held: Held, reason: str, delay_s: float) -> None:
        self._metrics.job_retries(reason).inc()
        await self._queue.give_back(held, delay_s)

    async def _given_up(self, held: Held, error: Exception) -> None:
        # What an error says itself may ask to try again, which is over.
        await self._failed(held, error, kinds.kind_of(error).detail or _UNCLEAR)

    async def _failed(self, held: Held, error: Exception, sentence: str) -> None:
        problem = {"kind": kinds.kind_of(error).slug, "detail": sentence}
        values = {"status": Status.FAILED, "problem": problem}

        def work(session: Session) -> None:
            self._queue.end(session, held, values)

        try:
            await self._database.write(work, EVERYTHING)
        except LostError:
            await self._lost(held)
        else:
            self._troubles.pop(held.record.id, None)
            self._metrics.jobs("failed").inc()

    async def _lost(self, held: Held) -> None:
        """Leave it: whoever has it by now writes the result, or nobody wants one."""
        self._troubles.pop(held.record.id, None)
        await self._queue.drop(held)
