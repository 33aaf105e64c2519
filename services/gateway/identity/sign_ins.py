"""Sign-ins: begun with a password, continued with refresh tokens, ended at once.

A refresh token is good for one use (RFC 9700, 4.14.2). The same token coming a second time
means that two hold it, and we cannot know who is the thief: the whole sign-in ends. One case
is harmless, an answer that was lost on its way. So for a few seconds the last token may be
used again, as long as what it was exchanged for was never used; that one is dead from then
on, and there is never more than one live token in a sign-in.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import errors
from services.gateway.database import Database
from services.gateway.identity.attempts import Attempts
from services.gateway.identity.origin import Origin
from services.gateway.identity.passwords import Passwords
from services.gateway.records import RefreshToken, SignIn, User, is_username, now
from services.gateway.security import tokens

GRACE = timedelta(seconds=10)
"""How long after its use a refresh token may be used again for a lost answer."""


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a client gets to prove who it is, and to go on doing so.

    ``device`` is shown at the next sign-in on the same device; it proves nothing else.
    """

    access_token: str
    refresh_token: str
    expires_in: int
    device: str | None = None


class SignIns:
    """Begins, continues and ends sign-ins."""

    def __init__(
        self,
        database: Database,
        passwords: Passwords,
        attempts: Attempts,
        access_tokens: tokens.AccessTokens,
        lifetime_s: int,
        grace: timedelta = GRACE,
    ) -> None:
        """Build over the database.

        Args:
            database: remembers them.
            passwords: checks them.
            attempts: makes those wait who guess.
            access_tokens: signs the short-lived tokens.
            lifetime_s: seconds after which the password is asked for again.
            grace: how long a used refresh token may come again for a lost answer.

        """
        self._database = database
        self._passwords = passwords
        self._attempts = attempts
        self._access_tokens = access_tokens
        self._lifetime = timedelta(seconds=lifetime_s)
        self._grace = grace

    async def begin(self, username: str, password: str, origin: Origin) -> TokenPair:
        """Sign in with a password.

        Args:
            username: in any case.
            password: of the user.
            origin: where the request comes from.

        Raises:
            TooManyAttemptsError: there were too many wrong passwords.
            UnauthenticatedError: there is no such user, the password is wrong, or the user is
                disabled; which one cannot be told from the answer or its time.
            UnavailableError: too many passwords are being checked.

        """
        name = username.lower()
        attempt = await self._attempts.begin(name, origin)
        user = await self._called(name)
        try:
            right = await self._passwords.match(password, user)
        except errors.UnavailableError:
            await self._attempts.take_back(attempt)
            raise
        if user is None or not right or user.disabled:
            raise errors.UnauthenticatedError("The username or the password is wrong.")
        device = await self._attempts.succeed(attempt, user.id, origin)
        return replace(await self.begin_for(user), device=device)

    async def _called(self, name: str) -> User | None:
        if not is_username(name):
            return None
        found = select(User).where(col(User.username) == name)
        user: User | None = await self._database.read(lambda session: session.scalar(found))
        return user

    async def begin_for(self, user: User) -> TokenPair:
        """Sign in a user who has just proved who they are."""
        sign_in = SignIn(user_id=user.id, expires_at=now() + self._lifetime)
        refresh_token = tokens.new_refresh_token()
        await self._database.write(partial(_begin, sign_in, tokens.digest(refresh_token)))
        return self._pair(user.id, sign_in.id, refresh_token)

    async def refresh(self, presented: str) -> TokenPair:
        """Exchange a refresh token for a new pair.

        Raises:
            UnauthenticatedError: the token is unknown, expired, ended, or was used before; in
                the last case the sign-in has ended.

        """
        pair = await self._exchange(presented)
        if pair is None:
            raise errors.UnauthenticatedError("The refresh token is not valid. Sign in again.")
        return pair

    async def end(self, sign_in_id: str) -> None:
        """End a sign-in: none of its tokens is good any more."""
        await self._database.write(partial(_revoke, sign_in_id))

    async def end_by(self, refresh_token: str) -> None:
        """End the sign-in that a refresh token belongs to; an unknown one is no error."""
        await self._database.write(partial(_revoke_by, tokens.digest(refresh_token)))

    async def _exchange(self, presented: str) -> TokenPair | None:
        successor = tokens.new_refresh_token()
        digests = tokens.digest(presented), tokens.digest(successor)
        claims = await self._database.write(partial(_rotate, *digests, self._grace))
        return self._pair(claims.user_id, claims.session_id, successor) if claims else None

    def _pair(self, user_id: str, sign_in_id: str, refresh_token: str) -> TokenPair:
        access_token = self._access_tokens.issue(tokens.Claims(user_id, sign_in_id))
        return TokenPair(access_token, refresh_token, self._access_tokens.lifetime_s)


