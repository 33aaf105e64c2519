"""A picture in one go: decoded, judged by both models and concluded by one thread in one run.

Where more pictures are in work than there are cores, every core is busy on any way, and what
counts is what a picture costs: here it waits once and changes hands once.
"""

import time
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from services import picture
from services.inference.analysis import Findings, Wanted
from services.inference.batch import Batch, BatchError, Lone
from services.inference.cost import Cost
from services.inference.forecast import Forecast
from services.inference.judgement import Judged, Leased
from services.inference.line import Waiting
from services.inference.metrics import Metrics
from services.inference.observer import Observer
from services.inference.priority import Priority, Request, Urgency
from services.inference.runners import Runners
from services.inference.stage import Stage
from services.inference.staged import Staged
from services.inference.steps import Answered, Encoded, Steps, usable

_Row = TypeVar("_Row")
_Output = TypeVar("_Output")


class _Station(Protocol[_Row, _Output]):
    """Whoever does a part of the work, and counts it."""

    def work(self, rows: Sequence[_Row], /) -> Sequence[_Output | None]:
        """Turn rows into as many outputs, None where there is none."""

    def note(self, lone: Lone[_Row, _Output], /) -> None:
        """See ``Stage.note``."""


@dataclass(frozen=True, slots=True)
class _Leg:
    """A part of the way that was gone; ``output`` is None where it failed."""

    station: _Station[Any, Any]
    began: float
    seconds: float
    output: Any


class _LeftError(Exception):
    """Nobody waits for the picture any more, so the rest of its way is not gone."""


@dataclass(slots=True, eq=False)
class _Course:
    """The way of one picture.

    Attributes:
        legs: what was gone of it; whole once its run has ended.

    """

    content: bytes
    leased: Leased
    wanted: Wanted
    request: Request
    legs: list[_Leg] = field(default_factory=list)

    def go(self, station: _Station[_Row, _Output], row: _Row) -> _Output:
        """Have a station do its part, in this thread; raises what the station raises."""
        if self.request.is_lost:
            raise _LeftError
        output: _Output | None = None
        began = time.monotonic()  # the clock of the event loop
        try:
            (output,) = station.work([row])
        finally:
            self.legs.append(_Leg(station, began, time.monotonic() - began, output))
        if output is None:
            raise BatchError("the run answered no row")
        return output

    def note(self, waiting: Waiting["_Course"]) -> None:
        """Tell every station what it did, and that only the first was waited for."""
        passing = replace(waiting)
        for leg in self.legs:
            leg.station.note(Lone([passing], leg.began, leg.output, leg.seconds))
            passing.arrived, passing.queued = leg.began + leg.seconds, False
        # A failed run's error keeps its frames, and they this.
        self.legs.clear()


class _CourseObserver:
    """Counts runs where their parts are counted, and leavers where they would have begun."""

    def __init__(self, first: Observer) -> None:
        self.caller = first.caller
        self.expired = first.expired
        self.cancelled = first.cancelled

    def ran(self, batch: Batch[_Course, Any], shape: int, seconds: float, *, well: bool) -> None:
        """Note the parts of a run."""
        del shape, seconds, well
        for waiting in batch.rows:
            waiting.row.note(waiting)


class _WholeCost(Cost):
    """What a picture costs from end to end: what its parts do, each of which measures itself.

    A run as such tells less: of a picture that could not be judged it ends half-way, and what
    it would take after another model was loaded, only the next runs could tell.
    """

    def __init__(self, staged: Staged) -> None:
        super().__init__()
        self._staged = staged

    def seconds(self, rows: int) -> float:
        """Return the seconds that so many pictures are expected to take, one after the other."""
        return rows * self._staged.work_s

    def learn(self, rows: int, seconds: float, now: float) -> None:
        """Note that runs go on, and so do the measurements of their parts."""
        del rows, seconds
        self.measured_at = now


class Straight:
    """Judges pictures in one go.

    Attributes:
        stage: the line in which they wait for it.

    """

    def __init__(
        self,
        staged: Staged,
        steps: Steps,
        runners: Runners,
        threads: Executor,
        metrics: Metrics,
    ) -> None:
        """Share the runners with the steps and the models.

        Args:
            staged: the other way, on which pictures are too.
            steps: decode and conclude.
            runners: permits to run, those of the models and of the steps.
            threads: as many threads.
            metrics: what is observed.

        """
        self._in_one_go = metrics.in_one_go
        self._staged = staged
        self._steps = steps
        self.stage: Stage[_Course, Judged | picture.PictureError] = Stage(
            lambda courses: [self._gone(course) for course in courses],
            runners,
            threads,
            _CourseObserver(steps.decode.observer),
        )
        self.stage.sizing.cost = _WholeCost(staged)

    async def judge(
        self, encoded: bytes, leased: Leased, wanted: Wanted, urgency: Urgency
    ) -> Judged:
        """Judge one JPEG or PNG file; raises as ``Pipeline.analyze`` does."""
        request = urgency.request or Request()
        course = _Course(encoded, leased, wanted, request)
        try:
            answer = await self.stage.submit(
                course, replace(urgency, request=request), foreseen=True
            )
        finally:
            # Who left waits no more: what is not begun of the run is not worth beginning.
            request.is_lost = True
        try:
            judged = usable(answer.output)
        except picture.PictureError:
            del answer  # it holds the error, and the error keeps this frame
            raise
        self._in_one_go.inc()
        return replace(judged, queue_s=answer.queue_s if judged.outputs else 0.0)

    def forecast(self, priority: Priority) -> Forecast:
        """Return what a picture that came now would wait and take, by the measured costs.

        Runs are foretold by their mean: of pictures begun with no more than that before their
        deadline, half would be done for nobody, while others wait that have time. So who waits
        is begun only with time for a run to spare, and let in only if that can be expected.
        """
        outlook = self.stage.forecast(priority, coming=self._staged.coming(priority))
        return replace(outlook, spare_s=min(outlook.wait_s, outlook.own_s))

    async def close(self) -> None:
        """Do what waits, then stop."""
        await self.stage.close()

    def _gone(self, course: _Course) -> Judged | picture.PictureError:
        """Go a picture's whole way, in this thread."""
        leased, steps = course.leased, self._steps
        decoded = course.go(steps.decode, Encoded(course.content, leased.sizes))
        if isinstance(decoded, picture.PictureError):
            return decoded
        if decoded.quality.reasons:
            return Judged(Findings(decoded.quality.reasons), decoded)
        tensors = decoded.view.tensors
        segmented = course.go(leased.segmenter, tensors[leased.segmenter.contract.input_size])
        classified = course.go(leased.classifier, tensors[leased.classifier.contract.input_size])
        row = Answered(
            decoded.view, segmented, classified, leased.classifier.contract, course.wanted
        )
        found = course.go(steps.conclude, row)
        run_s = sum(leg.seconds for leg in course.legs[1:3])
        return Judged(found, decoded, (segmented, classified), run_s=run_s)
