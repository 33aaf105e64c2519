"""Kinds of problems with who asks: who they are, what they may, and how much of it."""

from collections.abc import Mapping

from services.gateway import errors
from services.gateway.kinds.kind import Kind

CALLERS: Mapping[type[Exception], Kind] = {
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
}
