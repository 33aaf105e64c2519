"""What an access token, an API key or a session gives access to, asked anew at every request.

A token says who, a key or a session whose it is; the database says whether that still holds. So a
disabled user, a changed role, an ended sign-in or a revoked key counts from the next request on.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import bindparam, orm, select
from sqlmodel import col

from services.gateway import errors
from services.gateway.audit import noted
from services.gateway.database import Database, Scope
from services.gateway.identity import holders
from services.gateway.identity.idleness import Idleness
from services.gateway.identity.last_use import LastUse
from services.gateway.identity.permissions import ALLOWED, Permission
from services.gateway.records import ApiKey, Role, SignIn, User, now
from services.gateway.security import api_keys, tokens

_STILL_SIGNED_IN = (
    select(col(SignIn.id), User)
    .join(User, col(User.id) == col(SignIn.user_id))
    .where(
        col(SignIn.id).in_(bindparam("ids", expanding=True)),
        col(SignIn.revoked_at).is_(None),
        col(SignIn.expires_at) > bindparam("now"),
        col(SignIn.used_at) > bindparam("used_after"),
        col(User.disabled).is_(False),
    )
)
_STILL_KEYS = (
    select(ApiKey, User)
    .join(User, col(User.id) == col(ApiKey.user_id))
    .where(
        col(ApiKey.id).in_(bindparam("ids", expanding=True)),
        col(ApiKey.expires_at) > bindparam("now"),
        col(User.disabled).is_(False),
    )
)
_AT_ONCE = 500

_BAD_TOKEN = "The access token is missing, expired or not valid. Sign in, or refresh it."  # noqa: S105 - a sentence
_BAD_KEY = "The API key is not valid, expired or revoked, or its owner is disabled."
_BAD_SESSION = "Your session has ended. Sign in again."
_NOT_FOR_KEYS = "An API key cannot do this. Sign in with a password."


class Session(str):
    """What a browser shows in a cookie: good for as long as its sign-in, and never exchanged."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes this request; ``key`` is the API key by which they came, if by one."""

    user: User
    key: ApiKey | None = None

    @property
    def scope(self) -> Scope:
        """What the caller may see and make."""
        organisation = self.user.organisation
        return Scope(organisation.id, self.user.id, organisation.shared)

    @property
    def credential(self) -> str:
        """The id of the key, or of the sign-in, by which they came."""
        return self.key.id if self.key else ""

    def may(self, permission: Permission) -> bool:
        """Say whether the caller's role, and key, have a permission."""
        try:
            self.require(permission)
        except errors.ForbiddenError:
            return False
        return True

    def require(self, permission: Permission) -> None:
        """Raise ``ForbiddenError`` unless the caller's role, and key, have a permission."""
        if permission not in ALLOWED[Role(self.user.role)]:
            raise errors.ForbiddenError(
                f"Your role, {self.user.role}, does not allow this: it needs {permission}. "
                "An administrator can give you another role."
            )
        if self.key is not None and permission not in self.key.permissions:
            raise errors.ForbiddenError(f"Your API key does not include {permission}.")


@dataclass(frozen=True, slots=True)
class SignedIn(Caller):
    """Who makes this request in a sign-in, and in which."""

    sign_in_id: str = field(kw_only=True)

    @property
    def credential(self) -> str:
        """The id of the sign-in."""
        return self.sign_in_id


def in_sign_in(caller: Caller) -> SignedIn:
    """Return a caller who is signed in; raise ``ForbiddenError`` for one with an API key."""
    if not isinstance(caller, SignedIn):
        raise errors.ForbiddenError(_NOT_FOR_KEYS)
    return caller


