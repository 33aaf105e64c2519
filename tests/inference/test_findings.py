import io

import numpy as np
import pytest
from PIL import Image

from services.inference import findings, imaging
from services.inference.analysis import LABELS, Findings, Wanted
from services.inference.contract import ClassifierContract
from tests import specimens

VIEW = imaging.view(specimens.lesion_jpeg(), frozenset({64}))
MASK = np.zeros((64, 64, 1), np.float32)
MASK[20:40, 20:40] = 1


def classified(novelty: float = 0, **probabilities: float) -> dict[str, np.ndarray]:
    vector = np.array([probabilities.get(label, 0) for label in LABELS], np.float32)
    activation = np.zeros((4, 4, 7), np.float32)
    activation[0, 0, LABELS.index("mel")] = 2
    activation[3, 3, LABELS.index("nv")] = 2
    return {
        "probabilities": vector,
        "explanation": activation,
        "novelty": np.array(novelty, np.float32),
    }


def conclude(outputs: dict[str, np.ndarray], novelty: float | None = None) -> Findings:
    contract = ClassifierContract(64, suspicious_threshold=0.3, novelty_threshold=novelty)
    outlined = findings.outline(VIEW, {"mask": MASK}, Wanted())
    return findings.conclude(VIEW, outlined, outputs, contract, Wanted())


@pytest.mark.parametrize(("share", "verdict"), [(0.29, [False]), (0.31, [True])])
def test_suspicious_begins_at_the_models_operating_point(share: float, verdict: list[bool]) -> None:
    found = conclude(classified(mel=share, nv=1 - share)).classification
    assert found is not None
    assert found.malignant_probability == pytest.approx(share)
    assert [found.suspicious] == verdict


def test_the_explanation_is_that_of_the_predicted_label() -> None:
    found = conclude(classified(mel=0.9, nv=0.1)).classification
    assert found is not None
    drawn = np.asarray(Image.open(io.BytesIO(found.explanation_png)))
    assert drawn.shape == (192, 256)
    assert drawn[8, 8] == 255
    assert drawn[184, 248] == 0


def test_probabilities_sum_to_one_to_the_last_digit() -> None:
    found = conclude(classified(mel=0.3333333, nv=0.3333333, bkl=0.3333333)).classification
    assert found is not None
    assert sum(found.probabilities.values()) == pytest.approx(1, abs=1e-15)


def test_a_picture_unlike_those_of_training_is_not_classified() -> None:
    found = conclude(classified(novelty=8, nv=1), novelty=7.5)
    assert found.reasons == ("not_dermoscopy",)
    assert found.classification is None
    assert found.lesion is not None
