"""What can go wrong.

Domain code raises these and knows no statuses, which ``kinds`` has; the sentence of an error is
written for the person who made the request and says what to do.
"""

from collections.abc import Set as AbstractSet

NO_ROOM = "There is no room for new pictures now. The operators have to make some."
"""The sentence for whoever wants something kept on a full disk."""


class GatewayError(Exception):
    """Anything that the gateway refuses or cannot do."""


class UnauthenticatedError(GatewayError):
    """Nobody is signed in, or the proof of it is no good."""


class EndedError(UnauthenticatedError):
    """A token of ours has expired, or its sign-in has ended; we know which it was."""

    def __init__(self, detail: str, sign_in_id: str) -> None:
        """Say so of a sign-in."""
        super().__init__(detail)
        self.sign_in_id = sign_in_id


class SignInFailedError(UnauthenticatedError):
    """What came from the identity provider is no answer to what this browser asked."""


class SecondFactorNeededError(UnauthenticatedError):
    """The password was right, and a code of the second factor is asked for too."""


class CodeRefusedError(UnauthenticatedError):
    """The password was right, and the code of the second factor is no good."""


class ForbiddenError(GatewayError):
    """The caller is known and may not do this."""


class WrongPasswordError(ForbiddenError):
    """Whoever is signed in proves it with another password than theirs."""


class WrongCodeError(ForbiddenError):
    """Whoever is signed in proves it with a code that is no good."""


class NoPasswordsError(ForbiddenError):
    """Nobody signs in with a password here, but at the identity provider."""


class SecondFactorMissingError(ForbiddenError):
    """A second factor is required here, and whoever signs in has none yet."""


class OwnerDisabledError(ForbiddenError):
    """Whoever asked for it may not ask for anything any more."""


class CrossOriginError(GatewayError):
    """A page of another origin uses a cookie of ours."""


class SomebodyElseError(GatewayError):
    """A page of one user asks in the session of another."""


class MalformedError(GatewayError):
    """It is no request as HTTP has them."""


class HeadTooLargeError(GatewayError):
    """What comes before a body, or after it, does not end."""


class TargetTooLongError(GatewayError):
    """The path and the query of a request are longer than any that there is an answer to."""


class MisdirectedError(GatewayError):
    """The request is meant for another host."""


class NoAccountError(ForbiddenError):
    """The identity provider knows somebody who has no place here."""


class ProviderRefusedError(ForbiddenError):
    """The identity provider does not let somebody in, or they changed their mind."""


class NoSuchPathError(GatewayError):
    """Nothing is served at this path, to anybody."""


class MethodNotAllowedError(GatewayError):
    """The path is there, and does not take this method."""

    def __init__(self, detail: str, allowed: AbstractSet[str]) -> None:
        """Say which methods it takes."""
        super().__init__(detail)
        self.allowed = allowed


class NotFoundError(GatewayError):
    """There is no such thing, or it is somebody else's, which looks the same."""


class LostPictureError(NotFoundError):
    """A picture that a record names is not where pictures are kept."""


class ConflictError(GatewayError):
    """The request contradicts what is already there."""


class KeySpentError(ConflictError):
    """What the request of this key has made was removed since."""


class InProgressError(GatewayError):
    """The same request is being worked on already."""

    retry_after_s = 1.0


class NotFinishedError(GatewayError):
    """There is no answer yet; there will be."""

    retry_after_s = 1.0


class WithdrawnError(GatewayError):
    """Whoever asked for it does not want it any more."""


class ChangedMeanwhileError(GatewayError):
    """What is to be changed is not any more what the caller saw."""


class MissingConditionError(GatewayError):
    """A change does not say what it is meant for."""


class InvalidRequestError(GatewayError):
    """The request is understood and cannot be carried out as it is."""


class KeyReusedError(InvalidRequestError):
    """The key of a request came with another request before."""


class InvalidFieldError(InvalidRequestError):
    """A parameter or a field is not as it must be, or is none of those that there are."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}.")
        self.members = {"errors": [{"field": field, "message": message}]}


class UnfitPasswordError(InvalidRequestError):
    """What somebody wants for a password is none that may be chosen."""


class InvalidPictureError(InvalidRequestError):
    """The bytes cannot be used as a picture."""


class InvalidLogoutTokenError(InvalidRequestError):
    """What says that somebody left the identity provider cannot be believed."""


class InvalidArchiveError(InvalidRequestError):
    """An archive is not one, or not one that is taken."""


class UnsupportedMediaTypeError(GatewayError):
    """The body is of a kind that this path does not take."""


class TooLargeError(GatewayError):
    """Too many bytes, or too many pixels."""


class UploadTimeoutError(GatewayError):
    """The body took too long to arrive."""


class TooManyAttemptsError(GatewayError):
    """Too many tries; the caller has to wait before another one."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class QuotaExceededError(GatewayError):
    """The caller has asked for more than a quota allows."""

    def __init__(self, policy: str, retry_after_s: float) -> None:
        super().__init__("You have used up your quota. Wait as long as Retry-After says.")
        self.retry_after_s = retry_after_s
        # Named as draft-ietf-httpapi-ratelimit-headers-11 does.
        self.members = {"violated-policies": [policy]}


class ShareTakenError(GatewayError):
    """The caller has as much in work, or waiting, as one user may while others want room."""

    def __init__(self, message: str, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StorageQuotaExceededError(GatewayError):
    """As much is kept for the caller, or their organisation, as may be."""


class InsufficientStorageError(GatewayError):
    """There is no room for anything new."""


class DamagedPictureError(GatewayError):
    """A kept picture is not what was kept; the message is its name."""


class TooManyStreamsError(GatewayError):
    """The caller watches events too many times at once."""

    retry_after_s = 5.0


class UnavailableError(GatewayError):
    """Something that the answer needs is down or has too much to do; later may work."""

    def __init__(self, message: str, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class BusyError(UnavailableError):
    """A service behind the gateway has too much to do."""


class ServiceDownError(UnavailableError):
    """A service behind the gateway does not answer, or went away while it was at work."""


class StoreUnavailableError(UnavailableError):
    """The store does not keep, give or remove something.

    Attributes:
        of_object: whether it said so of this one object, which it may do for ever; otherwise it
            is down, slow or has too much to do.

    """

    def __init__(self, *, of_object: bool = False) -> None:
        super().__init__("Pictures cannot be kept or shown now. Try again shortly.")
        self.of_object = of_object


class DeadlinePassedError(GatewayError):
    """The answer was not there in time."""


class UpstreamError(GatewayError):
    """A service behind the gateway answered in a way that nobody expects."""
