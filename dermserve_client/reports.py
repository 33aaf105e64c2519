"""Reports: fetched as PDF, with the list of who asked for them."""

from collections.abc import Iterator
from typing import Literal

from dermserve_client.shapes import ReportRequest
from dermserve_client.wire import Wire

Language = Literal["en", "de"]


class Reported:
    """What has reports: analyses, lesions and batches."""

    _path: str
    _wire: Wire

    def report(self, record_id: str, language: Language | None = None) -> bytes:
        """Fetch the report of one, as a PDF.

        Args:
            record_id: of the analysis, lesion or batch.
            language: that it is written in; None for what the gateway gives by itself.

        """
        params = {} if language is None else {"language": language}
        return self._wire.send("GET", f"{self._path}/{record_id}/report.pdf", params=params).content

    def reports(self, record_id: str) -> Iterator[ReportRequest]:
        """Yield who asked for reports of one, newest first."""
        return self._wire.listed(ReportRequest, f"{self._path}/{record_id}/reports")
