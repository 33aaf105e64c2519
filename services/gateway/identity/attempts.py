"""Tries of passwords: after some wrong ones in a place, each further one has to wait.

Delays count for an account and a place together, so that nobody keeps an owner out from
elsewhere. A place is a device that the account was used on before (it holds a token that an
earlier sign-in gave it), else the client's network. Guessers with many networks are slowed
together, by a count for the account over all places that it was never used from. This follows
OWASP's "Slow Down Online Guessing Attacks with Device Cookies".

A try is counted before its password is looked at, so that many at once get no more of them.
Who has to wait is told so without a look at the password, whether or not the user exists. The
counts are in the database, where all replicas see them, and go by its clock.
"""

import math
import secrets
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import errors
from services.gateway.database import Database, moment_of, remove_old
from services.gateway.identity.origin import Origin, digest
from services.gateway.records import FailedAttempts, FamiliarPlace, Record, User, is_username

FREE = 10
"""Wrong passwords in one place before the next has to wait: a second, then twice as long."""
MOST_WAIT = timedelta(minutes=15)

STRANGERS_FREE = 100
"""Wrong passwords from all places where an account was never used, before they wait together.

No more than NIST SP 800-63B (5.2.2) allows in a row.
"""
STRANGERS_MOST_WAIT = timedelta(minutes=1)

MEMORY = timedelta(days=1)
"""How long after the last try a count is forgotten."""

FAMILIAR = timedelta(days=180)
"""How long after its last sign-in a place is known."""

_KEPT_PLACES = 32
_CLEANED_EVERY = 256
# A try adds two of each kind at most.
_CLEANED_AT_ONCE = 4 * _CLEANED_EVERY
_INSERT = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try that has been let in, and what it was counted under."""

    place: str
    strangers: str | None = None

    @property
    def limits(self) -> list[tuple[str, int, timedelta]]:
        """Each count with its free tries and its longest wait."""
        place = [(self.place, FREE, MOST_WAIT)]
        if self.strangers is None:
            return place
        return [*place, (self.strangers, STRANGERS_FREE, STRANGERS_MOST_WAIT)]


class Attempts:
    """Counts tries, and makes those wait that come after too many wrong ones."""

    def __init__(self, database: Database) -> None:
        """Build over the database that remembers them."""
        self._database = database
        self._begun = count()

    async def begin(self, name: str, origin: Origin) -> Attempt:
        """Count a try to sign in.

        Raises:
            TooManyAttemptsError: there were too many; the error says how long to wait.

        """
        if next(self._begun) % _CLEANED_EVERY == 0:
            await self._database.write(_clean)
        return await self._database.write(partial(_begin, name, origin))

    async def begin_inside(self, name: str, sign_in_id: str) -> Attempt:
        """Count a try of somebody who is signed in and says their password again.

        Raises:
            TooManyAttemptsError: there were too many; the error says how long to wait.

        """
        attempt = Attempt(digest(name, "sign-in", sign_in_id))
        await self._database.write(partial(_count, attempt))
        return attempt

    async def take_back(self, attempt: Attempt) -> None:
        """Count a try no more that was no guess: nobody looked at it, or what was shown was right.

        Those before it stay counted, unlike after a sign-in.
        """
        await self._database.write(partial(_take_back, attempt))

    async def succeed(self, attempt: Attempt, user_id: str, origin: Origin) -> str:
        """Note that a try was right; return the token that the user's device shows next time."""
        device = origin.device or secrets.token_urlsafe(32)
        shown = Origin(origin.address, device)
        await self._database.write(partial(_succeed, attempt, user_id, shown))
        return device


def forget_places(user_id: str, session: Session) -> None:
    """Make every place strange to a user, who proves from now on by something else who they are."""
    session.execute(
        delete(FamiliarPlace)
        .where(col(FamiliarPlace.user_id) == user_id)
        .execution_options(synchronize_session=False)
    )


def _begin(name: str, origin: Origin, session: Session) -> Attempt:
    familiar = _familiar(name, origin, session)
    if origin.device_digest in familiar:
        attempt = Attempt(digest(name, origin.device_digest or ""))
    elif origin.network_digest in familiar:
        attempt = Attempt(digest(name, origin.network_digest))
    else:
        attempt = Attempt(digest(name, origin.network_digest), digest(name, "strangers"))
    _count(attempt, session)
    return attempt