def _begin(sign_in: SignIn, digest: str, session: Session) -> None:
    """Add a sign-in and its first refresh token; those of the user that have expired go."""
    session.execute(
        delete(SignIn).where(col(SignIn.user_id) == sign_in.user_id, col(SignIn.expires_at) < now())
    )
    session.add(sign_in)
    session.flush()
    session.add(RefreshToken(digest=digest, sign_in_id=sign_in.id))


def _rotate(
    presented: str, successor: str, grace: timedelta, session: Session
) -> tokens.Claims | None:
    """Put one refresh token in the place of another, or end a sign-in where two hold one.

    Args:
        presented: digest of the one that came.
        successor: digest of the one that is to be given out.
        grace: how long a used one may come again.
        session: of the database.

    Returns:
        Whose it is; None where nobody gets one.

    """
    token = session.get(RefreshToken, presented)
    if token is None:
        return None
    user_id = _hold(token.sign_in_id, session)
    if user_id is None:
        return None
    # Read again: others with the same token may have been here before us.
    session.refresh(token)
    if not _may_be_used(token, grace, session):
        _revoke(token.sign_in_id, session)
        return None
    token.rotated_at = token.rotated_at or now()
    token.successor = successor
    session.add(RefreshToken(digest=successor, sign_in_id=token.sign_in_id))
    return tokens.Claims(user_id, token.sign_in_id)


def _may_be_used(token: RefreshToken, grace: timedelta, session: Session) -> bool:
    """Say whether a token is live, or comes again because an answer was lost."""
    if token.rotated_at is None:
        return True
    if token.successor is None or now() - token.rotated_at > grace:
        return False
    lost = session.get(RefreshToken, token.successor)
    if lost is None or lost.rotated_at is not None:
        return False
    # Dead and without a successor: should it turn up after all, it ends the sign-in.
    lost.rotated_at = now()
    return True


def _hold(sign_in_id: str, session: Session) -> str | None:
    """Take a sign-in for this transaction; return its user, or None if it has ended.

    Writing first makes others wait: on PostgreSQL for the row, on SQLite for the database.
    """
    held = (
        update(SignIn)
        .where(
            col(SignIn.id) == sign_in_id,
            col(SignIn.revoked_at).is_(None),
            col(SignIn.expires_at) > now(),
            col(SignIn.user_id).in_(select(col(User.id)).where(col(User.disabled).is_(False))),
        )
        .values(used_at=now())
        .returning(col(SignIn.user_id))
        .execution_options(synchronize_session=False)
    )
    user_id: str | None = session.scalar(held)
    return user_id


def _revoke(sign_in_id: str, session: Session) -> None:
    session.execute(
        update(SignIn)
        .where(col(SignIn.id) == sign_in_id, col(SignIn.revoked_at).is_(None))
        .values(revoked_at=now())
        .execution_options(synchronize_session=False)
    )


def _revoke_by(digest: str, session: Session) -> None:
    found = session.get(RefreshToken, digest)
    if found is not None:
        _revoke(found.sign_in_id, session)
