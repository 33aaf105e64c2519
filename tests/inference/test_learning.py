"""Nobody tells the service what hardware it has: simulated hours show that it finds out."""

import asyncio
import math
import random
import statistics
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from services.inference.admission import Admission
from services.inference.batcher import Batcher
from services.inference.priority import Priority, Urgency
from services.inference.refusal import DeadlinePassedError, RefusedError
from services.inference.runners import Runners
from services.inference.settings import Settings
from tests.inference.hardware import Hardware, Tally
from tests.virtual_time import play

_PLACES = 100_000
"""As good as no bound: deadlines alone turn requests away."""


def on_cpu(rows: int) -> float:
    return 0.012 * rows


def on_gpu(rows: int) -> float:
    return 0.0005 * rows + 0.008


@dataclass(frozen=True)
class Load:
    """Requests that come at random moments, at a mean rate whatever becomes of them."""

    a_second: float
    seconds: float = 30
    time_s: float = math.inf
    bulk_share: float = 0


@dataclass
class Outcome:
    """What became of them, and of the batches after the first third, which is for learning."""

    batches: list[int]
    latencies: dict[Priority, list[float]]
    refusals_s: list[float]
    late: int
    busy_s: float

    @property
    def answered(self) -> int:
        return sum(map(len, self.latencies.values()))


def simulated(
    seconds: Callable[[int], float],
    load: Load,
    *,
    runners: int,
    largest: int = 8,
    places: int = _PLACES,
) -> Outcome:
    chance = random.Random(7)  # noqa: S311 - a simulation
    hardware = Hardware(lambda rows: seconds(rows) * chance.lognormvariate(0, 0.1))
    tally = Tally()
    admission = Admission(places)
    outcome = Outcome([], {priority: [] for priority in Priority}, [], 0, 0)

    async def ask(batcher: Batcher[int, int]) -> None:
        loop = asyncio.get_running_loop()
        asked = loop.time()
        bulk = chance.random() < load.bulk_share
        priority = Priority.BULK if bulk else Priority.INTERACTIVE
        urgency = Urgency(asked + load.time_s, priority)
        try:
            with admission.place(lambda: batcher.forecast(priority), urgency):
                await batcher.submit(1, urgency)
            outcome.latencies[priority].append(loop.time() - asked)
        except RefusedError:
            outcome.refusals_s.append(loop.time() - asked)
        except DeadlinePassedError:
            outcome.late += 1

    async def scene() -> None:
        batcher = Batcher(hardware.run, Runners(runners), tally, max_batch_size=largest)
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as asking:
            while loop.time() < load.seconds:
                asking.create_task(ask(batcher))
                await asyncio.sleep(chance.expovariate(load.a_second))
        outcome.busy_s = loop.time()

    play(scene())
    outcome.batches = tally.batches[len(tally.batches) // 3 :]
    return outcome


@pytest.mark.parametrize("share_of_capacity", [0.3, 0.8, 1.3])
def test_on_a_cpu_pictures_run_side_by_side_and_not_in_line(share_of_capacity: float) -> None:
    load = Load(a_second=share_of_capacity * 2 / on_cpu(1), seconds=20)
    outcome = simulated(on_cpu, load, runners=2)
    assert outcome.batches.count(1) > 0.95 * len(outcome.batches)


def test_on_a_gpu_batches_are_full_when_there_is_much_to_do() -> None:
    outcome = simulated(on_gpu, Load(a_second=0.97 * 8 / on_gpu(8), seconds=10), runners=1)
    assert statistics.mean(outcome.batches) > 6
    assert outcome.batches.count(8) > 0.5 * len(outcome.batches)


def test_on_a_gpu_a_lone_picture_does_not_wait_for_others() -> None:
    outcome = simulated(on_gpu, Load(a_second=3), runners=1)
    latencies = outcome.latencies[Priority.INTERACTIVE]
    assert statistics.median(latencies) == pytest.approx(on_gpu(1), rel=0.1)
    assert statistics.mean(outcome.batches) < 1.1


@pytest.mark.parametrize(("seconds", "runners"), [(on_cpu, 2), (on_gpu, 1)])
def test_under_three_times_the_load_nearly_all_work_is_for_answers_in_time(
    seconds: Callable[[int], float], runners: int
) -> None:
    capacity = runners * max(rows / seconds(rows) for rows in (1, 8))
    load = Load(a_second=3 * capacity, time_s=0.25, seconds=6)
    outcome = simulated(seconds, load, runners=runners)
    assert outcome.answered > 0.85 * capacity * outcome.busy_s
    everybody = outcome.answered + outcome.late + len(outcome.refusals_s)
    assert outcome.late < 0.02 * everybody
    assert sum(refusal == 0 for refusal in outcome.refusals_s) > 0.98 * len(outcome.refusals_s)


def test_a_flood_of_bulk_costs_interactive_pictures_little_and_still_flows() -> None:
    alone = Load(a_second=0.6 * 2 / on_cpu(1), seconds=12)
    flooded = Load(a_second=1.2 * 2 / on_cpu(1), bulk_share=0.5, seconds=12)
    before, during = (simulated(on_cpu, load, runners=2) for load in (alone, flooded))
    p95 = [
        statistics.quantiles(each.latencies[Priority.INTERACTIVE], n=20)[-1]
        for each in (before, during)
    ]
    assert p95[1] < p95[0] + 1.5 * on_cpu(1)
    assert all(each.latencies[Priority.INTERACTIVE] for each in (before, during))


def test_bulk_keeps_its_share_where_interactive_pictures_fill_the_hardware() -> None:
    load = Load(a_second=1.5 * 2 / on_cpu(1), bulk_share=0.4, time_s=4, seconds=15)
    outcome = simulated(on_cpu, load, runners=2)
    bulk = len(outcome.latencies[Priority.BULK])
    assert bulk > 0.1 * outcome.answered


@pytest.mark.parametrize(("seconds", "runners"), [(on_cpu, 2), (on_gpu, 1)])
def test_bulk_keeps_its_share_where_interactive_pictures_fill_every_place(
    seconds: Callable[[int], float], runners: int
) -> None:
    places = runners + Settings().max_queue_size
    capacity = runners * max(rows / seconds(rows) for rows in (1, 8))
    alone, beside = (
        simulated(
            seconds,
            Load((1.5 + bulk) * capacity, 3000 / capacity, 30, bulk / (1.5 + bulk)),
            runners=runners,
            places=places,
        )
        for bulk in (0, 0.3)
    )
    assert len(beside.latencies[Priority.BULK]) > 0.1 * beside.answered
    before, during = (each.latencies[Priority.INTERACTIVE] for each in (alone, beside))
    assert len(during) > 0.97 * 7 / 8 * len(before)
    assert statistics.mean(during) < 1.1 * statistics.mean(before)
