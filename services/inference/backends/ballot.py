"""One model's candidates: compared with the reference, timed in turns, and the winner."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.inference.backends import parity, specimens
from services.inference.backends.backend import Backend, BackendError, Tensor, named
from services.inference.backends.candidate import REFERENCE, Candidate
from services.inference.backends.layout import Layout
from services.inference.backends.onnxruntime_cpu import OnnxRuntimeCpu
from services.inference.backends.parity import Parity
from services.inference.backends.speed import LEAD, Contender, pictures_a_second
from services.inference.model_file import ModelError, ModelFile

_EQUAL = Parity({}, ())


@dataclass(slots=True)
class Standing:
    """How a candidate did.

    Attributes:
        candidate: which.
        fault: why it fell out; empty when it may serve.
        parity: how it differs from the reference; None when it could not be asked.
        rate: pictures a second; None when it was not timed.
        backend: what it opened; None when it fell out.

    """

    candidate: Candidate
    fault: str = ""
    parity: Parity | None = None
    rate: float | None = None
    backend: Backend | None = None

    def __str__(self) -> str:
        if self.fault:
            return f"out: {self.fault}"
        return "able, not timed" if self.rate is None else f"{self.rate:.0f}/s"


class Ballot:
    """Who stands, and how they do."""

    def __init__(self, model: ModelFile, layout: Layout, largest_batch: int) -> None:
        """Open the reference.

        Args:
            model: what is to be run.
            layout: of the cores.
            largest_batch: that a graphics card will be given.

        Raises:
            BackendError: it cannot be opened.

        """
        self.standings: list[Standing] = []
        self._model = model
        self._layout = layout
        self._largest_batch = largest_batch
        self._reference = OnnxRuntimeCpu(model, layout)
        self._expected: list[Mapping[str, Tensor]] = []

    def admit(self, candidate: Candidate) -> None:
        """Open a candidate and compare it with the reference; who does not agree falls out."""
        standing = Standing(candidate)
        self.standings.append(standing)
        try:
            backend = self._opened(candidate)
            standing.parity = self._parity(backend)
            backend.run(self._batch(backend))  # must fit; and the first of a shape is slow
        except ModelError as error:
            standing.fault = str(error)
        except Exception as error:  # noqa: BLE001 - runtimes raise classes of their own making
            standing.fault = f"it failed: {error}"
        else:
            standing.fault = "; ".join(standing.parity.faults)
            standing.backend = None if standing.fault else backend

    def leave_out(self, candidate: Candidate, why: str) -> None:
        """Note that a candidate falls out without being asked."""
        self.standings.append(Standing(candidate, why))

    def winner(self, before: Candidate | None = None) -> Standing | None:
        """Time who is left, if there is a choice, and return the best; None without any.

        Args:
            before: who won the last time. On a machine that is too busy to tell they are still
                the best if they may serve; the simplest otherwise.

        """
        able = [(each, each.backend) for each in self.standings if each.backend]
        if len(able) > 1:
            contenders = [self._contender(backend) for _, backend in able]
            for (standing, _), rate in zip(able, pictures_a_second(contenders), strict=True):
                standing.rate = rate
        return elected([standing for standing, _ in able], before)

    def _opened(self, candidate: Candidate) -> Backend:
        if candidate is REFERENCE:
            return self._reference
        file = candidate.file(self._model)
        backend = candidate.open(file, self._layout)
        if backend.metadata.get("variant_of", "") != file.variant_of:
            raise BackendError("the file says of itself that it was made of another model")
        return backend

    def _parity(self, backend: Backend) -> Parity:
        if backend is self._reference:
            return _EQUAL
        if not self._expected:
            self._expected = self._answers(self._reference)
        return parity.compared(self._expected, self._answers(backend))

    def _answers(self, backend: Backend) -> list[Mapping[str, Tensor]]:
        return [
            named(backend, backend.run(picture))
            for picture in specimens.drawn(specimens.size_for(self._reference))
        ]

    def _batch(self, backend: Backend) -> Tensor:
        rows = self._largest_batch if backend.on_device else 1
        return specimens.drawn(specimens.size_for(self._reference))[0].repeat(rows, axis=0)

    def _contender(self, backend: Backend) -> Contender:
        batch = self._batch(backend)
        runs = 1 if backend.on_device else self._layout.runs
        return Contender(lambda: backend.run(batch), len(batch), runs)


def elected(able: Sequence[Standing], before: Candidate | None = None) -> Standing | None:
    """Return the fastest; of those about as fast the simplest, which comes first.

    Args:
        able: who may serve.
        before: who is returned, if among them, where nobody was timed.

    """
    chosen = able[0] if able else None
    for each in able[1:]:
        if chosen and (each.rate or 0) > LEAD * (chosen.rate or 0):
            chosen = each
    if any(each.rate is not None for each in able):
        return chosen
    return next((each for each in able if each.candidate is before), chosen)