class Access:
    """Tells callers by their access tokens and API keys."""

    def __init__(
        self,
        database: Database,
        access_tokens: tokens.AccessTokens,
        last_use: LastUse,
        idleness: Idleness,
    ) -> None:
        """Build over the database.

        Args:
            database: has sign-ins and keys.
            access_tokens: reads access tokens.
            last_use: is told which keys and sessions are used.
            idleness: how long a session lasts that is not used.

        """
        self._database = database
        self._tokens = access_tokens
        self._last_use = last_use
        self._idleness = idleness

    async def identify(self, presented: str | None, *, by_itself: bool = False) -> Caller:
        """Return who holds an access token, an API key or a session.

        Args:
            presented: the one that came.
            by_itself: whether a browser asks this without anybody, which is no use of a session.

        Raises:
            UnauthenticatedError: there is none, it is no good, or it has ended.

        """
        if isinstance(presented, Session):
            return await self._by_session(presented, by_itself=by_itself)
        if presented is not None and presented.startswith(api_keys.PREFIX):
            return await self._by_key(presented)
        return await self._by_token(presented)

    async def signed_in(self, presented: str | None) -> SignedIn:
        """Return who holds an access token, for what is not for API keys.

        Raises:
            UnauthenticatedError: there is none, it is no good, or it has ended.
            ForbiddenError: it is an API key.

        """
        return in_sign_in(await self.identify(presented))

    async def in_sign_in(self, sign_in_id: str) -> SignedIn:
        """Return who is signed in in a sign-in, for those who know it by other means than a token.

        Raises:
            UnauthenticatedError: it has ended.

        """
        for caller in await self._still({sign_in_id}):
            if isinstance(caller, SignedIn):
                noted().by(caller.user.id, caller.user.organisation_id)
                noted().sign_in_id = caller.sign_in_id
                return caller
        raise errors.UnauthenticatedError(_BAD_TOKEN)

    async def still(self, caller: Caller, permission: Permission) -> None:
        """See that a caller may still do something, in the midst of an answer that takes long.

        Raises:
            UnauthenticatedError: their sign-in or key has ended.
            ForbiddenError: their role does not include it any more.

        """
        there = await self._still({caller.credential})
        if not there:
            raise errors.UnauthenticatedError(_BAD_TOKEN)
        there[0].require(permission)

    async def still_reading(self, credentials: AbstractSet[str]) -> dict[str, Scope]:
        """Return which of some sign-ins and keys are still good to read, and what."""
        there = await self._still(credentials)
        return {each.credential: each.scope for each in there if each.may(Permission.READ)}

    async def _still(self, credentials: AbstractSet[str]) -> list[Caller]:
        """Return the callers of those sign-ins and keys that have not ended."""
        ids = sorted(credentials)
        callers: list[Caller] = []
        for start in range(0, len(ids), _AT_ONCE):
            some = {
                "ids": ids[start : start + _AT_ONCE],
                "now": now(),
                "used_after": self._idleness.since(),
            }
            callers += await self._database.read(partial(_those_there, some))
        return callers

    async def _by_token(self, token: str | None) -> SignedIn:
        try:
            claims = await self._tokens.read(token or "")
        except tokens.ExpiredTokenError as error:
            raise errors.EndedError(_BAD_TOKEN, error.claims.session_id) from error
        except tokens.InvalidTokenError as error:
            raise errors.UnauthenticatedError(_BAD_TOKEN) from error
        who = {"user": claims.user_id, "sign_in": claims.session_id, "now": now()}
        found = await self._database.read(partial(holders.by_token, who))
        if found is None:
            raise errors.EndedError(_BAD_TOKEN, claims.session_id)
        (user,) = found
        noted().by(user.id, user.organisation_id)
        noted().sign_in_id = claims.session_id
        return SignedIn(user, sign_in_id=claims.session_id)

    async def _by_session(self, session: Session, *, by_itself: bool) -> SignedIn:
        if not tokens.is_formed(session):
            raise errors.UnauthenticatedError(_BAD_SESSION)
        which = {"digest": tokens.session_digest(session)}
        found = await self._database.read(partial(holders.by_session, which))
        if found is None:
            raise errors.UnauthenticatedError(_BAD_SESSION)
        sign_in, user = found
        over = sign_in.expires_at <= now() or self._idleness.is_over(sign_in.used_at)
        if over or sign_in.revoked_at is not None or user.disabled:
            raise errors.EndedError(_BAD_SESSION, sign_in.id)
        if not by_itself:
            self._last_use.note(sign_in)
        noted().by(user.id, user.organisation_id)
        noted().sign_in_id = sign_in.id
        return SignedIn(user, sign_in_id=sign_in.id)

    async def _by_key(self, key: str) -> Caller:
        if not api_keys.is_key(key):
            raise errors.UnauthenticatedError(_BAD_KEY)
        which = {"digest": tokens.digest(key), "now": now()}
        found = await self._database.read(partial(holders.by_key, which))
        if found is None:
            raise errors.UnauthenticatedError(_BAD_KEY)
        known, owner = found
        self._last_use.note(known)
        noted().by(owner.id, owner.organisation_id)
        noted().api_key_id = known.id
        return Caller(owner, known)


def _those_there(which: Mapping[str, Any], session: orm.Session) -> list[Caller]:
    signed_in = session.execute(_STILL_SIGNED_IN, which)
    by_key = session.execute(_STILL_KEYS, which)
    return [
        *(SignedIn(user, sign_in_id=sign_in_id) for sign_in_id, user in signed_in),
        *(Caller(owner, key) for key, owner in by_key),
    ]
