"""The figures of a text, each with what it is of."""

import re
from collections.abc import Iterator

from services.gateway.narrative.facts import Facts, Subject
from services.gateway.narrative.wording import Wording

SENTENCE_END = re.compile(r"\.(?= |$)")
_FIGURE = r"(?P<figure>\d+(?:[.,]\d+)?)(?P<sign> ?%)?"


def named(
    lower: str, facts: Facts, wording: Wording
) -> Iterator[tuple[Subject | None, str | None]]:
    """Yield what a text names, each with the figure that comes next in its sentence, if one does.

    A figure that comes after another one, or after nothing, is of nothing.
    """
    subjects = dict(wording.subjects)
    if facts.prediction is not None:
        subjects["label"] = re.escape(wording.names[facts.prediction.label].lower())
    groups = "|".join(f"(?P<{subject}>{text})" for subject, text in subjects.items())
    for sentence in SENTENCE_END.split(lower.replace(wording.scale, " ")):
        last: Subject | None = None
        for found in re.finditer(f"{groups}|{_FIGURE}", sentence):
            if found["figure"] is not None:
                yield last, _shortest(found["figure"], wording) + ("%" if found["sign"] else "")
                last = None
                continue
            if last is not None:
                yield last, None
            last = next(subject for subject in subjects if found[subject] is not None)
        if last is not None:
            yield last, None


def known(facts: Facts, wording: Wording) -> dict[Subject | None, str]:
    """Return every figure that may be told, as ``named`` has it, by what it is of."""
    return {
        **{subject: f"{wording.figure(value)}%" for subject, value in facts.percentages.items()},
        **{subject: wording.figure(value) for subject, value in facts.shares.items()},
    }


def _shortest(figure: str, wording: Wording) -> str:
    """Return a figure without zeros at its end; one with a foreign sign stays unknown."""
    if wording.decimal_sign not in figure:
        return figure
    return figure.rstrip("0").rstrip(wording.decimal_sign)
