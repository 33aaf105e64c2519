"""Whole numbers as JSON has them."""

from typing import Annotated

from pydantic import BeforeValidator


def _number(sent: object) -> object:
    """Refuse what is not a number in JSON; 30.0 is a whole one there."""
    if isinstance(sent, bool) or not isinstance(sent, int | float):
        raise ValueError("must be a whole number")  # noqa: TRY004 - what pydantic expects
    return sent


Whole = Annotated[int, BeforeValidator(_number)]
