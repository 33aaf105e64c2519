"""Kinds of problems with what is asked for, whoever asks."""

from collections.abc import Mapping

from services.gateway import errors
from services.gateway.kinds.kind import Kind

REQUESTS: Mapping[type[Exception], Kind] = {
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
    errors.NotFoundError: Kind(
        404,
        "not-found",
        "Not found",
        "There is nothing of this name that you may see. What belongs to somebody else "
        "looks the same as what does not exist.",
    ),
    errors.NoSuchPathError: Kind(
        404,
        "no-such-path",
        "No such path",
        "Nothing is served at this path, to anybody. Look at how it is spelled, and whether there "
        "is a slash too many at its end; `GET /docs` lists what there is.",
    ),
    errors.MethodNotAllowedError: Kind(
        405,
        "method-not-allowed",
        "Not with this method",
        "The path is there and does not take this method; `Allow` says which it takes.",
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
        "The bytes cannot be used as a picture: not JPEG or PNG, damaged, of an odd "
        "kind, or of another kind than its type or extension says. Export it again.",
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
}
