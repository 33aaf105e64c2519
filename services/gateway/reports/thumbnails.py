"""Small pictures of many analyses: one large one is in memory at a time."""

import asyncio
import io
from collections.abc import Sequence
from functools import partial

from PIL import Image

from services import layers, picture, telemetry
from services.gateway import errors
from services.gateway.analyses.views import jpeg, shrunk
from services.gateway.clients import Glimpse, Pictures
from services.gateway.records import Analysis
from services.gateway.store import Store
from services.gateway.threads import Threads

_LOST = (FileNotFoundError, errors.DamagedPictureError, picture.PictureError)

_log = telemetry.logger(__name__)


class Thumbnails:
    """Makes them from kept pictures."""

    def __init__(self, store: Store, threads: Threads) -> None:
        """Build from what they need.

        Args:
            store: has the pictures.
            threads: where they are made small.

        """
        self._store = store
        self._threads = threads

    async def of(
        self, records: Sequence[Analysis], side_px: int, within_s: float, *, outlined: bool
    ) -> list[Glimpse]:
        """Return analyses with small pictures, as far as there is time for them.

        A picture that is gone or damaged, or that the store refuses, which it may do for ever, is
        left out: the others are worth seeing all the same. Each that is left out says why.

        Args:
            records: of the analyses.
            side_px: most pixels of a side.
            within_s: after so many seconds the rest go without pictures.
            outlined: whether masks come along.

        Raises:
            StoreUnavailableError: the store does not answer, or has too much to do.

        """
        until = asyncio.get_running_loop().time() + within_s
        return [
            await self._glimpse(until, record, side_px, outlined=outlined) for record in records
        ]

    async def _glimpse(
        self, until: float, record: Analysis, side_px: int, *, outlined: bool
    ) -> Glimpse:
        if record.image_sha256 is None:
            return Glimpse(record)
        if asyncio.get_running_loop().time() >= until:
            return Glimpse(record, no_picture="out_of_time")
        try:
            async with asyncio.timeout_at(until):
                small = await self._small(record, record.image_sha256, side_px, outlined=outlined)
        except errors.StoreUnavailableError as error:
            if not error.of_object:
                raise
            _log.warning("no thumbnail", analysis_id=record.id, cause="refused")
            return Glimpse(record, no_picture="lost")
        except (TimeoutError, *_LOST) as error:
            late = isinstance(error, TimeoutError)
            _log.warning("no thumbnail", analysis_id=record.id, cause=type(error).__name__)
            return Glimpse(record, no_picture="out_of_time" if late else "lost")
        return Glimpse(record, small)

    async def _small(
        self, record: Analysis, image_sha256: str, side_px: int, *, outlined: bool
    ) -> Pictures:
        get = partial(self._store.get, record.organisation_id)
        image = await get(image_sha256)
        mask = await get(record.mask_sha256) if outlined and record.mask_sha256 else b""
        return await self._threads.run(_shrunk, image, mask, side_px)


def _shrunk(image: bytes, mask: bytes, side_px: int) -> Pictures:
    small = shrunk(image, side_px)
    if not mask:
        return Pictures(jpeg(small))
    inside = Image.open(io.BytesIO(mask)).resize(small.size, Image.Resampling.NEAREST)
    return Pictures(jpeg(small), layers.png(inside))
