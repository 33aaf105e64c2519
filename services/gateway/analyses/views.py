"""What there is to look at in an analysis: its pictures and drawn layers."""

import asyncio
import io

from PIL import Image

from services import layers, picture, telemetry
from services.gateway import errors
from services.gateway.analyses.answer import findings_of
from services.gateway.analyses.files import NO_SUCH_ANALYSIS
from services.gateway.clients import Pictures
from services.gateway.records import Analysis
from services.gateway.store import Store
from services.gateway.threads import Threads

THUMBNAIL_PX = 256
"""The longer side of a thumbnail: enough for a list on a phone with a fine screen."""

_THUMBNAIL_QUALITY = 80
_THUMBNAILS_AT_ONCE = 4

_log = telemetry.logger(__name__)


class Views:
    """Fetches pictures of analyses and draws what is laid over them."""

    def __init__(self, store: Store, threads: Threads) -> None:
        """Build from what looking needs.

        Args:
            store: has the pictures.
            threads: where layers are drawn.

        """
        self._store = store
        self._threads = threads
        self._thumbnails = asyncio.Semaphore(_THUMBNAILS_AT_ONCE)

    async def image(self, record: Analysis) -> bytes:
        """Return the picture as it was judged, or will be, in its own format.

        Raises:
            NotFoundError: the file that came could not be used as one.

        """
        if record.image_sha256 is None:
            raise errors.NotFoundError("This analysis has no picture: the file could not be used.")
        return await self._get(record, record.image_sha256)

    async def thumbnail(self, record: Analysis) -> bytes:
        """Return the picture as a small JPEG, for lists.

        A page asks for many at once: few are in memory at a time, and the others wait.

        Raises:
            NotFoundError: the file that came could not be used as one.

        """
        async with self._thumbnails:
            return await self._threads.run(_small, await self.image(record))

    async def mask(self, record: Analysis) -> bytes:
        """Return the mask as a PNG, 255 lesion.

        Raises:
            NotFoundError: no lesion was outlined; the sentence says why.
            NotFinishedError: there is no answer yet.

        """
        return await self._get(record, _there(record, record.mask_sha256, "mask"))

    async def overlay(self, record: Analysis) -> bytes:
        """Return the picture with the lesion's outline as a PNG.

        Raises:
            NotFoundError: no lesion was outlined; the sentence says why.
            NotFinishedError: there is no answer yet.

        """
        mask = await self._get(record, _there(record, record.mask_sha256, "outline"))
        return await self._threads.run(_outlined, await self.image(record), mask)

    async def explanation(self, record: Analysis) -> bytes:
        """Return the picture under a heat map of what spoke for the label, as a PNG.

        Raises:
            NotFoundError: the picture was not assessed; the sentence says why.
            NotFinishedError: there is no answer yet.

        """
        name = _there(record, record.explanation_sha256, "explanation")
        weights = await self._get(record, name)
        return await self._threads.run(_heated, await self.image(record), weights)

    async def pictures(self, record: Analysis) -> Pictures:
        """Return all pictures of an analysis that there are.

        Raises:
            NotFoundError: the analysis has failed.
            NotFinishedError: there is no answer yet.

        """
        findings_of(record, "report")
        return Pictures(
            await self.image(record),
            await self._optional(record, record.mask_sha256),
            await self._optional(record, record.explanation_sha256),
        )

    async def _get(self, record: Analysis, name: str) -> bytes:
        try:
            return await self._store.get(record.organisation_id, name)
        except FileNotFoundError as error:
            # Removed since its record was read; or lost, which the log should tell.
            _log.warning("picture was not there", file=name)
            raise errors.LostPictureError(NO_SUCH_ANALYSIS) from error

    async def _optional(self, record: Analysis, name: str | None) -> bytes:
        return await self._get(record, name) if name else b""


def _there(record: Analysis, name: str | None, what: str) -> str:
    if name is not None:
        return name
    found = findings_of(record, what)
    reasons = ", ".join(reason.replace("_", " ") for reason in found.quality.reasons)
    why = f"the picture could not be assessed ({reasons})" if reasons else "none was made"
    raise errors.NotFoundError(f"This analysis has no {what}: {why}.")


def _outlined(encoded: bytes, mask: bytes) -> bytes:
    return layers.png(layers.outline(_below(encoded), _above(mask)))


def _heated(encoded: bytes, weights: bytes) -> bytes:
    return layers.png(layers.heat(_below(encoded), _above(weights)))


def shrunk(encoded: bytes, side_px: int) -> Image.Image:
    """Decode a picture, no larger than that."""
    drawn = picture.read(encoded, at_least=side_px).pixels
    drawn.thumbnail((side_px, side_px))
    return drawn


def jpeg(drawn: Image.Image) -> bytes:
    """Encode a small picture for lists."""
    file = io.BytesIO()
    drawn.save(file, "JPEG", quality=_THUMBNAIL_QUALITY, optimize=True)
    return file.getvalue()


def _small(encoded: bytes) -> bytes:
    return jpeg(shrunk(encoded, THUMBNAIL_PX))


def _below(encoded: bytes) -> Image.Image:
    """Decode a picture no larger than it takes: a large one would fill the memory."""
    return picture.read(encoded, at_least=layers.MAX_SIDE_PX).pixels


def _above(encoded: bytes) -> Image.Image:
    layer = Image.open(io.BytesIO(encoded))
    layer.thumbnail((layers.MAX_SIDE_PX, layers.MAX_SIDE_PX), Image.Resampling.NEAREST)
    return layer
