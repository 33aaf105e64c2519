"""From the outputs of both models to what is said about the picture. Pure functions."""

from dataclasses import dataclass

import numpy as np

from services.inference import explanation, lesion
from services.inference.analysis import LABELS, MALIGNANT, Classification, Findings, Wanted
from services.inference.contract import ClassifierContract
from services.inference.imaging import View
from services.inference.lesion import Lesion
from services.inference.onnx_model import Outputs


@dataclass(frozen=True, slots=True)
class Outlined:
    """What the segmenter's output says.

    Attributes:
        lesion: None when there is none worth the name.
        mask_png: see ``lesion.mask_png``; empty when not wanted or there is no lesion.

    """

    lesion: Lesion | None
    mask_png: bytes


def outline(view: View, segmented: Outputs, wanted: Wanted) -> Outlined:
    """Find, measure and draw the lesion.

    Args:
        view: the picture that the segmenter saw.
        segmented: ``mask``, float32, S x S x 1, 0..1.
        wanted: which pictures to draw.

    """
    size = (view.width, view.height)
    mask = segmented["mask"][..., 0]
    found = lesion.find(mask, view.tensors[len(mask)], size)
    return Outlined(found, lesion.mask_png(found, size) if found and wanted.mask else b"")


def conclude(
    view: View,
    outlined: Outlined,
    classified: Outputs,
    contract: ClassifierContract,
    wanted: Wanted,
) -> Findings:
    """Put together what both models found.

    Args:
        view: the picture that they saw.
        outlined: what came of the segmenter's output.
        classified: ``probabilities`` (7), ``explanation`` (h x w x 7), perhaps ``novelty``.
        contract: the classifier's promises.
        wanted: which pictures to draw.

    """
    reasons = _reasons(outlined.lesion, classified, contract)
    size = (view.width, view.height)
    classification = None if reasons else _classify(classified, contract, size, wanted)
    return Findings(reasons, outlined.lesion, outlined.mask_png, classification)


def _reasons(
    found: Lesion | None, classified: Outputs, contract: ClassifierContract
) -> tuple[str, ...]:
    novel = (
        contract.novelty_threshold is not None
        and float(classified["novelty"]) > contract.novelty_threshold
    )
    checks = (("not_dermoscopy", novel), ("no_lesion", found is None))
    return tuple(reason for reason, holds in checks if holds)


def _classify(
    classified: Outputs, contract: ClassifierContract, size: tuple[int, int], wanted: Wanted
) -> Classification:
    # float32 leaves the graph with a sum of 1 within 1e-7; in float64 it is 1 to the last digit.
    raw = classified["probabilities"].astype(np.float64)
    probabilities = dict(zip(LABELS, (raw / raw.sum()).tolist(), strict=True))
    label = max(LABELS, key=probabilities.__getitem__)
    malignant = sum(probabilities[code] for code in MALIGNANT)
    activation = classified["explanation"][..., LABELS.index(label)]
    return Classification(
        label=label,
        probabilities=probabilities,
        malignant_probability=malignant,
        suspicious=malignant >= contract.suspicious_threshold,
        suspicious_threshold=contract.suspicious_threshold,
        explanation_png=explanation.drawn(activation, size) if wanted.explanation else b"",
    )
