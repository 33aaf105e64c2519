"""How well a model did: ``evaluation.json`` beside its file, as the workshop wrote it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, FiniteFloat

from services import telemetry
from services.inference import regular_file
from services.inference.classifier_evaluation import ClassifierEvaluation
from services.inference.estimate import FROZEN, Interval, estimate

FILE = "evaluation.json"

_log = telemetry.logger(__name__)

Metrics = Mapping[str, FiniteFloat]


class Evaluation(BaseModel):
    """What was measured about one published file.

    Attributes:
        sha256: of the file.
        split: the pictures that it was measured on.
        metrics: the headline figures, by name; the same that the file has in its metadata.
        intervals: of those figures that have one, by the same names.
        classifier: what else was measured about it, if it is one.

    """

    model_config = FROZEN

    sha256: str
    split: Annotated[str, Field(min_length=1)]
    metrics: Metrics
    intervals: Mapping[str, Interval]
    classifier: ClassifierEvaluation | None

    @classmethod
    def of(cls, written: Mapping[str, Any]) -> Self:
        """Take what is served from all that was written.

        Raises:
            KeyError, TypeError, AttributeError: something is missing, or is something else.
            ValidationError: something is no figure.

        """
        headline, report = written["headline"], written["results"]["report_fold"]
        metrics = {name: value for name, value in headline.items() if name != "split"}
        found = {name: _measured(report, name) for name in metrics}
        return cls.model_validate(
            {
                "sha256": written["file"]["sha256"],
                "split": headline["split"],
                "metrics": metrics,
                "intervals": {name: figure for name, figure in found.items() if figure},
                "classifier": report if "reliability" in report else None,
            }
        )


def read(folder: Path, sha256: str) -> Evaluation | None:
    """Read the evaluation in a version's folder; None where there is none of this very file.

    A model serves as well without: what cannot be used is logged and left out.

    Args:
        folder: of the version.
        sha256: of the published model in it.

    """
    path = folder / FILE
    try:
        found = Evaluation.of(json.loads(regular_file.read(path)))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        why = f"it cannot be used: {type(error).__name__}"
    else:
        if found.sha256 == sha256:
            return found
        why = "it is about another file"
    _log.warning("evaluation left out", file=str(path), why=why)
    return None


def _measured(report: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """Return a headline figure with its ends: ``suspicious_auc`` is ``auc`` of ``suspicious``."""
    group, _, within = name.partition("_")
    inside = report.get(group)
    found = inside.get(within) if isinstance(inside, Mapping) else None
    return estimate(report.get(name) or found or {})
