"""Requests with an Idempotency-Key: carried out once, however often they come.

This follows draft-ietf-httpapi-idempotency-key-header-07. Before anything is made for a request, an
id is kept for it. Whoever comes with the same key looks for a record of this id first, and makes it
under this id if there is none. So a key stands for one record, also when a process ends anywhere in
between; and nothing of an answer needs to be kept, for it is shown from the record again.
"""

import contextlib
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, TypeVar

from sqlalchemy import delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import errors
from services.gateway.audit import noted
from services.gateway.database import Database, remove_old
from services.gateway.records import (
    Analysis,
    ApiKey,
    Batch,
    Delivery,
    KeyedRequest,
    Lesion,
    Patient,
    User,
    Webhook,
    WebhookSecret,
    new_id,
    now,
)
from services.gateway.security import passwords
from services.gateway.threads import Threads

_INSERT = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_CLEANED_EVERY = 256
_REMOVED = "What this Idempotency-Key has made was removed since. Use another key."

_Made = TypeVar("_Made")
_Table = type[
    Analysis | ApiKey | Batch | Delivery | Lesion | Patient | User | Webhook | WebhookSecret
]


@dataclass(frozen=True, slots=True)
class Keyed:
    """A request with a key.

    Attributes:
        operation: what it asks for.
        key: of the caller's choice.
        body: what it brings, in parts.
        secret: whether a password is among it.

    """

    operation: str
    key: str
    body: tuple[bytes, ...]
    secret: bool = False

    def digest(self, user_id: str) -> str:
        """Name the request of a user. Who guesses the key can tell that it is this one."""
        whole = f"{user_id}\n{self.operation}\n{self.key}"
        return hashlib.sha256(whole.encode()).hexdigest()

    def fingerprint(self, user_id: str) -> str:
        """Return what the same body always has.

        Keys are chosen by callers and may be guessed, so they keep no secret: to try a password
        on the fingerprint costs what it costs to try it on the hash that the user has.
        """
        mac = hmac.new(self.key.encode(), digestmod=hashlib.sha256)
        for part in self.body:
            mac.update(len(part).to_bytes(8))
            mac.update(part)
        if not self.secret:
            return mac.hexdigest()
        return passwords.stretched(mac.digest(), bytes.fromhex(self.digest(user_id))).hex()


