"""Codes of second factors, each taken once: by the database, however many replicas are asked."""

from functools import partial

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from services import telemetry
from services.gateway import errors
from services.gateway.audit import noted
from services.gateway.records import RecoveryCode, SecondFactor, User, now
from services.gateway.security import one_time_codes, tokens
from services.gateway.security.sealing import Seal, SealError

REFUSED = "The code is wrong, used already or too old. Wait for the next one, or use another."

_SEALED_ELSEWHERE = "The code cannot be checked here. Use a recovery code, or tell the operators."

_log = telemetry.logger(__name__)


class FactorCodes:
    """Knows the secrets of second factors, and takes their codes within a transaction."""

    def __init__(self, seal: Seal) -> None:
        """Build with what secrets are kept by."""
        self._seal = seal

    def new(self, user_id: str, secret: str) -> SecondFactor:
        """Return a second factor of a user that is not in force yet."""
        return SecondFactor(user_id=user_id, sealed=self._seal.close(secret.encode(), _of(user_id)))

    def step(self, factor: SecondFactor, code: str) -> int | None:
        """Return the step that a code of a second factor is of; None if it is of none about now.

        Raises:
            UnavailableError: the secret was sealed with another key.

        """
        try:
            secret = self._seal.open(factor.sealed, _of(factor.user_id)).decode()
        except SealError as error:
            _log.error("second factor is sealed with another key", user_id=factor.user_id)
            raise errors.UnavailableError(_SEALED_ELSEWHERE) from error
        return one_time_codes.step_of(secret, one_time_codes.typed(code), now())

    def take(self, user_id: str, code: str, session: Session) -> bool:
        """Take a code of a user whose second factor is in force; return whether it was good.

        Who asks holds the user already. The audit is told which kind of code it was.

        Raises:
            UnavailableError: the secret was sealed with another key.

        """
        typed = one_time_codes.typed(code)
        if one_time_codes.is_of_the_moment(typed):
            kind, take = "code", partial(self._take_step, user_id, typed)
        else:
            kind, take = "recovery_code", partial(_take_recovery_code, user_id, typed)
        taken = take(session)
        noted().detail["second_factor"] = kind if taken else "refused"
        return taken

    def _take_step(self, user_id: str, typed: str, session: Session) -> bool:
        factor = session.get(SecondFactor, user_id)
        step = None if factor is None else self.step(factor, typed)
        if step is None:
            return False
        # Not what was read a moment ago decides, but what is there now.
        taking = (
            update(SecondFactor)
            .where(
                col(SecondFactor.user_id) == user_id,
                col(SecondFactor.confirmed_at).is_not(None),
                col(SecondFactor.last_step) < step,
            )
            .values(last_step=step)
            .returning(col(SecondFactor.user_id))
            .execution_options(synchronize_session=False)
        )
        return session.scalar(taking) is not None


def in_force(user_id: str, session: Session) -> bool:
    """Say whether a user has a second factor."""
    found = select(col(SecondFactor.user_id)).where(
        col(SecondFactor.user_id) == user_id, col(SecondFactor.confirmed_at).is_not(None)
    )
    return session.scalar(found) is not None


def in_force_where(user_id: str, still: ColumnElement[bool], session: Session) -> bool | None:
    """Say whether a user has a second factor; None where something else does not hold of them."""
    if session.scalar(select(col(User.id)).where(col(User.id) == user_id, still)) is None:
        return None
    return in_force(user_id, session)


def whoever_has_one() -> ColumnElement[bool]:
    """Return what holds of users who have a second factor."""
    owners = select(col(SecondFactor.user_id)).where(col(SecondFactor.confirmed_at).is_not(None))
    return col(User.id).in_(owners)


def renew_recovery_codes(user_id: str, session: Session) -> list[str]:
    """Put new recovery codes in the place of those that a user has; return them."""
    codes = one_time_codes.new_recovery_codes()
    remove_recovery_codes(user_id, session)
    session.add_all(RecoveryCode(digest=_digest(code), user_id=user_id) for code in codes)
    return codes


def remove_recovery_codes(user_id: str, session: Session) -> None:
    """Take all recovery codes of a user away."""
    session.execute(
        delete(RecoveryCode)
        .where(col(RecoveryCode.user_id) == user_id)
        .execution_options(synchronize_session=False)
    )


def _take_recovery_code(user_id: str, typed: str, session: Session) -> bool:
    taking = (
        delete(RecoveryCode)
        .where(col(RecoveryCode.user_id) == user_id, col(RecoveryCode.digest) == _digest(typed))
        .returning(col(RecoveryCode.user_id))
        .execution_options(synchronize_session=False)
    )
    return session.scalar(taking) is not None


def _digest(code: str) -> str:
    return tokens.digest(one_time_codes.typed(code))


def _of(user_id: str) -> str:
    return f"second factor of {user_id}"
