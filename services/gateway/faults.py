"""What is wrong with a value that was sent, in words for the person who sent it."""

from collections.abc import Mapping
from typing import Any

_OF_TEXTS = {"too_long": ("at most", "max_length"), "too_short": ("at least", "min_length")}
"""Bounds of text that is looked at before: pydantic takes it for a list, and counts its items."""

_OWN = "Value error, "


def message(fault: Mapping[str, Any]) -> str:
    """Return what a fault that pydantic found says, without the value itself."""
    context = fault.get("ctx", {})
    if fault["type"] in _OF_TEXTS and context.get("field_type") == "Value":
        bound, name = _OF_TEXTS[fault["type"]]
        number = context[name]
        return f"String should have {bound} {number} character{'' if number == 1 else 's'}"
    said = str(fault["msg"]).removeprefix(_OWN)
    return said[:1].upper() + said[1:]