def _familiar(name: str, origin: Origin, session: Session) -> set[str]:
    """Return which of the places of an origin an account was used from."""
    if not is_username(name):
        return set()
    found = (
        select(col(FamiliarPlace.digest))
        .join(User, col(User.id) == col(FamiliarPlace.user_id))
        .where(
            col(User.username) == name,
            col(FamiliarPlace.digest).in_(origin.digests),
            col(FamiliarPlace.used_at) > moment_of(session) - FAMILIAR,
        )
    )
    return set(session.scalars(found))


def _count(attempt: Attempt, session: Session) -> None:
    rows = [_held(key, session) for key, *_ in attempt.limits]
    # Only now: others may have been waited for.
    moment = moment_of(session)
    limited = list(zip(rows, attempt.limits, strict=True))
    waits = [row.open_at - moment for row, (_, free, _) in limited if row.count > free]
    wait = max(waits, default=timedelta())
    if wait > timedelta():
        raise errors.TooManyAttemptsError(
            f"There were too many wrong passwords or codes. Try again in {_spoken(wait)}.",
            wait.total_seconds(),
        )
    for row, (_, free, most) in limited:
        row.count = 1 if moment - row.last_at > MEMORY else row.count + 1
        row.last_at, row.open_at = moment, moment + _delay(row.count - free, most)


def _delay(beyond: int, most: timedelta) -> timedelta:
    """Return how long to wait after so many tries beyond the free ones."""
    if beyond <= 0:
        return timedelta()
    # The exponent is bounded: a count may grow for a year.
    return min(most, timedelta(seconds=2.0 ** min(beyond - 1, 30)))


def _spoken(wait: timedelta) -> str:
    minutes, seconds = divmod(math.ceil(wait.total_seconds()), 60)
    if minutes:
        # A minute too late is no try too early.
        minutes += seconds > 0
    number, unit = (minutes, "minute") if minutes else (seconds, "second")
    return f"{number} {unit}{'' if number == 1 else 's'}"


def _held(key: str, session: Session) -> FailedAttempts:
    """Return a count that nobody else changes until this transaction ends."""
    # An insert that changes nothing still locks the row: had it only been there, somebody's
    # right password could remove it before it is held.
    insert: Any = _INSERT[session.get_bind().dialect.name](FailedAttempts)
    insert = insert.values(FailedAttempts(digest=key).model_dump())
    same = {"count": col(FailedAttempts.count)}
    session.execute(insert.on_conflict_do_update(index_elements=["digest"], set_=same))
    held = select(FailedAttempts).where(col(FailedAttempts.digest) == key).with_for_update()
    return session.scalars(held).one()


def _take_back(attempt: Attempt, session: Session) -> None:
    for key, *_ in attempt.limits:
        _count_down(key, session)


def _count_down(key: str, session: Session) -> None:
    session.execute(
        update(FailedAttempts)
        .where(col(FailedAttempts.digest) == key, col(FailedAttempts.count) > 0)
        .values(count=col(FailedAttempts.count) - 1, open_at=moment_of(session))
    )


def _succeed(attempt: Attempt, user_id: str, origin: Origin, session: Session) -> None:
    # The place first and once, as when it is counted: two who each hold what the other wants
    # would wait for ever.
    session.execute(delete(FailedAttempts).where(col(FailedAttempts.digest) == attempt.place))
    if attempt.strangers is not None:
        _count_down(attempt.strangers, session)
    of_user = col(FamiliarPlace.user_id) == user_id
    for place in origin.digests:
        _add(session, FamiliarPlace(user_id=user_id, digest=place))
    seen = update(FamiliarPlace).where(of_user, col(FamiliarPlace.digest).in_(origin.digests))
    session.execute(seen.values(used_at=moment_of(session)))
    latest = select(col(FamiliarPlace.digest)).where(of_user)
    latest = latest.order_by(col(FamiliarPlace.used_at).desc()).limit(_KEPT_PLACES)
    session.execute(
        delete(FamiliarPlace)
        .where(of_user, col(FamiliarPlace.digest).not_in(latest))
        .execution_options(synchronize_session=False)
    )


def _clean(session: Session) -> None:
    """Remove what no longer counts: of each kind the oldest, more than come in meanwhile."""
    moment = moment_of(session)
    remove_old(session, FailedAttempts.last_at, moment - MEMORY, _CLEANED_AT_ONCE)
    remove_old(session, FamiliarPlace.used_at, moment - FAMILIAR, _CLEANED_AT_ONCE)


def _add(session: Session, row: Record) -> None:
    """Add a row unless it is there; who is second of two waits for the first."""
    insert: Any = _INSERT[session.get_bind().dialect.name](type(row))
    session.execute(insert.values(row.model_dump()).on_conflict_do_nothing())
