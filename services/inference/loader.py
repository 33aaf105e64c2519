"""The way of a version from its folder to its first caller: verify, open, check, warm."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from services.inference import model_file, repository
from services.inference.backends.backend import Backend
from services.inference.contract import try_out
from services.inference.metrics import Metrics
from services.inference.model_file import ModelFile
from services.inference.onnx_model import OnnxModel
from services.inference.repository import Sight
from services.inference.stage import ModelStage
from services.inference.version import Contract, Version

StageOf = Callable[[OnnxModel], ModelStage]
"""Puts a model behind its batcher."""

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Loader(Generic[Contract]):
    """Loads versions of one model.

    Attributes:
        name: of the model.
        contract_of: reads a model's promises; raises ``ModelError``.
        model_dir: holds ``<name>/<version>/model.onnx``.
        elect: chooses what runs a model.
        threads: where loading is done, so that it takes no thread from those who serve.
        metrics: where it is counted what a version answers.

    """

    name: str
    contract_of: Callable[[OnnxModel], Contract]
    model_dir: Path
    elect: Callable[[ModelFile], Backend]
    threads: Executor
    metrics: Metrics

    async def look(self) -> Sight:
        """Return what is to be seen of the model in its folder now.

        Raises:
            ModelError: there is no version, or its labels cannot be used.

        """
        return await self._in_thread(lambda: repository.look(self.model_dir, self.name))

    async def load(self, number: int, stage_of: StageOf) -> Version[Contract]:
        """Make a version ready to answer.

        Raises:
            ModelError: it is missing, is not the published file, breaks its contract or fails.

        """
        return await self.warmed(await self.open(number), stage_of)

    async def open(self, number: int) -> OnnxModel:
        """Verify and open a version.

        Raises:
            ModelError: it is missing, or is not the published file.

        """
        folder = self.model_dir / self.name / str(number)
        return await self._in_thread(lambda: OnnxModel.load(folder, self.name, elect=self.elect))

    async def check(self, version: Version[Contract]) -> None:
        """See that a version that was loaded still lies in its folder.

        Raises:
            ModelError: it does not, or has become another one.

        """
        loaded = version.stage.model.provenance
        path = self.model_dir / self.name / loaded.version / "model.onnx"
        sha256 = loaded.variant_of or loaded.sha256
        await self._in_thread(lambda: model_file.refuse_another(path, sha256))

    async def open_stable(self) -> OnnxModel:
        """Verify and open the stable version.

        Raises:
            ModelError: there is none, it is not the published file, or the labels are unusable.

        """
        labels = (await self.look()).labels
        return await self.open(labels.stable)

    async def warmed(self, model: OnnxModel, stage_of: StageOf) -> Version[Contract]:
        """Hold a model to its contract, in word and in deed, and warm it.

        Raises:
            ModelError: it breaks its contract, or fails on a blank picture.

        """
        contract = self.contract_of(model)
        stage = stage_of(model)

        def warm_up() -> None:
            try_out(model, contract)
            stage.warm_up()

        try:
            await self._in_thread(warm_up)
        except BaseException:
            await stage.close()
            raise
        return Version(stage, contract, self.metrics)

    async def _in_thread(self, work: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self.threads, work)
