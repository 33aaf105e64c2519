"""One model file, opened with ONNX Runtime, that can be asked about many pictures."""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import onnx
import onnxruntime as ort

from weights import graph, runtime
from weights.evaluation.progress import watched

if TYPE_CHECKING:
    from pathlib import Path

    from weights.evaluation.sample import Json

_BATCH = 8
_AT_ONCE = 2
"""Batches in work side by side, on one thread each, as in the product."""


class Model:
    """A model file and the words in its metadata."""

    def __init__(self, path: Path) -> None:
        """Look at the ONNX file ``path``."""
        self.path = path
        self.words = graph.words_of(onnx.load(path))

    @property
    def size(self) -> int:
        """Height and width of its input, in pixels."""
        return int(self.words["input_size"])

    @property
    def file(self) -> Json:
        """Name, length and SHA-256 of the file as it lies there now."""
        content = self.path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        return {"name": self.path.name, "bytes": len(content), "sha256": digest}

    @cached_property
    def _session(self) -> ort.InferenceSession:
        return runtime.session(self.path, threads=1)

    def answers(self, images: np.ndarray, title: str = "") -> dict[str, np.ndarray]:
        """Run uint8 pictures (N, S, S, 3); return every output by name, in their order.

        With a ``title``, a person at a terminal sees how far it is.
        """
        session, starts = self._session, range(0, len(images), _BATCH)

        def run(start: int) -> dict[str, np.ndarray]:
            return runtime.answers(session, images[start : start + _BATCH], _BATCH)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            done = pool.map(run, starts)
            parts = list(watched(done, title, len(starts)) if title else done)
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def speed(self, runs: int = 100) -> Json:
        """Time single pictures on one thread, in milliseconds."""
        session = runtime.session(self.path, threads=1)
        image = np.random.default_rng(7).integers(0, 256, (1, self.size, self.size, 3), np.uint8)
        times = []
        for _ in range(runs + 10):
            started = time.perf_counter()
            session.run(None, {"image": image})
            times.append(1000 * (time.perf_counter() - started))
        return {
            "runs": runs,
            "threads": 1,
            "batch": 1,
            "median_ms": round(float(np.median(times[10:])), 2),
            "best_ms": round(min(times[10:]), 2),
        }
