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
    errors.ChangedMeanwhileError: "It was changed since you saw it, and is shown as it is now. "
    "Look at it, and send the form again if you still want that.",
    errors.QuotaExceededError: "You have asked for too much in a short time. "
    "Wait a minute and send it again.",
}
"""What pages say in place of what is said to programs, of keys and paths that nobody typed."""

Fields = Mapping[type[Exception], str]
"""Which field of a form errors of a kind are about."""

_NOWHERE: Fields = {}


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
    at_fault: str = ""
    """The name of the field that is wrong; empty where none is, or nobody knows which."""

    @classmethod
    def of(
        cls,
        error: errors.GatewayError | ValidationError,
        fields: Fields = _NOWHERE,
    ) -> Self:
        """Put an error into words.

        Args:
            error: that a form came to.
            fields: of this form; what its shape finds names its own.

        """
        if isinstance(error, ValidationError):
            fault = error.errors()[0]
            # What is one of several is told by the name of all.
            name = next(each for each in reversed(fault["loc"]) if isinstance(each, str))
            title = name.replace("_", " ").capitalize()
            said = faults.message(fault)
            sentence = f"{title}: {said[:1].lower()}{said[1:]}."
            status = kinds.KINDS[errors.InvalidRequestError].status
            return cls(status, sentence, at_fault=name)
        kind = kinds.kind_of(error)
        sentence = _OF_FORMS.get(type(error)) or kind.detail or str(error)
        undecided = isinstance(error, errors.InProgressError)
        headers = problems.headers(error)
        at_fault = _field_of(error, fields)
        return cls(kind.status, sentence, undecided, kind.slug, headers, at_fault)

    def again(self, sent: str = "") -> dict[str, str]:
        """Return what a form that is shown again says, and what it has to be known by.

        It stays the same form while what was sent is undecided; else it is another.

        Args:
            sent: what it was known by.

        """
        form = sent if self.undecided else new_token()
        return {"refusal": self.sentence, "form": form}


def _field_of(error: Exception, fields: Fields) -> str:
    """Return the field that an error is about, by the nearest of its ancestors."""
    if type(error) in _OF_FORMS:
        # It is about the form as a whole.
        return ""
    return next((fields[each] for each in type(error).__mro__ if each in fields), "")
