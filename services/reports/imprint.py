"""What a report says of itself, in the file and on every sheet."""

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple


class Imprint(NamedTuple):
    """Title, origin and notice of one report."""

    title: str
    record_id: str
    subject: str
    institution: str
    created: dt.datetime
    language: str
    running_head: Sequence[str]
    """What stands at the head of every sheet but the first, from left to right."""
    notice: str
