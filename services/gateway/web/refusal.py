"""Why a form was refused, in words that stand beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from pydantic import ValidationError

from services.gateway import errors, faults, kinds, problems
from services.gateway.web.sent_once import new_token

NOT_DONE = (
    ValidationError,
    errors.InvalidRequestError,
    errors.ConflictError,
    errors.InProgressError,
)
"""Why a form that asks for something is not carried out, and is shown again."""

_OF_FORMS: Mapping[type[Exception], str] = {
    errors.NoPasswordsError: "Nobody signs in with a password here. Sign in with your institution.",
    errors.InProgressError: "This form was sent before and is still being worked on. "
    "Wait a little and send it again: it is done once.",
    errors.KeyReusedError: "This form was sent before with something else in it. "
    "Send it again as it is now, if you mean both.",
    errors.KeySpentError: "What this form has made was removed since. "
    "Send it again to make it anew.",
    errors.QuotaExceededError: "You have asked for too much in a short time. "
    "Wait a minute and send it again.",
}
"""What pages say in place of what is said to programs, of keys and paths that nobody typed."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a form was refused, and the status of the page that shows it again."""

    status: int
    sentence: str
    undecided: bool = False
    """Whether the same form, sent before, may be about to do what was asked."""
    problem: str = kinds.KINDS[errors.InvalidRequestError].slug
    """The kind of problem, as the audit names it."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """What the head of the answer says of it, as when to come again."""

    @classmethod
    def of(cls, error: errors.GatewayError | ValidationError) -> Self:
        """Put an error into words."""
        if isinstance(error, ValidationError):
            fault = error.errors()[0]
            # What is one of several is told by the name of all.
            name = next(each for each in reversed(fault["loc"]) if isinstance(each, str))
            field = name.replace("_", " ").capitalize()
            said = faults.message(fault)
            sentence = f"{field}: {said[:1].lower()}{said[1:]}."
            return cls(kinds.KINDS[errors.InvalidRequestError].status, sentence)
        kind = kinds.kind_of(error)
        sentence = _OF_FORMS.get(type(error)) or kind.detail or str(error)
        undecided = isinstance(error, errors.InProgressError)
        return cls(kind.status, sentence, undecided, kind.slug, problems.headers(error))

    def again(self, sent: str = "") -> dict[str, str]:
        """Return what a form that is shown again says, and what it has to be known by.

        It stays the same form while what was sent is undecided; else it is another.

        Args:
            sent: what it was known by.

        """
        form = sent if self.undecided else new_token()
        return {"refusal": self.sentence, "form": form}
