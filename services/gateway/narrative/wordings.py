"""The languages that there are summaries in."""

from collections.abc import Mapping

from services.gateway.narrative.english import ENGLISH
from services.gateway.narrative.german import GERMAN
from services.gateway.narrative.wording import Wording
from services.gateway.report_settings import Language

WORDINGS: Mapping[Language, Wording] = {"en": ENGLISH, "de": GERMAN}
"""What each language needs."""
