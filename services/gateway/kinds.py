"""The one table that says which status each error becomes, and how it looks from outside."""

from collections.abc import Mapping
from typing import NamedTuple

import sqlalchemy.exc

from services.gateway import errors


class Kind(NamedTuple):
    """How an error looks from outside.

    Attributes:
        status: of HTTP.
        slug: names the kind of problem for programs.
        title: names it for people; the same at every occurrence.
        help: what to do about it, on the page that explains the kinds.
        detail: what is said instead of the error's own sentence, where that is not for
            the caller's eyes.

    """

    status: int
    slug: str
    title: str
    help: str
    detail: str | None = None


_UNAVAILABLE = Kind(
    503,
    "unavailable",
    "Not available now",
    "Something that the answer needs is down or has too much to do. Nothing was kept: send the "
    "same again after the seconds that `Retry-After` says.",
)
_DATABASE_DOWN = _UNAVAILABLE._replace(detail="The database does not answer. Try again later.")

KINDS: Mapping[type[Exception], Kind] = {
    errors.UnauthenticatedError: Kind(
        401,
        "unauthenticated",
        "Sign in first",
        "Send `Authorization: Bearer` with an access token or an API key that is still "
        "good; refresh a token that has expired, or sign in again.",
    ),
    errors.SecondFactorNeededError: Kind(
        401,
        "second-factor-needed",
        "A code is needed too",
        "The account has a second factor. Send the same again with `code`: the six digits that the "
        "app on the telephone shows now, or one of the recovery codes.",
    ),
    errors.CodeRefusedError: Kind(
        401,
        "code-refused",
        "The code is no good",
        "It is wrong, used already, or of more than half a minute ago. Wait for the next one, and "
        "see that the clock of the telephone is right; or send a recovery code. Without either "
        "an administrator removes the second factor.",
    ),
    errors.SecondFactorMissingError: Kind(
        403,
        "second-factor-missing",
        "Set up a second factor first",
        "A second factor is required here, and the account has none yet. Sign in at `/sign-in` "
        "with a browser: it is set up there, and after that `code` is sent along. "
        "Programs use API keys, which need none.",
    ),
    errors.ForbiddenError: Kind(
        403,
        "forbidden",
        "Not allowed",
        "Your role, or your API key, does not include this; `detail` says what is "
        "missing. An administrator can change it.",
    ),
    errors.OwnerDisabledError: Kind(
        403,
        "owner-disabled",
        "The account was disabled before it was analyzed",
        "The account that sent this picture was disabled while the picture waited. It is not "
        "analyzed later by itself, even if the account is enabled again: send it again.",
    ),
    errors.CrossOriginError: Kind(
        403,
        "cross-origin",
        "Asked for by another site",
        "A web page of another origin asked for a change, and the browser sent a cookie of ours "
        "along. Send `Authorization` and no cookies.",
    ),
    errors.MalformedError: Kind(
        400,
        "malformed",
        "Not a request",
        "The bytes are no request as HTTP has them (RFC 9112); `detail` says why. Look at the "
        "client, or at a proxy on the way.",
    ),
    errors.MisdirectedError: Kind(
        421,
        "misdirected",
        "Meant for another host",
        "The gateway does not go by the name in `Host`. Use the address that the operators gave; "
        "they set the names in `DERMSERVE_GATEWAY_ALLOWED_HOSTS`.",
    ),
    errors.InvalidLogoutTokenError: Kind(
        400,
        "invalid-logout-token",
        "The logout token is not valid",
        "It is none of the identity provider's, is not meant for this gateway, or has expired. "
        "Nothing was ended.",
    ),
    errors.SignInFailedError: Kind(
        401,
        "sign-in-failed",
        "The sign-in cannot be completed",
        "It took too long, came from another browser, was used already, or what the identity "
        "provider sent cannot be believed. Begin again at `GET /v1/auth/oidc`; if it stays, tell "
        "the operators the `request_id`.",
    ),
    errors.NoAccountError: Kind(
        403,
        "no-account",
        "No account here",
        "Your identity provider knows you, but you have no account here, none of your groups has a "
        "role here, or your account is disabled. An administrator can change it.",
    ),
    errors.ProviderRefusedError: Kind(
        403,
        "provider-refused",
        "The identity provider refused",
        "Your identity provider did not sign you in; `detail` has its reason. Begin again at "
        "`GET /v1/auth/oidc`, or ask whoever runs the provider.",
    ),
    errors.NotFoundError: Kind(
        404,
        "not-found",
        "Not found",
        "There is nothing of this name that you may see. What belongs to somebody else "
        "looks the same as what does not exist.",
    ),
    errors.UploadTimeoutError: Kind(
        408,
        "upload-timeout",
        "The upload took too long",
        "The body did not arrive in time. Nothing was kept: send it again over a better line.",
    ),
    errors.SomebodyElseError: Kind(
        409,
        "somebody-else",
        "Somebody else has signed in",
        "The page belongs to one user, and by now this browser is signed in as another. Nothing "
        "was changed: sign out, sign in as yourself, and do it again.",
    ),
    errors.ConflictError: Kind(
        409,
        "conflict",
        "Conflicts with what is there",
        "Something that is there already stands against it; `detail` says what.",
    ),
    errors.InProgressError: Kind(
        409,
        "in-progress",
        "The same request is in work",
        "A request with the same `Idempotency-Key` is being worked on. Ask again a little "
        "later, with the same key.",
    ),
    errors.NotFinishedError: Kind(
        409,
        "not-finished",
        "Not analyzed yet",
        "The picture waits for its analysis, or is being analyzed. Ask again after the seconds "
        "that `Retry-After` says; `status` of the analysis says how far it is.",
    ),
    errors.WithdrawnError: Kind(
        409,
        "withdrawn",
        "Withdrawn before it was analyzed",
        "The batch of this picture was cancelled before its turn came. Send the picture again if "
        "it is to be analyzed after all.",
    ),
    errors.ChangedMeanwhileError: Kind(
        412,
        "changed-meanwhile",
        "Changed meanwhile",
        "Somebody changed it since you saw it. Get it again, look at what is new, and "
        "send your change with the new `ETag`.",
    ),
    errors.TooLargeError: Kind(
        413,
        "too-large",
        "Too large",
        "Too many bytes, or too many pixels; `detail` says how many are taken. Export a "
        "smaller picture.",
    ),
    errors.TargetTooLongError: Kind(
        414,
        "target-too-long",
        "The address is too long",
        "Path and query together, escaped as they are sent, have more than 65,535 bytes.",
    ),
    errors.UnsupportedMediaTypeError: Kind(
        415,
        "unsupported-media-type",
        "Unsupported kind of body",
        "Send a form with the picture in `image`, or the JPEG or PNG itself; JSON elsewhere.",
    ),
    errors.InvalidRequestError: Kind(
        422,
        "invalid-request",
        "The request cannot be carried out",
        "The request does not keep the rules; `detail` and, where there are several "
        "faults, `errors` say which. As it is, it will fail again.",
    ),
    errors.InvalidArchiveError: Kind(
        422,
        "invalid-archive",
        "The archive is not taken",
        "The archive is damaged, or has something in it that no archive of pictures needs: links, "
        "encrypted files, archives, paths that lead out of it, names that are there twice; "
        "`detail` says what. Nothing of it was kept. Pack the pictures alone, with deflate.",
    ),
    errors.InvalidPictureError: Kind(
        422,
        "invalid-picture",
        "The picture cannot be used",
        "The bytes cannot be used as a picture: not JPEG or PNG, damaged, or of an odd "
        "kind. Export it again.",
    ),
    errors.HeadTooLargeError: Kind(
        431,
        "head-too-large",
        "Too much beside the body",
        "The path, the headers or the trailers are too long, or too many.",
    ),
    errors.MissingConditionError: Kind(
        428,
        "missing-condition",
        "Say what the change is meant for",
        "Say in `If-Match` which `ETag` the change is meant for.",
    ),
    errors.TooManyAttemptsError: Kind(
        429,
        "too-many-attempts",
        "Too many tries",
        "Wait the seconds that `Retry-After` says before the next try.",
    ),
    errors.QuotaExceededError: Kind(
        429,
        "quota-exceeded",
        "Quota exceeded",
        "You have asked for more than is allowed in a minute; `RateLimit-Policy` says how much "
        "that is. Wait the seconds that `Retry-After` says; `RateLimit` says with every answer "
        "how much is left.",
    ),
    errors.ShareTakenError: Kind(
        429,
        "share-taken",
        "Your share is taken",
        "You have as many requests, or waiting pictures, as are left free for others: half of all "
        "while you are alone. Nothing was kept: let some end, and send it again after the seconds "
        "that `Retry-After` says.",
    ),
    errors.TooManyStreamsError: Kind(
        429,
        "too-many-streams",
        "Too many streams",
        "You watch events as often at once as one user may. Close a stream before you open "
        "another.",
    ),
    errors.UpstreamError: Kind(
        502,
        "bad-upstream",
        "A service behind the gateway failed",
        "Not your fault, and nothing was kept. Try again; if it stays, tell the operators the "
        "`request_id`.",
        "A service behind the gateway failed. The log has it by the request id.",
    ),
    errors.UnavailableError: _UNAVAILABLE,
    errors.DeadlinePassedError: Kind(
        504,
        "deadline-passed",
        "Not done in time",
        "It took longer than the gateway waits. Nothing was kept: try again later.",
    ),
    # As RFC 4331 has it for quotas, in its section 6.
    errors.StorageQuotaExceededError: Kind(
        507,
        "storage-quota-exceeded",
        "As much is kept as may be",
        "As many pictures or bytes are kept for you, or for your organisation, as may be; "
        "`GET /v1/usage` shows them. What is removed counts until it is purged after the "
        "retention. Nothing was kept, and waiting alone does not help: ask an operator for more.",
    ),
    errors.InsufficientStorageError: Kind(
        507,
        "insufficient-storage",
        "No room for anything new",
        "The disk of the gateway is nearly full. Nothing was kept; what is there can still be "
        "read and removed. The operators have to make room before you send it again.",
    ),
    errors.DamagedPictureError: Kind(
        500,
        "damaged-picture",
        "The kept picture is damaged",
        "What is kept is not what was kept, by its SHA-256. Tell the operators the "
        "`request_id`: they can take it from a backup.",
        "The kept picture is damaged. The log has it by the request id.",
    ),
    # The database went away while the gateway runs: asyncpg lets the socket's own error
    # through when it cannot connect, SQLAlchemy wraps the others.
    sqlalchemy.exc.OperationalError: _DATABASE_DOWN,
    sqlalchemy.exc.InterfaceError: _DATABASE_DOWN,
    sqlalchemy.exc.TimeoutError: _DATABASE_DOWN,
    ConnectionError: _DATABASE_DOWN,
}

