"""How well the models did that made an answer: asked seldom, so that nobody waits for it."""

import asyncio
import time
from collections.abc import Collection, Iterable

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

    Figures belong to a published file, so its hash names them for good, also when other models
    answer by now. Inference is asked every ten minutes at most, and every half a minute for a
    model that it did not name yet; while it is down, what is known stays.
    """

    def __init__(self, inference: Inference) -> None:
        """Build over the service that knows them."""
        self._inference = inference
        self._known: dict[str, Evaluation] = {}
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
        for model in answering:
            if model.evaluation.evaluated_on and model.evaluation.metrics:
                name = model.variant_of or model.sha256
                before = self._known.pop(name, None)
                self._known[name] = _fuller(before, model.evaluation)
        for oldest in [*self._known][:-_MOST]:
            del self._known[oldest]


def _fuller(known: Evaluation | None, told: Evaluation) -> Evaluation:
    """Return what was told, unless the same by a replica that knows of no intervals yet."""
    if known is None or told.intervals or not known.intervals:
        return told
    same = (known.evaluated_on, known.metrics) == (told.evaluated_on, told.metrics)
    return known if same else told
