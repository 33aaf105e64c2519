"""The page's own words, a file a language."""

from services.reports.wordings.english import ENGLISH
from services.reports.wordings.german import GERMAN
from services.reports.wordings.wording import Absence, Measure, Reason, Wording

__all__ = ["WORDINGS", "Absence", "Measure", "Reason", "Wording", "of"]

WORDINGS = {wording.language: wording for wording in (ENGLISH, GERMAN)}
"""By the language's code."""


def of(language: str) -> Wording:
    """Return the words of a language; English when none is named."""
    return WORDINGS[language or ENGLISH.language]
