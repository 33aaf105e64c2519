"""How well the models did that made an answer: asked seldom, so that nobody waits for it."""

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping

from services import telemetry
from services.gateway import errors
from services.gateway.clients import Evaluation, Inference
from services.gateway.deadlines import Deadline
from services.gateway.findings import ModelVersion

_FRESH_S = 600.0
_PATIENCE_S = 1.0
_PAUSE_S = 30.0
_MOST = 64

_log = telemetry.logger(__name__)


class Evaluations:
    """The evaluations of models that answer or have answered since this process began.

    Figures belong to a published file, so its hash names them, also when other models answer by
    now. They may be corrected: what was told last counts. Figures without intervals replace others
    with intervals only if they are told two times in a row, for an older replica may not know
    better. Inference is asked every ten minutes at most, and every half a minute for a model that
    it did not name yet; while it is down, what is known stays.
    """

    def __init__(self, inference: Inference) -> None:
        """Build over the service that knows them."""
        self._inference = inference
        self._known: dict[str, Evaluation] = {}
        # What was told once, without intervals, of models whose intervals are known.
        self._doubted: dict[str, Evaluation] = {}
        self._asking = asyncio.Lock()
        self._asked = -float("inf")

    async def of(self, models: Iterable[ModelVersion]) -> dict[str, Evaluation]:
        """Return what is known of some models, by the SHA-256 of the file that ran.

        It never fails: a model of which nothing is known is left out.
        """
        published = {model.sha256: model.variant_of or model.sha256 for model in models}
        async with self._asking:
            if self._is_due(published.values()):
                await self._ask()
        return {ran: self._known[name] for ran, name in published.items() if name in self._known}

    def _is_due(self, wanted: Collection[str]) -> bool:
        if not wanted:
            return False
        age_s = time.monotonic() - self._asked
        return age_s > _FRESH_S or (age_s > _PAUSE_S and not self._known.keys() >= set(wanted))

    async def _ask(self) -> None:
        try:
            answering = await self._inference.models(Deadline.after(_PATIENCE_S))
        except errors.GatewayError as error:
            _log.info("no evaluations", cause=type(error).__name__)
            answering = []
        self._asked = time.monotonic()
        # Variants of one file have its figures, and count as told once.
        told = {
            model.variant_of or model.sha256: model.evaluation
            for model in answering
            if model.evaluation.evaluated_on and model.evaluation.metrics
        }
        for name, evaluation in told.items():
            self._take_up(name, evaluation)
        for oldest in [*self._known][:-_MOST]:
            del self._known[oldest]
            self._doubted.pop(oldest, None)

    def _take_up(self, name: str, told: Evaluation) -> None:
        """Know what was told, unless a replica may have said it that knows of no intervals yet."""
        known, doubted = self._known.pop(name, None), self._doubted.pop(name, None)
        if known is None or told.intervals or not known.intervals:
            self._known[name] = told
            return
        same = _figures(told) == _figures(known)
        # Told once, it may be by an older replica.
        confirmed = doubted is not None and _figures(told) == _figures(doubted)
        self._known[name] = told if confirmed else known
        if not same and not confirmed:
            self._doubted[name] = told


def _figures(of: Evaluation) -> tuple[str, Mapping[str, float]]:
    return of.evaluated_on, of.metrics
