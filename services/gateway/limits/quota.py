"""A quota that replicas share: units are leased from the database, some at a time.

What a replica may spend it has taken from the shared count before, and it does not keep it beyond
the window that the count is of. So all replicas together never spend more than the quota in one
window, and most requests ask no database. The price: what a replica has leased and does not spend
is lost to the others until the window ends, a sixteenth of what was left at most.

While the database takes no writes, reading goes on: each replica then spends a sixteenth of the
quota a second without asking.
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

from sqlalchemy import func, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlmodel import col

from services import telemetry
from services.gateway.database import Database, remove_old
from services.gateway.limits.policy import Policy, Standing
from services.gateway.records import QuotaUse, now
from services.gateway.records.base import UtcDateTime
from services.gateway.security import tokens

_SHARE = 16
"""What is left in a window is leased by parts of this size: larger ones ask more seldom."""

_GUESSED_S = 1.0
"""How long nobody asks a database again that did not answer in time."""

_CLEANED_EVERY = 256
_KEPT = timedelta(hours=1)

_log = telemetry.logger(__name__)


@dataclass(slots=True)
class _Lease:
    """What this replica may spend of somebody's quota, and what is left for all.

    Attributes:
        units: to be spent here.
        left: what nobody had leased when it was last asked; there may be less by now.
        ends_at: the end of the window, by the database's clock.
        until: the same by this process's own, which nobody sets.
        asking: under way to the database; None if nobody is.

    """

    units: int = 0
    left: int = 0
    ends_at: datetime | None = None
    until: float = 0.0
    asking: asyncio.Task[None] | None = None

    def decides(self, cost: int) -> bool:
        """Whether it can be said without the database if there are so many units."""
        return time.monotonic() < self.until and (self.units >= cost or not self.left)

    def add(self, taken: "_Taken", asked_at: float) -> None:
        """Note what was leased."""
        kept = self.units if taken.ends_at == self.ends_at else 0
        self.units, self.left, self.ends_at = kept + taken.units, taken.left, taken.ends_at
        self.until = asked_at + taken.seconds


@dataclass(frozen=True, slots=True)
class _Taken:
    units: int
    left: int
    ends_at: datetime | None
    seconds: float


class Quota:
    """Counts what everybody spends under one policy."""

    def __init__(self, database: Database, policy: Policy, patience_s: float) -> None:
        """Build over the database that all replicas share, within all organisations.

        Args:
            database: counts.
            policy: says how much there is.
            patience_s: seconds that a request waits for its quota to be counted.

        """
        self._database = database
        self._patience_s = patience_s
        self._policy = policy
        self._leases: dict[str, _Lease] = {}
        self._asked = count()

    async def take(self, who: str, cost: int) -> Standing | None:
        """Spend units of somebody's quota.

        Args:
            who: names the one whose quota it is.
            cost: how many units; who asks for more than there ever are takes all there are.

        Returns:
            Where they stand then; None if there is no limit.

        """
        if not self._policy.quota:
            return None
        cost = min(cost, self._policy.quota)
        lease = self._leases.get(who)
        if lease is None:
            lease = self._leases[who] = _Lease()
        while not lease.decides(cost):
            await self._renew(who, lease, cost)
        enough = lease.units >= cost
        if enough:
            lease.units -= cost
        seconds = max(0.0, lease.until - time.monotonic())
        return Standing(self._policy, enough, lease.units + lease.left, seconds)

    async def close(self) -> None:
        """Wait until nobody asks the database any more."""
        asking = [lease.asking for lease in self._leases.values() if lease.asking]
        await asyncio.gather(*asking)

    async def _renew(self, who: str, lease: _Lease, cost: int) -> None:
        if lease.asking is None:
            lease.asking = asyncio.create_task(self._ask(who, lease, cost))
        # It goes on without whoever has no more patience, or leaves.
        done, _ = await asyncio.wait([lease.asking], timeout=self._patience_s)
        if not done and not lease.decides(cost):
            self._guess(lease, cost)

    async def _ask(self, who: str, lease: _Lease, cost: int) -> None:
        # From before the database looks at its clock: a lease must not outlive its window.
        asked_at = time.monotonic()
        try:
            if next(self._asked) % _CLEANED_EVERY == 0:
                await self._clean()
            key = tokens.digest(f"{self._policy.name}\n{who}")
            taken = await self._database.write(partial(_take, self._policy, key, cost))
        except Exception:  # noqa: BLE001 - whatever it is, who waits would else ask for ever
            _log.exception("a quota was not counted")
            self._guess(lease, cost)
        else:
            lease.add(taken, asked_at)
        finally:
            lease.asking = None

    def _guess(self, lease: _Lease, cost: int) -> None:
        """Go on without the database, as if it had leased what it usually does."""
        units = max(cost, self._policy.quota // _SHARE)
        lease.add(_Taken(units, 0, None, _GUESSED_S), time.monotonic())

    async def _clean(self) -> None:
        moment = time.monotonic()
        self._leases = {
            who: lease
            for who, lease in self._leases.items()
            if lease.until > moment or lease.asking
        }
        oldest = now() - _KEPT
        clean = partial(remove_old, at=QuotaUse.ends_at, before=oldest, most=4 * _CLEANED_EVERY)
        await self._database.write(clean)


def _take(policy: Policy, key: str, cost: int, session: Session) -> _Taken:
    used, ends_at, moment = _held(key, session)
    window = timedelta(seconds=policy.window_s)
    # No window ends later than one that begins now, unless somebody has set the clock back.
    if not moment < ends_at <= moment + window:
        used, ends_at = 0, moment + window
    left = max(0, policy.quota - used)
    units = min(left, max(cost, left // _SHARE))
    session.execute(
        update(QuotaUse)
        .where(col(QuotaUse.digest) == key)
        .values(used=used + units, ends_at=ends_at)
        .execution_options(synchronize_session=False)
    )
    return _Taken(units, left - units, ends_at, (ends_at - moment).total_seconds())


def _held(key: str, session: Session) -> tuple[int, datetime, datetime]:
    """Return a count that nobody else changes until this transaction ends, and the time.

    The time is the database's, so that replicas need not agree on one; SQLite has the machine's.
    """
    inserted = QuotaUse(digest=key).model_dump()
    same = {"used": col(QuotaUse.used)}
    count_and_end = (col(QuotaUse.used), col(QuotaUse.ends_at))
    insert: Any
    if session.get_bind().dialect.name == "sqlite":
        insert = sqlite.insert(QuotaUse).values(inserted)
        insert = insert.on_conflict_do_update(index_elements=["digest"], set_=same)
        used, ends_at = session.execute(insert.returning(*count_and_end)).one()
        return used, ends_at, now()
    insert = postgresql.insert(QuotaUse).values(inserted)
    insert = insert.on_conflict_do_update(index_elements=["digest"], set_=same)
    clock = func.clock_timestamp(type_=UtcDateTime())
    used, ends_at, moment = session.execute(insert.returning(*count_and_end, clock)).one()
    return used, ends_at, moment
