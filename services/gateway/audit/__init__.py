"""Who did what, when, from where, and what became of it, in rows that nobody changes unseen.

``docs/audit.md`` says what is recorded and how to verify it.
"""

from services.gateway.audit.chain import Keys, moment
from services.gateway.audit.command import commanded, operator
from services.gateway.audit.ledger import Asked, Ledger, line
from services.gateway.audit.note import Note, list_shown, noted, taking
from services.gateway.audit.recorder import Recorder, begin, refused_at_the_door
from services.gateway.audit.refusals import Refusals
from services.gateway.audit.trail import Trail
from services.gateway.audit.verification import Row

__all__ = [
    "Asked",
    "Keys",
    "Ledger",
    "Note",
    "Recorder",
    "Refusals",
    "Row",
    "Trail",
    "begin",
    "commanded",
    "line",
    "list_shown",
    "moment",
    "noted",
    "operator",
    "refused_at_the_door",
    "taking",
]
