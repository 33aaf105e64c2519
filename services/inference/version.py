"""A loaded and warmed version of a model, and the requests that are using it."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, Self, TypeVar

from services.inference.batch import Answer, BatchError, Lone
from services.inference.contract import ClassifierContract, SegmenterContract
from services.inference.imaging import Pixels
from services.inference.metrics import Metrics
from services.inference.onnx_model import ModelOutputs
from services.inference.priority import Urgency
from services.inference.stage import ModelStage

Contract = TypeVar("Contract", bound=SegmenterContract | ClassifierContract)


class Version(Generic[Contract]):
    """A version that may answer.

    Attributes:
        stage: runs it.
        contract: what it promises.
        number: its folder's name.

    """

    def __init__(self, stage: ModelStage, contract: Contract, metrics: Metrics) -> None:
        """Begin with nobody using it."""
        self.stage = stage
        self.contract = contract
        self.number = int(stage.model.provenance.version)
        named = (stage.model.provenance.name, stage.model.provenance.version)
        self._answered = metrics.model_pictures.labels(*named, "answered")
        self._failed = metrics.model_pictures.labels(*named, "failed")
        self._leases = 0
        self._unused = asyncio.Event()
        self._unused.set()

    @contextmanager
    def lease(self) -> Iterator[Self]:
        """Keep the version open while a request needs it."""
        self._leases += 1
        self._unused.clear()
        try:
            yield self
        finally:
            self._leases -= 1
            if not self._leases:
                self._unused.set()

    async def answer(self, tensor: Pixels, urgency: Urgency) -> Answer[ModelOutputs]:
        """Run the model on one picture and count what came of it; raises as ``submit`` does."""
        (answer,) = await self.answer_all([tensor], urgency)
        return answer

    async def answer_all(
        self, tensors: Sequence[Pixels], urgency: Urgency
    ) -> list[Answer[ModelOutputs]]:
        """Do as ``answer`` for the pictures of one request: all are answered, or none."""
        try:
            answers = await self.stage.submit_all(tensors, urgency)
        except BatchError:
            self._failed.inc(len(tensors))
            raise
        self._answered.inc(len(tensors))
        return answers

    def work(self, tensors: Sequence[Pixels]) -> Sequence[ModelOutputs | None]:
        """Run the model in this thread; what comes of it is to be noted.

        Raises:
            ModelRunError: the runtime failed.

        """
        return self.stage.work(tensors)

    def note(self, lone: Lone[Pixels, ModelOutputs]) -> None:
        """Count a picture that the model was run on in another line; see ``Stage.note``."""
        (self._failed if lone.output is None else self._answered).inc()
        self.stage.note(lone)

    async def retire(self) -> None:
        """Close the version when the last request that began with it has ended.

        Nobody may be given a new lease from here on.
        """
        await self._unused.wait()
        await self.stage.close()
