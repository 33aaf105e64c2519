"""Sign-ins of people for whom an identity provider vouches.

Who somebody is, issuer and subject say and nothing else: no username and no address of theirs ever
leads to an account that was there before. What they may do is decided anew each time they come.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlmodel import col

from services import telemetry
from services.gateway import errors
from services.gateway.audit import noted
from services.gateway.database import Database, remove_old
from services.gateway.identity.endings import end_sign_ins
from services.gateway.identity.sign_ins import SignIns, TokenPair, hold
from services.gateway.provider import Answer, Leaving, Provider, Rules, Transaction, Voucher
from services.gateway.provider.rules import username
from services.gateway.records import (
    LinkedIdentity,
    Organisation,
    SignIn,
    SignInMethod,
    User,
    VouchedSignIn,
    new_id,
    now,
)
from services.gateway.security import tokens

_FETCHED_WITHIN = timedelta(seconds=60)
_CLEANED = 100
_NO_ACCOUNT = "Your identity provider knows you, but there is no place for you here."
_NOT_VOUCHED = "Nobody has vouched for this browser within the last minute. Sign in again."

_log = telemetry.logger(__name__)

Which = Callable[[type[SignIn] | type[VouchedSignIn]], list[ColumnElement[bool]]]
"""Returns what holds of those that are meant, among sign-ins and among those yet to begin."""


class VouchedSignIns:
    """Signs people in who come from the identity provider."""

    def __init__(
        self,
        database: Database,
        provider: Provider,
        rules: Rules,
        sign_ins: SignIns,
        lifetime: timedelta,
    ) -> None:
        """Build over the database.

        Args:
            database: has users and what they are known by.
            provider: vouches for people.
            rules: what its claims mean here.
            sign_ins: begins theirs.
            lifetime: after which the provider is asked again.

        """
        self._database = database
        self._provider = provider
        self._rules = rules
        self._sign_ins = sign_ins
        self._lifetime = lifetime

    async def address(self, transaction: Transaction) -> str:
        """Return where a browser is sent to sign in; raises what ``Provider.address`` does."""
        return await self._provider.address(transaction)

    async def admit(self, transaction: Transaction | None, answer: Answer) -> str:
        """Let somebody in who comes back from the provider.

        Returns:
            What their browser fetches its tokens with, once and within a minute.

        Raises:
            NoAccountError: there is no place for them here.
            SignInFailedError, ProviderRefusedError, UnavailableError, UpstreamError: as
                ``Provider.vouch`` has it.

        """
        voucher = await self._provider.vouch(transaction, answer)
        ticket = tokens.new_refresh_token()
        try:
            refused = await self._admit(voucher, ticket)
        except IntegrityError:
            # They came twice at once, or their name was taken at this moment.
            refused = await self._admit(voucher, ticket)
        if refused is not None:
            _log.warning("no account for whom the identity provider knows", reason=refused)
            raise errors.NoAccountError(_NO_ACCOUNT)
        return ticket

    async def redeem(self, ticket: str) -> TokenPair:
        """Return the tokens of somebody who was let in.

        Raises:
            SignInFailedError: nobody was, it is too long ago, they have them already, or all their
                sign-ins were ended meanwhile.
            NoAccountError: they are disabled.

        """
        redeem = partial(_redeem, tokens.digest(ticket))
        pair = await self._sign_ins.begin_vouched(redeem, self._lifetime)
        if pair is None:
            raise errors.NoAccountError(_NO_ACCOUNT)
        return pair

    async def end(self, logout_token: str) -> None:
        """End the sign-ins of a session at the provider, or all of somebody who left it.

        Raises:
            InvalidLogoutTokenError: it is no word of the provider.
            UnavailableError, UpstreamError: the provider's keys cannot be had.

        """
        await self._database.write(partial(_end, await self._provider.left(logout_token)))

    async def _admit(self, voucher: Voucher, ticket: str) -> str | None:
        work = partial(_admit, voucher, self._rules, tokens.digest(ticket))
        return await self._database.write(work)


def _admit(voucher: Voucher, rules: Rules, digest: str, session: Session) -> str | None:
    """Let somebody in under the rules of now; return why not, None if so."""
    known = session.scalar(
        select(User)
        .join(LinkedIdentity, col(LinkedIdentity.user_id) == col(User.id))
        .where(
            col(LinkedIdentity.issuer) == voucher.issuer,
            col(LinkedIdentity.subject) == voucher.subject,
        )
        # The link too: nobody comes in by one that is being taken away.
        .with_for_update(of=(User, LinkedIdentity))
    )
    user = known or _newcomer(voucher, rules, session)
    if user is not None:
        noted().by(user.id, user.organisation_id)
        noted().concerns(user.id)
    refused = "unknown" if user is None else _refusal(user, voucher, rules, session)
    if user is None or refused is not None:
        if known is not None:
            # The provider does not vouch for them any more.
            end_vouched(session, lambda table: [col(table.user_id) == known.id])
        return refused
    noted().detail["role"] = str(user.role)
    remove_old(session, VouchedSignIn.created_at, now() - _FETCHED_WITHIN, _CLEANED)
    at_provider = tokens.digest(voucher.session) if voucher.session else None
    session.add(VouchedSignIn(digest=digest, user_id=user.id, provider_session=at_provider))
    return None


def _newcomer(voucher: Voucher, rules: Rules, session: Session) -> User | None:
    """Return a new user where the rules make one of whoever comes for the first time."""
    role = rules.role(voucher.claims)
    organisation = _organisation(voucher, rules, session)
    if not rules.create_users or role is None or organisation is None:
        return None
    user = User(
        organisation_id=organisation.id,
        username=_free_name(voucher, session),
        password_hash="",  # they have none
        role=role,
    )
    session.add(user)
    session.flush()
    session.add(
        LinkedIdentity(
            organisation_id=organisation.id,
            user_id=user.id,
            issuer=voucher.issuer,
            subject=voucher.subject,
        )
    )
    return user


def _refusal(user: User, voucher: Voucher, rules: Rules, session: Session) -> str | None:
    """Give a user the role that they have by now, or say why they have no place here."""
    if user.disabled:
        return "disabled"
    if rules.organisation_claim:
        organisation = _organisation(voucher, rules, session)
        # Records stay where they are, so nobody is moved.
        if organisation is None or organisation.id != user.organisation_id:
            return "organisation"
    if rules.role_claim:
        role = rules.role(voucher.claims)
        if role is None:
            return "role"
        # To come in again with the same role changes nothing that an administrator has seen.
        if role != user.role:
            user.role = role
            user.revision += 1
    return None


def _organisation(voucher: Voucher, rules: Rules, session: Session) -> Organisation | None:
    name = rules.organisation_of(voucher.claims)
    called = select(Organisation).where(col(Organisation.name) == name)
    found: Organisation | None = session.scalar(called)
    return found


def _free_name(voucher: Voucher, session: Session) -> str:
    """Return what they are called at the provider, or a name of ours where that is taken."""
    name = username(voucher.claims)
    taken = select(col(User.id)).where(col(User.username) == name)
    if name is None or session.scalar(taken) is not None:
        return f"oidc-{new_id()}"
    return name


def _end(leaving: Leaving, session: Session) -> None:
    """End what somebody who leaves the provider began there."""

    def which(table: type[SignIn] | type[VouchedSignIn]) -> list[ColumnElement[bool]]:
        found = []
        if leaving.session is not None:
            found.append(col(table.provider_session) == tokens.digest(leaving.session))
        if leaving.subject is not None:
            known = select(col(LinkedIdentity.user_id)).where(
                col(LinkedIdentity.issuer) == leaving.issuer,
                col(LinkedIdentity.subject) == leaving.subject,
            )
            found.append(col(table.user_id).in_(known))
        return found

    end_vouched(session, which)


def end_vouched(session: Session, which: Which) -> None:
    """End what began at a provider: tokens that wait to be fetched, then sign-ins."""
    # Whoever is fetching theirs has this row, and is waited for; then their sign-in is there.
    session.execute(
        delete(VouchedSignIn)
        .where(*which(VouchedSignIn))
        .execution_options(synchronize_session=False)
    )
    end_sign_ins(session, SignInMethod.OIDC, *which(SignIn))


def _redeem(digest: str, session: Session) -> tuple[str, str | None]:
    """Take a ticket; return whose it is and their session at the provider."""
    waiting = (
        col(VouchedSignIn.digest) == digest,
        col(VouchedSignIn.created_at) > now() - _FETCHED_WITHIN,
    )
    owner = session.scalar(select(col(VouchedSignIn.user_id)).where(*waiting))
    if owner is not None:
        # First, as whoever lets them in or keeps them out has it: none waits for the other.
        hold(owner, session)
    taken = (
        delete(VouchedSignIn)
        .where(*waiting)
        .returning(col(VouchedSignIn.user_id), col(VouchedSignIn.provider_session))
        .execution_options(synchronize_session=False)
    )
    found = session.execute(taken).one_or_none()
    if found is None:
        raise errors.SignInFailedError(_NOT_VOUCHED)
    return found[0], found[1]
