"""What is written of a webhook in a form, and why it may be refused."""

from typing import Annotated, Any

from fastapi import Depends, Form

from services.gateway import errors
from services.gateway.web.refusal import NOT_DONE, Fields

FIELDS = ("url", "description", "kinds")
"""What is written of a webhook."""

# Where an address leads may not be known in time.
REFUSED = (*NOT_DONE, errors.UnavailableError)

AT_FAULT: Fields = {errors.InvalidRequestError: "url"}
"""What is no fault of a shape is one of where the address leads."""

_Field = Annotated[str, Form()]


async def _written(
    url: _Field = "",
    description: _Field = "",
    kinds: Annotated[list[str] | None, Form()] = None,
) -> dict[str, Any]:
    return {"url": url, "description": description, "kinds": kinds or []}


WrittenDep = Annotated[dict[str, Any], Depends(_written)]
