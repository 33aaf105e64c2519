"""Text that people send: what of it can be kept and printed."""

import re
import unicodedata
from typing import Annotated

from pydantic import BeforeValidator, Field

FILE_NAME_LENGTH = 255

# Unicode's control characters, but for those that lay text out.
_CONTROLS = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_ANY = f"[^{_CONTROLS}]"
_CONTROL = re.compile(f"[{_CONTROLS}]")


def _printable(text: object) -> object:
    # A NUL would not even fit into PostgreSQL; the others garble reports and terminals. Some count
    # as spaces, so this comes before those are dropped.
    if isinstance(text, str) and _CONTROL.search(text):
        raise ValueError("has control characters")
    return text


Text = Annotated[
    str,
    BeforeValidator(_printable),
    Field(json_schema_extra={"pattern": f"^{_ANY}*$"}),
]
"""Text without control characters, but for those that lay it out."""

FilledText = Annotated[
    Text, Field(min_length=1, json_schema_extra={"pattern": rf"^{_ANY}*[^\s{_CONTROLS}]{_ANY}*$"})
]
"""Text with something in it, where spaces around it are dropped."""


def is_file_name(name: str) -> bool:
    """Say whether a name can be kept with its picture: neither empty nor long, nor garbled."""
    kinds = map(unicodedata.category, name)
    return 0 < len(name) <= FILE_NAME_LENGTH and not {"Cc", "Cs"}.intersection(kinds)
