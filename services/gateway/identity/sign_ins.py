"""Sign-ins: begun by whoever has proved who they are, continued with tokens, ended at once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import errors
from services.gateway.audit import noted
from services.gateway.database import Database
from services.gateway.identity.endings import revoke, revoke_by
from services.gateway.identity.idleness import Idleness
from services.gateway.identity.rotation import live, rotate
from services.gateway.records import (
    RefreshToken,
    SignIn,
    SignInMethod,
    User,
    now,
)
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
        access_tokens: tokens.AccessTokens,
        lifetime_s: int,
        idleness: Idleness,
        grace: timedelta = GRACE,
    ) -> None:
        """Build over the database.

        Args:
            database: remembers them.
            access_tokens: signs the short-lived tokens.
            lifetime_s: seconds after which the password is asked for again.
            idleness: how long one lasts that is not used.
            grace: how long a used refresh token may come again for a lost answer.

        """
        self._database = database
        self._access_tokens = access_tokens
        self._lifetime = timedelta(seconds=lifetime_s)
        self._grace = grace
        self._idleness = idleness

    async def begin_by_password(
        self,
        user_id: str,
        still: ColumnElement[bool],
        proving: Callable[[Session], object] | None = None,
    ) -> TokenPair | None:
        """Sign in a user whose password was right; None if what must hold of them does not.

        Args:
            user_id: theirs.
            still: what must hold of them.
            proving: takes, in the same transaction, what they prove themselves with besides, or
                raises. It is asked only where all that must hold does: nothing is used up for
                whoever is refused.

        """

        def proved(session: Session) -> SignIn | None:
            if not _holds(user_id, still, session):
                return None
            if proving is not None:
                proving(session)
            return SignIn(user_id=user_id, expires_at=now() + self._lifetime)

        return await self._begin(proved)

    async def begin_vouched(
        self, redeem: Callable[[Session], tuple[str, str | None]], lifetime: timedelta
    ) -> TokenPair | None:
        """Sign in a user for whom an identity provider vouches; None if they are disabled.

        Args:
            redeem: returns, in the transaction in which the sign-in begins, whose it is, and the
                digest of what the provider calls their session there.
            lifetime: after which the provider is asked again.

        """

        def vouched(session: Session) -> SignIn | None:
            user_id, provider_session = redeem(session)
            if not _holds(user_id, col(User.disabled).is_(False), session):
                return None
            return SignIn(
                user_id=user_id,
                expires_at=now() + lifetime,
                method=SignInMethod.OIDC,
                provider_session=provider_session,
            )

        return await self._begin(vouched)

    async def into_session(self, pair: TokenPair, former: str | None) -> str:
        """Return what a browser keeps of a sign-in; its refresh token is no good from then on.

        Args:
            pair: of the sign-in, as it began.
            former: the session that the browser had before; it ends.

        """
        secret = tokens.new_refresh_token()
        held = update(RefreshToken).where(
            col(RefreshToken.digest) == tokens.digest(pair.refresh_token)
        )
        left = select(col(RefreshToken.sign_in_id)).where(
            col(RefreshToken.digest) == tokens.session_digest(former or "")
        )
        ended = update(SignIn).where(col(SignIn.id).in_(left), col(SignIn.revoked_at).is_(None))

        def work(session: Session) -> None:
            session.execute(held.values(digest=tokens.session_digest(secret)))
            session.execute(ended.values(revoked_at=now()))

        await self._database.write(work)
        return secret

    async def holder(self, refresh_token: str) -> str | None:
        """Return whose refresh token it is; None if nobody's, or if its sign-in has ended."""
        if not tokens.is_formed(refresh_token):
            return None
        found = (
            select(col(SignIn.user_id))
            .join(RefreshToken, col(RefreshToken.sign_in_id) == col(SignIn.id))
            .where(col(RefreshToken.digest) == tokens.digest(refresh_token))
            .where(*live(self._idleness.since()))
        )
        holder: str | None = await self._database.read(lambda session: session.scalar(found))
        return holder

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
        await self._database.write(partial(revoke, sign_in_id))

    async def end_by(self, refresh_token: str) -> None:
        """End the sign-in that a refresh token belongs to; an unknown one is no error."""
        await self._database.write(partial(revoke_by, tokens.digest(refresh_token)))

    async def _begin(self, proved: Callable[[Session], SignIn | None]) -> TokenPair | None:
        refresh_token = tokens.new_refresh_token()
        begin = partial(_begin, proved, tokens.digest(refresh_token))
        sign_in = await self._database.write(begin)
        if sign_in is None:
            return None
        noted().entered = sign_in.id
        return await self._pair(sign_in.user_id, sign_in.id, refresh_token)

    async def _exchange(self, presented: str) -> TokenPair | None:
        successor = tokens.new_refresh_token()
        digests = tokens.digest(presented), tokens.digest(successor)
        work = partial(rotate, *digests, self._grace, self._idleness.since())
        claims = await self._database.write(work)
        if claims is None:
            return None
        return await self._pair(claims.user_id, claims.session_id, successor)

    async def _pair(self, user_id: str, sign_in_id: str, refresh_token: str) -> TokenPair:
        noted().by(user_id)
        access_token = await self._access_tokens.issue(tokens.Claims(user_id, sign_in_id))
        return TokenPair(access_token, refresh_token, self._access_tokens.lifetime_s)


def hold(user_id: str, session: Session) -> None:
    """Have those wait who change a user now, or what they are known by, until this is done."""
    session.execute(select(col(User.id)).where(col(User.id) == user_id).with_for_update())


def _holds(user_id: str, still: ColumnElement[bool], session: Session) -> bool:
    """Say whether something holds of a user, and will until this transaction is done."""
    # By a statement of its own: only the next one sees all that was waited for.
    hold(user_id, session)
    found = select(col(User.id)).where(col(User.id) == user_id, still)
    return session.scalar(found) is not None


def _begin(
    proved: Callable[[Session], SignIn | None], digest: str, session: Session
) -> SignIn | None:
    """Add a sign-in and its first refresh token; those of the user that have expired go.

    Args:
        proved: returns the sign-in of whoever has proved who they are, whom it holds; None of
            whoever has not.
        digest: of the token.
        session: of the database.

    """
    sign_in = proved(session)
    if sign_in is None:
        return None
    session.execute(
        delete(SignIn).where(col(SignIn.user_id) == sign_in.user_id, col(SignIn.expires_at) < now())
    )
    session.add(sign_in)
    session.flush()
    session.add(RefreshToken(digest=digest, sign_in_id=sign_in.id))
    return sign_in
