"""What every peer does with one picture: dermserve's own pure functions, none of its serving."""

import base64
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import onnxruntime as ort

from services.inference import findings, imaging, quality
from services.inference.analysis import Wanted
from services.inference.contract import ClassifierContract

MODELS = Path(__file__).resolve().parents[3] / "weights" / "models"
CORES = len(os.sched_getaffinity(0))

TUNED = os.environ.get("PEER_SETUP") == "tuned"
PORT = int(os.environ.get("PEER_PORT", "0"))

QUEUE = 36
"""Tuned peers that can bound what they take in do so here: somewhat less than a second of work."""

PATIENCE_S = 2
"""Tuned peers that can give up do so after this; their callers do after a second."""

Outputs = Mapping[str, np.ndarray]
Answer = dict[str, Any]


class Model(Protocol):
    """What turns tensors into outputs."""

    metadata: Mapping[str, str]

    def run(self, tensors: Sequence[np.ndarray]) -> list[Outputs]:
        """Return the outputs of each tensor by name."""
        ...


class OnnxModel:
    """A session as the quick starts open it, or with one thread."""

    def __init__(self, name: str, *, one_thread: bool) -> None:
        """Open the newest version of a model."""
        options = ort.SessionOptions()
        if one_thread:
            options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = ort.InferenceSession(
            newest(name) / "model.onnx", options, providers=["CPUExecutionProvider"]
        )
        self._names = [output.name for output in self._session.get_outputs()]
        self.metadata: Mapping[str, str] = self._session.get_modelmeta().custom_metadata_map

    def run(self, tensors: Sequence[np.ndarray]) -> list[Outputs]:
        """Return the outputs of each tensor by name."""
        results = self._session.run(None, {"image": np.stack(tensors)})
        return [dict(zip(self._names, row, strict=True)) for row in zip(*results, strict=True)]


class Analyst:
    """Decodes, runs both models one after the other, measures and draws."""

    def __init__(self, segmenter: Model, classifier: Model) -> None:
        """Read from the models what they promise."""
        self._segmenter, self._classifier = segmenter, classifier
        self._segments_at = json.loads(segmenter.metadata["input_size"])
        self._classifies_at = json.loads(classifier.metadata["input_size"])
        self._contract = ClassifierContract(
            input_size=self._classifies_at,
            suspicious_threshold=json.loads(classifier.metadata["suspicious_threshold"]),
            novelty_threshold=json.loads(classifier.metadata["novelty_threshold"]),
        )

    @classmethod
    def of_onnx(cls, *, tuned: bool = TUNED) -> "Analyst":
        """Open both files: tuned, a run takes one core and runs go side by side."""
        if tuned:
            cv2.setNumThreads(1)
        return cls(*(OnnxModel(name, one_thread=tuned) for name in ("segmenter", "classifier")))

    def analyze(self, encoded: bytes) -> Answer:
        """Return the whole answer about one JPEG file."""
        return self.analyze_all([encoded])[0]

    def analyze_all(self, pictures: Sequence[bytes]) -> list[Answer]:
        """Return the answers to a batch, that each model runs at once."""
        sizes = frozenset({self._segments_at, self._classifies_at})
        views = [imaging.view(encoded, sizes) for encoded in pictures]
        segmented = self._segmenter.run([view.tensors[self._segments_at] for view in views])
        classified = self._classifier.run([view.tensors[self._classifies_at] for view in views])
        return [self._answer(*row) for row in zip(views, segmented, classified, strict=True)]

    def _answer(self, view: imaging.View, segmented: Outputs, classified: Outputs) -> Answer:
        measured = quality.measure(view.kept, min(view.width, view.height))
        outlined = findings.outline(view, segmented, Wanted())
        found = findings.conclude(view, outlined, classified, self._contract, Wanted())
        answer: Answer = {"reasons": [*measured.reasons, *found.reasons]}
        if found.lesion:
            answer["segmentation"] = {
                "mask_png": base64.b64encode(found.mask_png).decode(),
                "bounding_box": found.lesion.bounding_box,
                "area_fraction": found.lesion.area_fraction,
                "asymmetry": found.lesion.asymmetry,
                "border_irregularity": found.lesion.border_irregularity,
                "color_variegation": found.lesion.color_variegation,
                "outline": found.lesion.outline.tolist(),
            }
        if found.classification:
            answer["classification"] = {
                "label": found.classification.label,
                "probabilities": found.classification.probabilities,
                "malignant_probability": found.classification.malignant_probability,
                "suspicious": found.classification.suspicious,
                "explanation_png": base64.b64encode(found.classification.explanation_png).decode(),
            }
        return answer


def newest(name: str) -> Path:
    """Return the folder of a model's highest version."""
    return max((MODELS / name).glob("[0-9]*"), key=lambda path: int(path.name))
