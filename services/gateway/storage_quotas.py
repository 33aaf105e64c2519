"""How much may be kept for a user and for an organisation, and how much is.

What is kept is counted in the transaction that records it, in rows that it holds until its end:
so however many come at once, none gets past a quota. It is given back when it is purged.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

from sqlalchemy import Table, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import errors
from services.gateway.database import Database, Scope, unscoped
from services.gateway.metrics import Metrics
from services.gateway.records import Owned, Record, Usage

_ORGANISATIONS: Table = Record.metadata.tables["organisations"]
_USAGE: Table = Record.metadata.tables["usage"]
_COUNTED = ("bytes", "pictures")

_ROOMY_S = 5.0
"""How long nobody looks again whether there is room for one more where half of all was free."""

_MOST_ROOMY = 10_000

_ALL, _OWN = _USAGE.alias(), _USAGE.alias()
# Asked at every picture: built, and turned into SQL, once.
_ACCOUNTS = (
    select(
        *(_ORGANISATIONS.c[name] for name in ("user_quota_bytes", "user_quota_pictures")),
        *(_ORGANISATIONS.c[name] for name in ("quota_bytes", "quota_pictures")),
        *(func.coalesce(kept.c[name], 0) for kept in (_OWN, _ALL) for name in _COUNTED),
    )
    .select_from(_ORGANISATIONS)
    .outerjoin(_ALL, _ALL.c.holder_id == _ORGANISATIONS.c.id)
    .outerjoin(_OWN, _OWN.c.holder_id == bindparam("user"))
    .where(_ORGANISATIONS.c.id == bindparam("organisation"))
)


def _adding(insert: Any) -> Any:
    """Return what adds to a row, or makes it, and keeps it for this transaction."""
    more = insert(_USAGE)
    sums = {name: _USAGE.c[name] + more.excluded[name] for name in _COUNTED}
    return more.on_conflict_do_update(index_elements=["holder_id"], set_=sums)


_ADDING = {"sqlite": _adding(sqlite.insert), "postgresql": _adding(postgresql.insert)}


@dataclass(frozen=True, slots=True)
class Amount:
    """So much, kept or to be kept."""

    bytes: int = 0
    pictures: int = 0


@dataclass(frozen=True, slots=True)
class StorageQuota:
    """The most that may be kept; None where there is no bound."""

    bytes: int | None = None
    pictures: int | None = None

    def broken_by(self, kept: Amount) -> str | None:
        """Return what there is too much of, None where all is within."""
        for what in _COUNTED:
            most = getattr(self, what)
            if most is not None and getattr(kept, what) > most:
                return what
        return None


@dataclass(frozen=True, slots=True)
class Account:
    """What is kept for a holder, and the most that may be."""

    kept: Amount
    quota: StorageQuota

    @property
    def is_roomy(self) -> bool:
        """Whether no more than half of what may be is kept."""
        twice = Amount(2 * self.kept.bytes, 2 * self.kept.pictures)
        return self.quota.broken_by(twice) is None


class StorageQuotas:
    """Counts what is kept, and refuses what goes beyond."""

    def __init__(
        self, database: Database, user: StorageQuota, organisation: StorageQuota, metrics: Metrics
    ) -> None:
        """Build with what holds where an organisation has no quota of its own.

        Args:
            database: has the counts.
            user: for each user.
            organisation: for all its users together.
            metrics: counts refusals.

        """
        self._database = database
        self._defaults = MappingProxyType({"user": user, "organisation": organisation})
        self._metrics = metrics
        self._roomy_until: dict[str, float] = {}

    async def accounts(self, scope: Scope) -> Mapping[str, Account]:
        """Return the accounts of a user and of their organisation."""
        return await self._database.read(partial(self._accounts, scope), scope)

    async def see(self, scope: Scope) -> None:
        """See, before work begins, that one more picture may be kept; if it fits is seen later.

        Where half was free a moment ago, it is not looked for again: should others have kept all
        of that since, ``take`` refuses.

        Raises:
            StorageQuotaExceededError: it may not.

        """
        now = time.monotonic()
        if all(now < self._roomy_until.get(each, 0) for each in _holders(scope).values()):
            return
        for holder, account in (await self.accounts(scope)).items():
            more = Amount(account.kept.bytes + 1, account.kept.pictures + 1)
            self._check(holder, more, account.quota)

    def take(self, scope: Scope, more: Amount, session: Session) -> None:
        """Count what is to be kept. Others who count for this organisation wait meanwhile.

        Raises:
            StorageQuotaExceededError: it goes beyond a quota.

        """
        add(scope, more, session)
        for holder, account in self._accounts(scope, session).items():
            self._check(holder, account.kept, account.quota)

    def _accounts(self, scope: Scope, session: Session) -> dict[str, Account]:
        holders = _holders(scope)
        found = unscoped(session).execute(_ACCOUNTS, holders).one()
        own, of_all = StorageQuota(*found[:2]), StorageQuota(*found[2:4])
        accounts = {
            "user": Account(Amount(*found[4:6]), _or(own, self._defaults["user"])),
            "organisation": Account(
                Amount(*found[6:]), _or(of_all, self._defaults["organisation"])
            ),
        }
        for holder, account in accounts.items():
            self._remember(holders[holder], account)
        return accounts

    def _remember(self, holder_id: str, account: Account) -> None:
        if not account.is_roomy:
            self._roomy_until.pop(holder_id, None)
            return
        if len(self._roomy_until) >= _MOST_ROOMY:
            self._roomy_until.clear()
        self._roomy_until[holder_id] = time.monotonic() + _ROOMY_S

    def _check(self, holder: str, kept: Amount, quota: StorageQuota) -> None:
        what = quota.broken_by(kept)
        if what is not None:
            self._metrics.storage_quota_refusals(holder, what).inc()
            whose = "you" if holder == "user" else "your organisation"
            most = getattr(quota, what)
            raise errors.StorageQuotaExceededError(
                f"At most {most:,} {what} may be kept for {whose}. Remove what is not needed, "
                "which counts until it is purged, or ask an operator for more."
            )


def add(owner: Scope, more: Amount, session: Session) -> None:
    """Count what belongs to something that was let in before, whatever the quotas say."""
    # In one order everywhere, so that two never wait for each other: organisations first.
    _add(owner.organisation_id, (owner.organisation_id, owner.user_id), more, session)


def lock(organisation_id: str, session: Session) -> None:
    """Let nobody else count for an organisation until this transaction ends."""
    _add(organisation_id, (organisation_id,), Amount(), session)


def give_back(gone: Iterable[tuple[Owned, int]], session: Session) -> None:
    """Count pictures, each with its bytes, as kept no more."""
    pictures: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    organisations: set[str] = set()
    for row, size in gone:
        organisations.add(row.organisation_id)
        for holder_id in (row.organisation_id, row.owner_id):
            pictures[holder_id] += 1
            sizes[holder_id] += size
    # As in ``add``.
    for holder_id in sorted(pictures, key=lambda each: (each not in organisations, each)):
        less = update(Usage).where(col(Usage.holder_id) == holder_id)
        session.execute(
            less.values(
                bytes=col(Usage.bytes) - sizes[holder_id],
                pictures=col(Usage.pictures) - pictures[holder_id],
            ).execution_options(synchronize_session=False)
        )


def _holders(scope: Scope) -> dict[str, str]:
    return {"user": scope.user_id, "organisation": scope.organisation_id}


def _or(own: StorageQuota, default: StorageQuota) -> StorageQuota:
    return StorageQuota(
        default.bytes if own.bytes is None else own.bytes,
        default.pictures if own.pictures is None else own.pictures,
    )


def _add(organisation_id: str, holders: Sequence[str], more: Amount, session: Session) -> None:
    connection = unscoped(session)
    counted = {
        "organisation_id": organisation_id,
        "bytes": more.bytes,
        "pictures": more.pictures,
    }
    rows = [{"holder_id": holder_id, **counted} for holder_id in holders]
    connection.execute(_ADDING[connection.dialect.name], rows)
