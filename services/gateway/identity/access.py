"""What an access token gives access to, asked anew at every request.

The token says who; the database says whether that still holds. So a disabled user, a changed
role or an ended sign-in counts from the next request on, not when the token expires.
"""

from dataclasses import dataclass

from sqlalchemy import bindparam, select
from sqlmodel import col

from services.gateway import errors
from services.gateway.database import Database, Scope
from services.gateway.identity.permissions import ALLOWED, Permission
from services.gateway.records import Role, SignIn, User, now
from services.gateway.security.tokens import AccessTokens, InvalidTokenError

# Asked at every request: built, and turned into SQL, once.
_HOLDER = (
    select(User)
    .join(SignIn, col(SignIn.user_id) == col(User.id))
    .where(
        col(SignIn.id) == bindparam("sign_in"),
        col(User.id) == bindparam("user"),
        col(SignIn.revoked_at).is_(None),
        col(SignIn.expires_at) > bindparam("now"),
        col(User.disabled).is_(False),
    )
)

_SENTENCE = "The access token is missing, expired or not valid. Sign in, or refresh it."


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes this request, and in which sign-in."""

    user: User
    sign_in_id: str

    @property
    def scope(self) -> Scope:
        """What the caller may see and make."""
        organisation = self.user.organisation
        return Scope(organisation.id, self.user.id, organisation.shared)

    def require(self, permission: Permission) -> None:
        """Raise ``ForbiddenError`` unless the caller's role has a permission."""
        if permission not in ALLOWED[Role(self.user.role)]:
            raise errors.ForbiddenError(
                f"Your role, {self.user.role}, does not include {permission}."
            )


class Access:
    """Tells callers by their access tokens."""

    def __init__(self, database: Database, tokens: AccessTokens) -> None:
        self._database = database
        self._tokens = tokens

    async def identify(self, token: str | None) -> Caller:
        """Return who holds a token.

        Raises:
            UnauthenticatedError: there is no token, it is no good, or it has ended.

        """
        if token is None:
            raise errors.UnauthenticatedError(_SENTENCE)
        try:
            claims = self._tokens.read(token)
        except InvalidTokenError as error:
            raise errors.UnauthenticatedError(_SENTENCE) from error
        who = {"user": claims.user_id, "sign_in": claims.session_id, "now": now()}
        user: User | None = await self._database.read(lambda session: session.scalar(_HOLDER, who))
        if user is None:
            raise errors.UnauthenticatedError(_SENTENCE)
        return Caller(user, claims.session_id)
