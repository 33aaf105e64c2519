"""Why a form was refused, in words that stand beside it."""

from dataclasses import dataclass
from typing import Self

from pydantic import ValidationError

from services.gateway import errors, kinds


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a form was refused, and the status of the page that shows it again."""

    status: int
    sentence: str

    @classmethod
    def of(cls, error: errors.GatewayError | ValidationError) -> Self:
        """Put an error into words."""
        if isinstance(error, ValidationError):
            fault = error.errors()[0]
            field = str(fault["loc"][-1]).replace("_", " ").capitalize()
            sentence = f"{field}: {fault['msg'][:1].lower()}{fault['msg'][1:]}."
            return cls(kinds.KINDS[errors.InvalidRequestError].status, sentence)
        kind = kinds.kind_of(error)
        return cls(kind.status, kind.detail or str(error))
