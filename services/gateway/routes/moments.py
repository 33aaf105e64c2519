"""Moments and days in queries."""

import re
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _spelled_out(text: object) -> object:
    """Refuse plain numbers, which would be taken for seconds or milliseconds, whichever fits."""
    if isinstance(text, str) and _DATE.match(text) is None:
        raise ValueError("must begin with a date, as RFC 3339 writes it")
    return text


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must be between the years 1 and 9999 in UTC") from error


Moment = Annotated[datetime, BeforeValidator(_spelled_out), AfterValidator(_in_utc)]

Day = Annotated[date, BeforeValidator(_spelled_out)]
