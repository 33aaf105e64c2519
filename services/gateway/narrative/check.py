"""What a machine's text must be like to be shown; ``docs/narrative.md`` has the rules in words.

No rule understands a text. So they are narrow: each figure is that of what is named before it, what
matters is said word for word, and every other word is one of a closed list.
"""

import re
from collections.abc import Iterator
from enum import StrEnum

from services.gateway.narrative import figures
from services.gateway.narrative.facts import Facts
from services.gateway.narrative.wording import Wording, finding

LEAST_CHARACTERS = 40
MOST_CHARACTERS = 700
_MOST_SENTENCES = 6

# One sign at a time, so that it takes as long as the text is long. No sign may stand where it could
# be part of an address or of markup, and no digit beside a letter.
_PLAIN = re.compile(
    r"(?:[A-Za-zÄÖÜäöüß](?![0-9])|[0-9](?![A-Za-zÄÖÜäöüß])|[.,](?= |$)|(?<=[0-9])[.,](?=[0-9])"
    r"|[;:](?= )| (?! )|(?<=\w)-(?=[A-Za-z])|(?<= )[/\u2013](?= )|(?<= )\((?=\w)|(?<=\w)\)"
    r"|(?:(?<=[0-9])|(?<=[0-9] ))%(?!\w))*"
)
_LONG = re.compile(r"\w{31}")
_WORD = re.compile(r"[^\W\d_]+")
_CLASSES = finding(
    "melano basal carcin karzin keratos fibrom angiom vascul vaskul lentig seborr nävus naevus "
    "nevus nevi muttermal leberfleck bowen actinic aktinisch",
    "akiec bcc bkl df mel nv vasc mole moles",
)


class Fault(StrEnum):
    """Why a text is not shown."""

    FORM = "form"
    FIGURES = "figures"
    LABEL = "label"
    FLAG = "flag"
    WORDS = "words"


def fault(text: str, facts: Facts, wording: Wording) -> Fault | None:
    """Return what is wrong with a machine's text, None if it may be shown.

    Args:
        text: one paragraph.
        facts: that it was written from.
        wording: of the language that it was asked for in.

    """
    if not _is_plain(text):
        return Fault.FORM
    lower = text.lower()
    if not _states_the_outcome(lower, facts, wording):
        return Fault.FLAG
    rest, names_it = _without_what_is_known(lower, facts, wording)
    if not names_it or _CLASSES.search(rest):
        return Fault.LABEL
    named, known = [*figures.named(lower, facts, wording)], figures.known(facts, wording)
    if any(figure not in (None, known.get(subject)) for subject, figure in named):
        return Fault.FIGURES
    if not wording.words.issuperset(_WORD.findall(rest)):
        return Fault.WORDS
    return Fault.LABEL if ("label", None) in named else None


def _is_plain(text: str) -> bool:
    return (
        LEAST_CHARACTERS <= len(text) <= MOST_CHARACTERS
        and text.endswith(".")
        and len(figures.SENTENCE_END.findall(text)) <= _MOST_SENTENCES
        and _PLAIN.fullmatch(text) is not None
        and _LONG.search(text) is None
    )


def _states_the_outcome(lower: str, facts: Facts, wording: Wording) -> bool:
    """Say whether a text says what became of the picture, and not the opposite anywhere."""
    unflagged = wording.unflagged in lower
    flagged = wording.flagged in lower.replace(wording.unflagged, "")
    unassessed = wording.unassessed in lower
    if facts.prediction is None:
        return unassessed and not (flagged or unflagged)
    suspicious = facts.prediction.suspicious
    opposite = wording.says_below if suspicious else wording.says_above
    return (flagged, unflagged, unassessed) == (suspicious, not suspicious, False) and (
        opposite.search(lower) is None
    )


def _phrases(facts: Facts, wording: Wording) -> Iterator[str]:
    """Yield what may be said word for word, the longer before what it holds."""
    if facts.prediction is not None:
        yield from (wording.unflagged, wording.flagged, *wording.phrases, wording.scale)
    else:
        yield from (wording.unassessed, wording.without)
        yield from (wording.causes[reason].lower() for reason in facts.reasons)


def _without_what_is_known(lower: str, facts: Facts, wording: Wording) -> tuple[str, bool]:
    """Return a text without what it may or must say, and whether it names the class it must."""
    for said in _phrases(facts, wording):
        lower = lower.replace(said, " ")
    if facts.prediction is None:
        return lower, True
    label = facts.prediction.label
    name = wording.names[label].lower()
    return lower.replace(name, " ").replace(f"({label})", " "), name in lower
