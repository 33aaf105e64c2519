"""What single fields may hold; each function names the field that it finds at fault.

Faults never repeat a value, which may name a patient.
"""

import datetime as dt
import math
import re
from collections.abc import Sequence

from services.reports.errors import InvalidReportError

MAX_LINE = 300
MAX_ENTRIES = 20
"""Bounds: characters of one field, and entries of one list."""

_ROUNDING = 1e-6
"""How far sums of single-precision probabilities may lie outside 0..1."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_ADDRESS = re.compile(r"https?://[!-~]+")


def require(present: bool, field: str) -> None:  # noqa: FBT001 - reads as a sentence
    """Refuse what is missing."""
    if not present:
        raise InvalidReportError(field, "is missing")


def line(text: str, field: str, limit: int = MAX_LINE) -> None:
    """Refuse text that is missing or too long."""
    require(bool(text.strip()), field)
    bounded(text, field, limit)


def bounded(text: str, field: str, limit: int = MAX_LINE) -> None:
    """Refuse text that is too long."""
    if len(text) > limit:
        raise InvalidReportError(field, f"is longer than {limit} characters")


def fraction(value: float, field: str) -> None:
    """Refuse what is no share of one."""
    # Written so that NaN fails it as well.
    if not -_ROUNDING <= value <= 1 + _ROUNDING:
        raise InvalidReportError(field, "must lie within 0 and 1")


def finite(value: float, field: str) -> None:
    """Refuse what is no number that could be printed."""
    if not math.isfinite(value):
        raise InvalidReportError(field, "must be a finite number")


def interval(low: float, high: float, field: str) -> None:
    """Refuse what is no interval of numbers that could be printed."""
    finite(low, f"{field}.low")
    finite(high, f"{field}.high")
    if low > high:
        raise InvalidReportError(field, "ends before it begins")


def entries(listed: Sequence[object], field: str, limit: int = MAX_ENTRIES) -> None:
    """Refuse a list that is empty or too long."""
    require(len(listed) > 0, field)
    at_most(listed, field, limit)


def at_most(listed: Sequence[object], field: str, limit: int = MAX_ENTRIES) -> None:
    """Refuse a list that is too long."""
    if len(listed) > limit:
        raise InvalidReportError(field, f"more than {limit} entries")


def moment(text: str, field: str) -> dt.datetime:
    """Return a time in UTC.

    Raises:
        InvalidReportError: it is missing, or no RFC 3339 time in UTC.

    """
    require(bool(text), field)
    try:
        read = dt.datetime.fromisoformat(text)
    except ValueError:
        read = None
    if read is None or read.utcoffset() != dt.timedelta(0):
        raise InvalidReportError(field, "must be an RFC 3339 time in UTC")
    return read


def date(text: str, field: str) -> None:
    """Refuse what is neither empty nor a date."""
    try:
        dt.date.fromisoformat(text or "2000-01-01")
    except ValueError:
        raise InvalidReportError(field, "must be an ISO 8601 date") from None


def one_of(text: str, field: str, known: Sequence[str]) -> None:
    """Refuse what is neither empty nor known."""
    if text and text not in known:
        raise InvalidReportError(field, f"must be one of {', '.join(known)}")


def sha256(text: str, field: str) -> None:
    """Refuse what is no SHA-256."""
    if not _SHA256.fullmatch(text):
        raise InvalidReportError(field, "must be 64 lower-case hexadecimal digits")


def address(text: str, field: str) -> None:
    """Refuse what is neither empty nor an address of the web."""
    bounded(text, field)
    if text and not _ADDRESS.fullmatch(text):
        raise InvalidReportError(field, "must be an https:// or http:// address")
