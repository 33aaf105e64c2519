"""What a trace says of rows that waited and ran together."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence

import pytest
from prometheus_client import CollectorRegistry

from services import telemetry
from services.inference.batcher import Batcher
from services.inference.metrics import Metrics
from services.inference.observers import LineObserver
from services.inference.priority import Urgency
from services.inference.refusal import DeadlinePassedError
from services.inference.runners import Runners
from services.inference.spans import RowSpans
from services.telemetry.traces import Traces
from tests.collector import Collector, Seen, collecting
from tests.inference import clock

ERROR = 2


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as listening:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", listening.address)
        yield listening


class Stuck:
    """A batcher whose first row runs until the test opens the gate; others wait meanwhile."""

    def __init__(self) -> None:
        metrics = Metrics(CollectorRegistry())
        observer = LineObserver(
            metrics,
            metrics.imaging_queue_seconds,
            metrics.decode_seconds,
            RowSpans("run", stage="classifier"),
        )
        self.gate = asyncio.Event()
        self.batcher: Batcher[int, int] = Batcher(self.run, Runners(1), observer, max_batch_size=4)
        for rows in (1, 2, 4) * 20:
            self.batcher.sizing.cost.learn(rows, 0.001 * (1 + rows), time.monotonic())

    async def run(self, rows: Sequence[int]) -> list[int]:
        await self.gate.wait()
        if -1 in rows:
            raise ValueError("a row of a patient called Doe")
        return list(rows)


async def asked(traces: Traces, stuck: Stuck, row: int, urgency: Urgency) -> None:
    """Ask for one row in a traced request of its own."""
    span = traces.request("GET", None, {})
    telemetry.enter_span(span)
    try:
        await stuck.batcher.submit(row, urgency)
    finally:
        span.end({"row": row})


async def crowd(
    rows: Sequence[int], urgency: Urgency | None = None, expire: Callable[[], None] | None = None
) -> list[BaseException | None]:
    """Let rows wait behind one that runs; return what became of them.

    The gate is opened for those who wait, unless ``expire`` says that their time is up.
    """
    with telemetry.tracing("inference") as traces:
        assert traces is not None
        stuck = Stuck()
        first = asyncio.create_task(stuck.batcher.submit(0))
        while stuck.batcher.runners.free:  # noqa: ASYNC110 - one turn of the loop, no time passes
            await asyncio.sleep(0)
        others = [
            asyncio.create_task(asked(traces, stuck, row, urgency or Urgency())) for row in rows
        ]
        while stuck.batcher.queue_size < len(rows):  # noqa: ASYNC110 - the same
            await asyncio.sleep(0)
        (expire or stuck.gate.set)()
        outcomes = await asyncio.gather(*others, return_exceptions=True)
        stuck.gate.set()
        await first
        await stuck.batcher.close()
    return outcomes


def named(collector: Collector, name: str) -> list[Seen]:
    return [seen for seen in collector.spans if seen.span.name == name]


async def test_rows_that_ran_together_point_to_each_others_requests(collector: Collector) -> None:
    await crowd([1, 2, 3])
    requests = {seen.span.span_id for seen in named(collector, "GET")}
    runs = named(collector, "run")
    assert len(runs) == len(requests) == 3
    for run in runs:
        assert run.attributes["dermserve.batch_size"] == 3
        mates = {link.span_id for link in run.span.links}
        assert mates == requests - {run.span.parent_span_id}


async def test_what_failed_is_marked_and_not_quoted(collector: Collector) -> None:
    outcomes = await crowd([-1])
    assert str(outcomes[0]) == "the model run failed"
    (run,) = named(collector, "run")
    assert run.span.status.code == ERROR
    assert not run.span.status.message
    assert not run.span.events
    assert named(collector, "queue")[0].span.status.code != ERROR


async def test_what_expired_in_line_is_a_wait_that_failed_and_no_run(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    def expire() -> None:
        time.sleep(0.2)  # nothing else is to happen meanwhile
        clock.move_on(monkeypatch, 600)

    began = time.monotonic()
    deadline = asyncio.get_running_loop().time() + 600
    outcomes = await crowd([1], Urgency(deadline), expire)
    assert isinstance(outcomes[0], DeadlinePassedError)
    (queue,) = named(collector, "queue")
    assert queue.span.status.code == ERROR
    waited_ns = queue.span.end_time_unix_nano - queue.span.start_time_unix_nano
    assert 0.2 <= waited_ns / 1e9 <= time.monotonic() - began
    assert named(collector, "run") == []