class Once:
    """Carries requests out once, for all replicas together."""

    def __init__(self, database: Database, lifetime: timedelta, lease: timedelta) -> None:
        """Build over the database.

        Args:
            database: remembers requests.
            lifetime: how long a key is remembered.
            lease: how long a request may take; if it has not ended by then, it never will.

        """
        self._database = database
        self._lifetime = lifetime
        self._lease = lease
        self._threads = Threads(1)
        self._begun = count()

    async def make(
        self,
        user_id: str,
        keyed: Keyed | None,
        table: _Table,
        work: Callable[[str], Awaitable[_Made]],
        find: Callable[[str], Awaitable[_Made]],
    ) -> _Made:
        """Make something, or find what an earlier request with the same key has made.

        Args:
            user_id: of the caller; keys of others are others.
            keyed: the request; None for one without a key.
            table: where what it makes is kept.
            work: makes it, under an id.
            find: returns what has an id, or raises ``NotFoundError``.

        Raises:
            KeyReusedError: the key came with another request before.
            InProgressError: the first request with this key is still being worked on.
            KeySpentError: what the key has made was removed since.

        """
        if keyed is None:
            made_id = new_id()
            made = await work(made_id)
        else:
            async with self._in_hand(user_id, keyed) as (held, again):
                made_id = held.made_id
                made = await self._made(held, table, work, find, again=again)
        noted().concerns(made_id)
        return made

    async def do(
        self,
        user_id: str,
        keyed: Keyed | None,
        work: Callable[[], Awaitable[object]],
        signs: tuple[type[errors.GatewayError], ...] = (),
    ) -> None:
        """Do what makes nothing, unless an earlier request with the same key has done it.

        Where an earlier one ended before it could say so, it is done again. Raises as ``make``.

        Args:
            user_id: of the caller.
            keyed: the request; None for one without a key.
            work: does it.
            signs: what it raises if such a request has done it already.

        """
        if keyed is None:
            await work()
            return
        async with self._in_hand(user_id, keyed) as (held, again):
            if not held.done:
                with contextlib.suppress(*(signs if again else ())):
                    await work()

    async def has_made(self, user_id: str, keyed: Keyed, table: _Table) -> bool:
        """Say whether an earlier request with this key has made something already.

        Then ``make`` makes nothing any more, and nothing need be ready for it.
        """
        made = select(col(table.id)).where(col(table.id) == col(KeyedRequest.made_id)).exists()
        known = select(col(KeyedRequest.digest)).where(
            col(KeyedRequest.digest) == keyed.digest(user_id),
            col(KeyedRequest.created_at) >= now() - self._lifetime,
            or_(col(KeyedRequest.done), made),
        )
        return await self._database.read(lambda session: session.scalar(known)) is not None

    async def _request(self, user_id: str, keyed: Keyed) -> KeyedRequest:
        moment = now()
        if next(self._begun) % _CLEANED_EVERY == 0:
            oldest = moment - self._lifetime
            clean = partial(
                remove_old, at=KeyedRequest.created_at, before=oldest, most=4 * _CLEANED_EVERY
            )
            await self._database.write(clean)
        return KeyedRequest(
            digest=keyed.digest(user_id),
            fingerprint=await self._threads.run(keyed.fingerprint, user_id),
            held_until=moment + self._lease,
            created_at=moment,
        )

    @contextlib.asynccontextmanager
    async def _in_hand(
        self, user_id: str, keyed: Keyed
    ) -> AsyncIterator[tuple[KeyedRequest, bool]]:
        """Have a request in hand, done if nothing is raised; say whether somebody had it before."""
        request = await self._request(user_id, keyed)
        oldest = request.created_at - self._lifetime
        try:
            held = await self._database.write(partial(_begin, request, oldest=oldest))
            # Nobody else has an id that was chosen just now.
            yield held, held.made_id != request.made_id
            if not held.done:
                await self._database.write(partial(_change, held, done=True))
        except errors.GatewayError:
            # It was refused, and nothing was made; unless it is done, or in somebody else's hands.
            await self._database.write(partial(_forget, request))
            raise
        except BaseException:
            # Whether it was made is for the next to see.
            await self._database.write(partial(_change, request, held_until=now()))
            raise

    async def _made(
        self,
        held: KeyedRequest,
        table: _Table,
        work: Callable[[str], Awaitable[_Made]],
        find: Callable[[str], Awaitable[_Made]],
        *,
        again: bool,
    ) -> _Made:
        found = await self._found(held, table, find) if again else None
        if found is None:
            try:
                found = await work(held.made_id)
            except (IntegrityError, errors.ConflictError):
                # Whoever took it over may have been quicker.
                if (found := await self._found(held, table, find)) is None:
                    raise
        return found

    async def _found(
        self, held: KeyedRequest, table: _Table, find: Callable[[str], Awaitable[_Made]]
    ) -> _Made | None:
        """Return what a request has made, None if nothing; raise if it was removed since."""
        try:
            return await find(held.made_id)
        except errors.NotFoundError:
            if not held.done:
                # What is out of sight has its id all the same.
                made = select(col(table.id)).where(col(table.id) == held.made_id)
                if await self._database.read(lambda session: session.scalar(made)) is None:
                    return None
                await self._database.write(partial(_change, held, done=True))
            raise errors.KeySpentError(_REMOVED) from None


def _begin(request: KeyedRequest, session: Session, *, oldest: datetime) -> KeyedRequest:
    """Take a request in hand, or one with the same key that somebody left undone."""
    known = _held(request, session)
    if known.holder != request.holder and known.created_at < oldest:
        for name, value in request.model_dump().items():
            setattr(known, name, value)
    # A purge leaves none.
    if known.fingerprint not in ("", request.fingerprint):
        raise errors.KeyReusedError(
            "Idempotency-Key: it came with another request before. Use another key for this one."
        )
    if known.done or known.holder == request.holder:
        return known
    if known.held_until > now():
        raise errors.InProgressError(
            "The first request with this Idempotency-Key is still being worked on. Try again."
        )
    known.holder, known.held_until = request.holder, request.held_until
    return known


def _held(request: KeyedRequest, session: Session) -> KeyedRequest:
    """Return the request of this key, added if it is new; others wait for it meanwhile."""
    insert: Any = _INSERT[session.get_bind().dialect.name](KeyedRequest)
    insert = insert.values(request.model_dump())
    same = {"done": col(KeyedRequest.done)}
    session.execute(insert.on_conflict_do_update(index_elements=["digest"], set_=same))
    held = select(KeyedRequest).where(col(KeyedRequest.digest) == request.digest)
    return session.scalars(held.with_for_update()).one()


def _change(request: KeyedRequest, session: Session, **values: Any) -> None:
    """Change a request, unless somebody else has it in hand by now."""
    change = update(KeyedRequest).where(
        col(KeyedRequest.digest) == request.digest, col(KeyedRequest.holder) == request.holder
    )
    session.execute(change.values(**values).execution_options(synchronize_session=False))


def _forget(request: KeyedRequest, session: Session) -> None:
    """Forget a request that has made nothing, unless somebody else has it in hand by now."""
    removal = delete(KeyedRequest).where(
        col(KeyedRequest.digest) == request.digest,
        col(KeyedRequest.holder) == request.holder,
        col(KeyedRequest.done).is_(False),
    )
    session.execute(removal.execution_options(synchronize_session=False))
