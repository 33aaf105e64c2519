"""Chooses for every model file the fastest backend that answers as the reference does."""

import threading
from collections.abc import Sequence

from services import telemetry
from services.inference.backends import specimens
from services.inference.backends.backend import Backend
from services.inference.backends.ballot import Ballot, Standing
from services.inference.backends.candidate import CANDIDATES, Candidate
from services.inference.backends.failover import Failover
from services.inference.backends.layout import Layout
from services.inference.backends.loss import Loss
from services.inference.backends.onnxruntime_cpu import OnnxRuntimeCpu
from services.inference.model_file import ModelError, ModelFile

AUTO = "auto"

_log = telemetry.logger(__name__)


class Election:
    """Holds elections under one set of rules, one at a time so that none disturbs another's."""

    def __init__(
        self,
        layout: Layout,
        *,
        beside_card: Layout | None = None,
        provider: str = AUTO,
        precision: str = AUTO,
        largest_batch: int = 1,
        candidates: Sequence[Candidate] = CANDIDATES,
        loss: Loss | None = None,
    ) -> None:
        """Fix the rules.

        Args:
            layout: of the cores.
            beside_card: of the cores where runs come as a graphics card takes them; unless told,
                one at a time.
            provider: the one that must serve, or ``"auto"``.
            precision: the one that must serve, or ``"auto"``.
            largest_batch: that a graphics card will be given.
            candidates: who there is, the simplest first.
            loss: of the card: who was elected reports it, and nobody who needs it stands then.

        """
        self._layout = layout
        self._beside_card = beside_card or Layout(1, layout.runs * layout.threads)
        self._provider = provider
        self._precision = precision
        self._largest_batch = largest_batch
        self._candidates = [each for each in candidates if self._may_stand(each)]
        self._loss = loss or Loss()
        self._turn = threading.Lock()
        self._winners: dict[str, Candidate] = {}

    def stand_by_card(self) -> None:
        """Elect from now on for runs that come as a graphics card takes them.

        How many come at the same time stays as it was decided for the card: whoever runs on the
        processor after all, beside the card or once it is lost, shares out the cores by that.
        """
        self._layout = self._beside_card

    def __call__(self, model: ModelFile) -> Backend:
        """Hold an election and return the backend that is to run a model.

        A version that is loaded while others of the same model serve may meet a machine that is
        too busy to time anybody. Then it is given what the version before it was, and nothing
        slower, as long as it answers as the reference does on that too.

        Raises:
            ModelError: nobody who may stand can serve; the sentence says why.

        """
        with self._turn:
            ballot = self._ballot(model)
            name = model.path.parent.parent.name
            chosen = ballot.winner(self._winners.get(name))
            if chosen is not None:
                self._winners[name] = chosen.candidate
        self._announce(model, chosen, ballot.standings)
        if chosen is None or chosen.backend is None:
            raise ModelError(self._why_nobody(ballot.standings))
        if chosen.backend.on_device:
            return Failover(chosen.backend, self._spare(model), self._loss)
        return chosen.backend

    def _ballot(self, model: ModelFile) -> Ballot:
        ballot = Ballot(model, self._layout, self._largest_batch)
        for candidate in self._candidates:
            if candidate.on_device and self._loss.why:
                # To open it may hang; or it works, and fails again with pictures in hand.
                ballot.leave_out(candidate, f"the graphics card was given up: {self._loss.why}")
            else:
                ballot.admit(candidate)
        return ballot

    def _may_stand(self, candidate: Candidate) -> bool:
        if self._precision not in {AUTO, candidate.precision}:
            return False
        if self._provider == AUTO:
            return not candidate.only_when_asked
        return candidate.provider == self._provider

    def _spare(self, model: ModelFile) -> Backend:
        """Open what goes on when a card is lost, and run it once, while there is time."""
        spare = OnnxRuntimeCpu(model, self._beside_card)
        spare.run(specimens.drawn(specimens.size_for(spare))[0])
        return spare

    def _announce(
        self, model: ModelFile, chosen: Standing | None, standings: Sequence[Standing]
    ) -> None:
        _log.info(
            "a backend was chosen" if chosen else "no backend can serve",
            model=f"{model.path.parent.parent.name}/{model.path.parent.name}",
            chosen=chosen and str(chosen.candidate),
            layout=str(self._layout),
            candidates={str(each.candidate): str(each) for each in standings},
        )

    def _why_nobody(self, standings: Sequence[Standing]) -> str:
        faults = "; ".join(f"{each.candidate}: {each.fault}" for each in standings)
        return (
            f"the execution provider {self._provider} in the precision {self._precision} cannot "
            f"serve here ({faults or 'there is no such pair'}); set the provider to auto"
        )
