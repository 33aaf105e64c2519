"""ONNX Runtime, as the workshop uses it: on the processor, pictures in, outputs by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort


def session(model: onnx.ModelProto | Path, threads: int = 1) -> ort.InferenceSession:
    """Open a graph, in memory or on disk, with ONNX Runtime on the processor."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    source = str(model) if isinstance(model, Path) else model.SerializeToString()
    return ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def answers(
    runtime: ort.InferenceSession, images: np.ndarray, batch: int = 8
) -> dict[str, np.ndarray]:
    """Run uint8 pictures through a session; return every output by name."""
    names = [output.name for output in runtime.get_outputs()]
    chunks = [
        runtime.run(names, {"image": images[start : start + batch]})
        for start in range(0, len(images), batch)
    ]
    return {
        name: np.concatenate(parts)
        for name, parts in zip(names, zip(*chunks, strict=True), strict=True)
    }
