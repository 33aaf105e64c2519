"""A model behind its batcher, in threads of their own."""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import Executor

from services.inference.batcher import Answer, Batcher, Runners
from services.inference.imaging import Pixels
from services.inference.metrics import Metrics
from services.inference.onnx_model import OnnxModel, Outputs


class Stage:
    """Takes one tensor at a time and runs them in batches."""

    def __init__(
        self,
        model: OnnxModel,
        runners: Runners,
        threads: Executor,
        metrics: Metrics,
        *,
        max_batch_size: int,
    ) -> None:
        """Build a stage that is not running yet.

        Args:
            model: what runs.
            runners: permits to run, shared by the stages that share the hardware.
            threads: where the runtime is called; as many threads as runners.
            metrics: what is observed.
            max_batch_size: most tensors in a batch.

        """
        self.model = model
        self._name = model.provenance.name
        self._threads = threads
        self._metrics = metrics
        self._batcher: Batcher[Pixels, Outputs] = Batcher(
            self._run, runners, max_batch_size=max_batch_size
        )
        metrics.queue_size.labels(self._name).set_function(lambda: self._batcher.queue_size)

    def start(self) -> None:
        """Begin to run what is submitted, on the running event loop."""
        self._batcher.start()

    async def submit(self, tensor: Pixels) -> Answer[Outputs]:
        """Wait for a tensor's turn and return its outputs; errors as ``Batcher.submit``."""
        answer = await self._batcher.submit(tensor)
        self._metrics.queue_seconds.labels(self._name).observe(answer.queue_s)
        return answer

    async def close(self) -> None:
        """Run what waits, then stop."""
        await self._batcher.close()

    async def _run(self, tensors: Sequence[Pixels]) -> Sequence[Outputs]:
        began = time.perf_counter()
        loop = asyncio.get_running_loop()
        outputs = await loop.run_in_executor(self._threads, self.model.run, tensors)
        self._metrics.run_seconds.labels(self._name).observe(time.perf_counter() - began)
        self._metrics.batch_size.labels(self._name).observe(len(tensors))
        return outputs
