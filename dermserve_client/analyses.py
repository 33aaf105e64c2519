"""Analyses: made, waited for, listed, shown, replayed, removed."""

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Literal

from dermserve_client.errors import ClientError
from dermserve_client.reports import Reported
from dermserve_client.shapes import (
    Analysis,
    Assessment,
    AssessmentStep,
    Comparison,
    Narrative,
    Replay,
)
from dermserve_client.wire import Wire

File = Literal[
    "image", "thumbnail.jpeg", "mask.png", "overlay.png", "explanation.png", "report.pdf"
]

_UNFINISHED = frozenset({"queued", "running"})
_POLL_S = (0.1, 2.0)


class NotDoneError(ClientError):
    """An analysis did not end in the time that somebody waited for it."""


class Analyses(Reported):
    """The analyses that the caller may see."""

    _path = "/v1/analyses"

    def __init__(self, wire: Wire) -> None:
        """Build over the wire."""
        self._wire = wire

    def create(self, picture: Path, *, later: bool = False, **fields: str) -> Analysis:
        """Analyze a picture file, which is sent as it is read.

        Args:
            picture: JPEG or PNG.
            later: whether to return as soon as it is taken in; ``wait`` then has the answer.
            fields: whose it is, each as the document names it: ``patient``, ``lesion``,
                ``patient_id``, ``patient_name``, ``lesion_id``, ``body_site``, ``note``.

        """
        with picture.open("rb") as opened:
            upload = {"image": (picture.name, opened)}
            headers = {"Prefer": "respond-async"} if later else {}
            answer = self._wire.make(self._path, files=upload, data=fields, headers=headers)
        return Analysis.model_validate_json(answer.content)

    def get(self, analysis_id: str) -> Analysis:
        """Show an analysis."""
        answer = self._wire.send("GET", f"{self._path}/{analysis_id}")
        return Analysis.model_validate_json(answer.content)

    def wait(self, analysis_id: str, timeout_s: float = 60) -> Analysis:
        """Return an analysis when it has ended.

        Raises:
            NotDoneError: it has not, after so many seconds.

        """
        until = time.monotonic() + timeout_s
        pause, longest = _POLL_S
        while (found := self.get(analysis_id)).status in _UNFINISHED:
            if time.monotonic() + pause > until:
                raise NotDoneError(f"{analysis_id} is {found.status} after {timeout_s} seconds")
            time.sleep(pause)
            pause = min(2 * pause, longest)
        return found

    def list(  # noqa: PLR0913 - one for each filter
        self,
        *,
        label: str | None = None,
        patient: str | None = None,
        lesion: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        batch: str | None = None,
        status: str | None = None,
        outcome: str | None = None,
        suspicious: bool | None = None,
        body_site: str | None = None,
        sort: str | None = None,
    ) -> Iterator[Analysis]:
        """Yield analyses, newest first or as ``sort`` says.

        That is ``created_at`` or ``malignant_probability``, or either with ``-`` before it for the
        largest first.
        """
        filters = {
            "label": label,
            "patient": patient,
            "lesion": lesion,
            "since": since and since.isoformat(),
            "until": until and until.isoformat(),
            "batch": batch,
            "status": status,
            "outcome": outcome,
            "suspicious": suspicious,
            "body_site": body_site,
            "sort": sort,
        }
        return self._wire.listed(Analysis, self._path, filters)

    def file(self, analysis_id: str, name: File) -> bytes:
        """Fetch a picture of an analysis, or its report."""
        return self._wire.send("GET", f"{self._path}/{analysis_id}/{name}").content

    def narrative(self, analysis_id: str, language: str = "en") -> Narrative:
        """Have the findings told in a paragraph, in English (``"en"``) or German (``"de"``)."""
        path = f"{self._path}/{analysis_id}/narrative"
        answer = self._wire.send("GET", path, params={"language": language})
        return Narrative.model_validate_json(answer.content)

    def compare(self, first_id: str, second_id: str) -> Comparison:
        """Show what has changed from one analysis to another."""
        answer = self._wire.send("GET", f"{self._path}/{first_id}/comparison/{second_id}")
        return Comparison.model_validate_json(answer.content)

    def replay(self, analysis_id: str) -> Replay:
        """Analyze the kept picture again, and say whether the answer is the same."""
        answer = self._wire.send("POST", f"{self._path}/{analysis_id}/replay")
        return Replay.model_validate_json(answer.content)

    def assess(
        self,
        analysis_id: str,
        verdict: str,
        reason: str | None = None,
        *,
        seen: Assessment | None = None,
    ) -> Assessment:
        """Say what a lesion is taken for, beside the gateway's answer.

        Args:
            analysis_id: of the answer.
            verdict: one of the seven labels, or ``cannot_tell``.
            reason: why; needed by who does not agree with the answer.
            seen: what is replaced, as ``assessment`` gave it; None for the first one.

        Raises:
            ProblemError: ``changed-meanwhile``, where there is another one by now.

        """
        headers = {"If-None-Match": "*"} if seen is None else seen.if_match()
        said = {"verdict": verdict, "reason": reason}
        path = f"{self._path}/{analysis_id}/assessment"
        return Assessment.read(self._wire.send("PUT", path, json=said, headers=headers))

    def assessment(self, analysis_id: str) -> Assessment:
        """Show what a clinician says of an analysis, with the ``etag`` that a change needs."""
        return Assessment.read(self._wire.send("GET", f"{self._path}/{analysis_id}/assessment"))

    def withdraw_assessment(self, analysis_id: str, seen: Assessment) -> None:
        """Take an assessment back; raises as ``assess`` does."""
        path = f"{self._path}/{analysis_id}/assessment"
        self._wire.send("DELETE", path, headers=seen.if_match())

    def assessments(self, analysis_id: str) -> Iterator[AssessmentStep]:
        """Yield what was said of an analysis over time, newest first."""
        return self._wire.listed(AssessmentStep, f"{self._path}/{analysis_id}/assessments")

    def remove(self, analysis_id: str) -> None:
        """Remove an analysis."""
        self._wire.send("DELETE", f"{self._path}/{analysis_id}")
