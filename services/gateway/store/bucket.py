"""Pictures in a bucket of Amazon S3, or of a server that speaks its protocol.

A request of S3 makes an object whole or not at all, and durable; so nothing is staged.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta

from obstore.exceptions import BaseError, PermissionDeniedError
from obstore.store import S3Store

from services import telemetry
from services.gateway import errors
from services.gateway.store.address import Address
from services.gateway.store.intact import intact, is_ours
from services.gateway.store.stage import Stage
from services.gateway.store.store import SETTLED_AFTER_S
from services.gateway.threads import Threads

_REQUESTS_AT_ONCE = 32
_OBJECTS_A_PAGE = 1000
_LONGEST_CAUSE = 300

_log = telemetry.logger(__name__)


class Bucket:
    """Objects, each under its prefix, its organisation and its name, with slashes between."""

    is_near = False

    def __init__(
        self, address: Address, timeout_s: float, settled_after_s: float = SETTLED_AFTER_S
    ) -> None:
        """Build over a bucket, which is not asked for anything yet.

        Args:
            address: where it is, and how it is asked.
            timeout_s: seconds that it may take for an object, all tries together.
            settled_after_s: seconds after which an object is not on its way into a record.

        Raises:
            ValueError: the address cannot be used.

        """
        self._objects: S3Store = address.opened(timeout_s)
        self._timeout_s = timeout_s
        self._settled_after = timedelta(seconds=settled_after_s)
        self._requests = asyncio.Semaphore(_REQUESTS_AT_ONCE)
        self._threads = Threads()

    @contextlib.asynccontextmanager
    async def stage(self, organisation_id: str) -> AsyncIterator[Stage]:
        """Open a stage for some objects."""
        yield _BucketStage(organisation_id, self)

    async def put(self, organisation_id: str, name: str, content: bytes) -> None:
        """Keep an object; one of the same name is replaced by the same."""
        async with self._asked():
            await self._objects.put_async(f"{organisation_id}/{name}", content)

    async def get(self, organisation_id: str, name: str) -> bytes:
        """Return the content of an object; raises as every store does."""
        async with self._asked():
            found = await self._objects.get_async(f"{organisation_id}/{name}")
            content = bytes(await found.bytes_async())
        return await self._threads.run(intact, name, content)

    async def remove(self, organisation_id: str, names: Iterable[str]) -> None:
        """Remove objects; missing ones are no error."""
        keys = [f"{organisation_id}/{name}" for name in names]
        if keys:
            async with self._asked():
                await self._objects.delete_async(keys)

    async def settled(self) -> AsyncIterator[tuple[str, list[str]]]:
        """Yield names of old objects, a page of the bucket's list at a time."""
        pages = aiter(self._objects.list(chunk_size=_OBJECTS_A_PAGE))
        while True:
            async with self._asked():
                page = await anext(pages, None)
            if page is None:
                return
            before = datetime.now(UTC) - self._settled_after
            found: defaultdict[str, list[str]] = defaultdict(list)
            for each in page:
                organisation_id, _, name = each["path"].partition("/")
                if each["last_modified"] <= before and is_ours(organisation_id, name):
                    found[organisation_id].append(name)
            for organisation_id, names in found.items():
                yield organisation_id, names

    async def sweep(self) -> None:
        """Do nothing: there are no unfinished objects."""

    async def trouble(self) -> str | None:
        """Ask the bucket for what is not there."""
        try:
            async with self._asked():
                with contextlib.suppress(FileNotFoundError):
                    await self._objects.head_async("is-anybody-there")
        except errors.StoreUnavailableError:
            return "unavailable"
        return None

    @contextlib.asynccontextmanager
    async def _asked(self) -> AsyncIterator[None]:
        """Ask something of the bucket, and wait so long and no longer.

        Raises:
            StoreUnavailableError: it is down, slow, or refuses us.

        """
        try:
            async with asyncio.timeout(self._timeout_s), self._requests:
                yield
        except (BaseError, PermissionError, TimeoutError) as error:
            # What is said of a request names its object, and neither people nor secrets.
            cause = str(error).partition("\n")[0][:_LONGEST_CAUSE] or "too slow"
            _log.warning("the bucket did not do what it was asked", cause=cause)
            refused = isinstance(error, PermissionDeniedError)
            raise errors.StoreUnavailableError(of_object=refused) from error


class _BucketStage(Stage):
    """Objects that are sent when they are published."""

    def __init__(self, organisation_id: str, bucket: Bucket) -> None:
        super().__init__(organisation_id)
        self._bucket = bucket

    async def publish(self) -> None:
        """Send all objects side by side, and wait for all of them, whatever becomes of one."""
        sending = (
            self._bucket.put(self.organisation_id, name, content)
            for name, content in self.contents.items()
        )
        for done in await asyncio.gather(*sending, return_exceptions=True):
            if isinstance(done, BaseException):
                raise done
