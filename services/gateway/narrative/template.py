"""The summary that needs no machine: fixed sentences, filled in."""

from services.gateway.narrative.facts import Facts, Measures, Prediction
from services.gateway.narrative.wording import Wording


def fill(facts: Facts, wording: Wording) -> str:
    """Return the findings in the sentences of a language."""
    if facts.prediction is None:
        return _unassessed(facts, wording)
    sentences = _predicted(facts.prediction, wording)
    if facts.measures is not None:
        sentences.append(_measured(facts.measures, wording))
    return " ".join(sentences)


def _unassessed(facts: Facts, wording: Wording) -> str:
    reasons = [wording.reasons[reason] for reason in facts.reasons]
    if not reasons:
        return wording.because.replace(": {reasons}", "")
    listed = wording.and_.join(filter(None, [", ".join(reasons[:-1]), reasons[-1]]))
    return wording.because.format(reasons=listed)


def _predicted(found: Prediction, wording: Wording) -> list[str]:
    figure = wording.figure
    flag = wording.above if found.suspicious else wording.below
    return [
        wording.prediction.format(
            name=wording.names[found.label],
            label=found.label,
            probability=figure(found.probability),
        ),
        flag.format(
            malignant=figure(found.malignant_probability),
            threshold=figure(found.suspicious_threshold),
        ),
    ]


def _measured(found: Measures, wording: Wording) -> str:
    figure = wording.figure
    return wording.measures.format(
        area=figure(found.area),
        asymmetry=figure(found.asymmetry),
        border=figure(found.border_irregularity),
        color=figure(found.color_variegation),
    )
