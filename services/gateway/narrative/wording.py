"""What a language needs so that summaries can be written, asked for and checked in it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.gateway.narrative.facts import Label, Reason, Subject


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of one language.

    Attributes:
        language: its code (ISO 639-1).
        decimal_sign: of its figures.
        names: of the labels.
        reasons: why a picture was not assessed, to follow ``and`` in a list.
        and_: joins the last two of a list.
        prediction: the template's first sentence.
        flagged: what is said of a suspicious picture, word for word.
        unflagged: what is said of another one; it holds ``flagged``.
        above: the template's sentence of the former.
        below: the template's sentence of the latter.
        measures: the template's last sentence.
        unassessed: what is said of a picture without a prediction, word for word.
        because: the template's sentence of it.
        without: may be said of a picture without a prediction, word for word.
        causes: may be said of one that was not assessed for that reason, word for word.
        phrases: may be said of a prediction, word for word.
        scale: of measures that are no percentages, word for word.
        subjects: what figures are of, as a text names it; the label has its name.
        says_above: finds words that only suit a suspicious picture.
        says_below: finds words that only suit another one.
        words: the others that a summary may have.
        prompt: what the machine is told to do; the names of the labels follow.
        by_machine: marks a text that a machine wrote; names its model.
        by_template: marks a text that the template made.

    """

    language: str
    decimal_sign: str
    names: Mapping[Label, str]
    reasons: Mapping[Reason, str]
    and_: str
    prediction: str
    flagged: str
    unflagged: str
    above: str
    below: str
    measures: str
    unassessed: str
    because: str
    without: str
    causes: Mapping[Reason, str]
    phrases: tuple[str, ...]
    scale: str
    subjects: Mapping[Subject, str]
    says_above: re.Pattern[str]
    says_below: re.Pattern[str]
    words: frozenset[str]
    prompt: str
    by_machine: str
    by_template: str

    @property
    def instructions(self) -> str:
        """What the machine is told before it is given facts."""
        names = ", ".join(f"{label} is {name}" for label, name in self.names.items())
        causes = ", ".join(f"{reason} is '{cause}'" for reason, cause in self.causes.items())
        words = " ".join(sorted(self.words))
        return f"{self.prompt} Names: {names}. Reasons: {causes}. Other words: {words}."

    def figure(self, value: float) -> str:
        """Return a figure as this language writes it."""
        return f"{value:.4f}".rstrip("0").rstrip(".").replace(".", self.decimal_sign)


def finding(parts: str, words: str = "") -> re.Pattern[str]:
    """Return what finds any of some parts of words, or of some whole words.

    Args:
        parts: separated by white space; found wherever they are in a word.
        words: separated by white space; found where they stand alone.

    """
    return re.compile(rf"{_any(parts.split())}|\b{_any(words.split())}\b")


def listed(words: str) -> frozenset[str]:
    """Return words that are separated by white space."""
    return frozenset(words.split())


def _any(texts: Iterable[str]) -> str:
    return f"(?:{'|'.join(map(re.escape, texts)) or '(?!)'})"
