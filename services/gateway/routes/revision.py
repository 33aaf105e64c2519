"""Which revision of a record a change is meant for: ETag and If-Match (RFC 9110, 13.1.1).

What is put where nothing is yet says so with If-None-Match (13.1.2).
"""

import re
from typing import Annotated, Literal

from fastapi import Depends, Header

from services.gateway import errors
from services.gateway.shelf import NONE_YET, Revised

_OF_OURS = re.compile(r'"([1-9][0-9]*)"')


def etag(record: Revised) -> str:
    """Return the tag of a record as it is now."""
    return tag(record.revision)


def tag(revision: int) -> str:
    """Return the tag of a revision."""
    return f'"{revision}"'


_IfMatch = Annotated[
    str | None,
    Header(max_length=200, description="The `ETag` that the change is meant for; `*` for any."),
]


def _meant(if_match: _IfMatch = None) -> frozenset[int] | None:
    if if_match is None:
        raise errors.MissingConditionError(
            "Say in If-Match which ETag the change is meant for, or * for whatever it is."
        )
    tags = {tag.strip() for tag in if_match.split(",")}
    if tags == {"*"}:
        return None
    # A weak tag, or none of ours, means no revision at all. No tag of ours is of nothing: that is
    # for If-None-Match to say.
    ours = filter(None, map(_OF_OURS.fullmatch, tags))
    return frozenset(int(of[1]) for of in ours)


def _new_or_meant(
    if_match: _IfMatch = None,
    if_none_match: Annotated[
        Literal["*"] | None,
        Header(description="In place of `If-Match`: make what is not there yet."),
    ] = None,
) -> frozenset[int] | None:
    return NONE_YET if if_none_match and if_match is None else _meant(if_match)


RevisionsDep = Annotated[frozenset[int] | None, Depends(_meant)]
NewOrRevisionsDep = Annotated[frozenset[int] | None, Depends(_new_or_meant)]
