"""What there is to look at in an analysis: its pictures, drawn layers and its report."""

import io

from PIL import Image

from services import layers, picture, telemetry
from services.gateway import errors
from services.gateway.analyses.files import NO_SUCH_ANALYSIS
from services.gateway.clients import Reports
from services.gateway.clients.reports import Pictures
from services.gateway.deadlines import Deadline
from services.gateway.records import Analysis
from services.gateway.store import Store
from services.gateway.threads import Threads

_log = telemetry.logger(__name__)


class Views:
    """Fetches pictures of analyses and draws what is laid over them."""

    def __init__(self, store: Store, threads: Threads, reports: Reports) -> None:
        """Build from what looking needs.

        Args:
            store: has the pictures.
            threads: where layers are drawn.
            reports: renders reports.

        """
        self._store = store
        self._threads = threads
        self._reports = reports

    async def image(self, record: Analysis) -> bytes:
        """Return the picture as it was judged, in its own format."""
        return await self._get(record.image_sha256)

    async def mask(self, record: Analysis) -> bytes:
        """Return the mask as a PNG, 255 lesion.

        Raises:
            NotFoundError: no lesion was outlined; the sentence says why.

        """
        return await self._get(_there(record, record.mask_sha256, "mask"))

    async def overlay(self, record: Analysis) -> bytes:
        """Return the picture with the lesion's outline as a PNG.

        Raises:
            NotFoundError: no lesion was outlined; the sentence says why.

        """
        mask = await self._get(_there(record, record.mask_sha256, "outline"))
        return await self._threads.run(_outlined, await self.image(record), mask)

    async def explanation(self, record: Analysis) -> bytes:
        """Return the picture under a heat map of what spoke for the label, as a PNG.

        Raises:
            NotFoundError: the picture was not assessed; the sentence says why.

        """
        name = _there(record, record.explanation_sha256, "explanation")
        weights = await self._get(name)
        return await self._threads.run(_heated, await self.image(record), weights)

    async def report(self, record: Analysis, deadline: Deadline) -> bytes:
        """Return the report as a PDF.

        Raises:
            UnavailableError: the report service is down or has too much to do.
            DeadlinePassedError: no report in time.
            UpstreamError: the report service failed.

        """
        pictures = Pictures(
            await self.image(record),
            await self._optional(record.mask_sha256),
            await self._optional(record.explanation_sha256),
        )
        return await self._reports.render(record, pictures, deadline)

    async def _get(self, name: str) -> bytes:
        try:
            return await self._store.get(name)
        except FileNotFoundError as error:
            # Removed since its record was read; or lost, which the log should tell.
            _log.warning("picture was not there", file=name)
            raise errors.NotFoundError(NO_SUCH_ANALYSIS) from error

    async def _optional(self, name: str | None) -> bytes:
        return await self._get(name) if name else b""


def _there(record: Analysis, name: str | None, what: str) -> str:
    if name is not None:
        return name
    reasons = ", ".join(
        reason.replace("_", " ") for reason in record.findings["quality"]["reasons"]
    )
    why = f"the picture could not be assessed ({reasons})" if reasons else "none was made"
    raise errors.NotFoundError(f"This analysis has no {what}: {why}.")


def _outlined(encoded: bytes, mask: bytes) -> bytes:
    return _png(layers.outline(_below(encoded), _above(mask)))


def _heated(encoded: bytes, weights: bytes) -> bytes:
    return _png(layers.heat(_below(encoded), _above(weights)))


def _below(encoded: bytes) -> Image.Image:
    """Decode a picture no larger than it takes: a large one would fill the memory."""
    return picture.read(encoded, at_least=layers.MAX_SIDE_PX).pixels


def _above(encoded: bytes) -> Image.Image:
    layer = Image.open(io.BytesIO(encoded))
    layer.thumbnail((layers.MAX_SIDE_PX, layers.MAX_SIDE_PX), Image.Resampling.NEAREST)
    return layer


def _png(drawn: Image.Image) -> bytes:
    file = io.BytesIO()
    drawn.save(file, "PNG", compress_level=1)
    return file.getvalue()
