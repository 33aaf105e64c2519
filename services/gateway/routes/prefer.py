"""What callers would like, beside what they ask for (RFC 7240)."""

import re
from typing import Annotated

from fastapi import Depends, Header

RESPOND_ASYNC = "respond-async"

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


def prefers(headers: list[str], preference: str) -> bool:
    """Say whether a preference without a value is among those of some Prefer headers.

    What nobody knows, or cannot be read, is as good as not said (RFC 7240, section 2).
    """
    said = _QUOTED.sub("", ",".join(headers)).split(",")
    return preference in {each.partition(";")[0].strip().lower() for each in said}


async def _asked_for_async(
    prefer: Annotated[
        list[str] | None,
        Header(
            description="With `respond-async`, the answer comes at once and the analysis later: "
            "202, and `status` of the analysis at `Location` says how far it is (RFC 7240)."
        ),
    ] = None,
) -> bool:
    return prefers(prefer or [], RESPOND_ASYNC)


AsyncDep = Annotated[bool, Depends(_asked_for_async)]
