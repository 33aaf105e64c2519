"""Which layout of the cores serves these models best: each is tried for a moment."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from services import telemetry
from services.inference.backends import layout, specimens
from services.inference.backends.layout import Layout
from services.inference.backends.onnxruntime_cpu import OnnxRuntimeCpu
from services.inference.backends.speed import LEAD, Contender, pictures_a_second
from services.inference.model_file import ModelFile

AS_FAST = 0.95
"""A layout with this share of the most pictures a second may win by its quicker answer."""

_LAPS = 3
"""Pictures that each run does in a turn: threads that have just been woken may share a core for
some milliseconds, which in a shorter turn would count for more than the layout."""

_log = telemetry.logger(__name__)

_Run = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Tried:
    """How a layout did.

    Attributes:
        layout: which.
        rate: pictures a second through all models, when there is always a next one.
        lone_rate: the same when each picture comes alone.

    """

    layout: Layout
    rate: float
    lone_rate: float

    def __str__(self) -> str:
        return f"{self.rate:.0f}/s, one at a time {self.lone_rate:.0f}/s"


def measured(files: Sequence[ModelFile], cores: int) -> Layout:
    """Try the sensible layouts and return the best; the first, when it cannot be told.

    Args:
        files: the models that a picture goes through.
        cores: that may be used.

    Raises:
        BackendError: a file cannot be opened.

    """
    candidates = list(layout.sensible(cores, len(files)))
    tried = _tried(candidates, files) if len(candidates) > 1 else []
    chosen = best(tried) if tried else candidates[0]
    _log.info(
        "the cores were shared out",
        chosen=str(chosen),
        tried={str(each.layout): str(each) for each in tried},
    )
    return chosen


def best(tried: Sequence[Tried]) -> Layout:
    """Return, of those with about the most pictures a second, the one with the quickest answer.

    Args:
        tried: the simplest first; whatever comes later must answer clearly quicker to win.

    """
    most = max(each.rate for each in tried)
    chosen, *others = (each for each in tried if each.rate >= AS_FAST * most)
    for each in others:
        if each.lone_rate > LEAD * chosen.lone_rate:
            chosen = each
    return chosen.layout


def _tried(candidates: Sequence[Layout], files: Sequence[ModelFile]) -> list[Tried]:
    models = [[_run(file, each) for file in files] for each in candidates]
    with ThreadPoolExecutor(len(files)) as beside:
        crowded = [_crowded(*each) for each in zip(candidates, models, strict=True)]
        lone = [_lone(*each, beside) for each in zip(candidates, models, strict=True)]
        rates = [rate for rate in pictures_a_second([*crowded, *lone]) if rate]
    halves = rates[: len(candidates)], rates[len(candidates) :]
    return [Tried(*each) for each in zip(candidates, *halves, strict=False)]


def _run(file: ModelFile, how: Layout) -> _Run:
    backend = OnnxRuntimeCpu(file, how)
    picture = specimens.drawn(specimens.size_for(backend))[0]
    backend.run(picture)  # the first run is slow, and tells nothing
    return lambda: backend.run(picture)


def _crowded(how: Layout, models: Sequence[_Run]) -> Contender:
    laps = [*models] * _LAPS
    return Contender(lambda: [model() for model in laps], pictures=_LAPS, runs=how.runs)


def _lone(how: Layout, models: Sequence[_Run], beside: ThreadPoolExecutor) -> Contender:
    """Let a picture go through the models as it would when it is alone in the service."""
    if how.runs == 1:
        return Contender(lambda: [model() for model in models])
    return Contender(lambda: [each.result() for each in [beside.submit(one) for one in models]])
