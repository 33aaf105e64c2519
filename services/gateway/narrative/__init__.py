"""Findings in plain language: told by a template, or by a machine whose words are checked.

``docs/narrative.md`` says what the machine is told, and what its text must be like.
"""

from services.gateway.narrative.check import fault
from services.gateway.narrative.facts import Facts
from services.gateway.narrative.template import fill
from services.gateway.narrative.wording import Wording
from services.gateway.narrative.wordings import WORDINGS

__all__ = ["WORDINGS", "Facts", "Wording", "fault", "fill"]