UNKNOWN = Kind(
    500,
    "internal",
    "Internal error",
    "A fault of ours. Tell the operators the `request_id`.",
    "Something went wrong. The log has it by the request id.",
)
"""What a fault of ours looks like: always the same, so that nothing leaks."""

ALL = tuple({kind.slug: kind for kind in (UNKNOWN, *reversed([*KINDS.values()]))}.values())
"""Every kind of problem once."""


# PostgreSQL's classes for what passes: a lost connection, no room, a lock or bound on time, an
# operator's hand, and two that stood in each other's way.
_PASSING_STATES = ("08", "53", "55", "57", "40001", "40P01")


def kind_named(slug: str) -> Kind:
    """Return the kind of a slug; the unknown one for a slug that there is not, or no more."""
    return next((kind for kind in KINDS.values() if kind.slug == slug), UNKNOWN)


def kind_of(error: Exception) -> Kind:
    """Return the kind of the nearest ancestor of an error that the table names."""
    if isinstance(error, sqlalchemy.exc.DBAPIError) and (
        error.connection_invalidated or _passes(error)
    ):
        return _DATABASE_DOWN
    for ancestor in type(error).__mro__:
        if ancestor in KINDS:
            return KINDS[ancestor]
    return UNKNOWN


def _passes(error: sqlalchemy.exc.DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    return state is not None and state.startswith(_PASSING_STATES)
