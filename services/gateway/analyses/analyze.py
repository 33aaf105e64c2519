"""One picture in, one recorded analysis out."""

from functools import partial
from typing import Any

from services.gateway.analyses.files import Files, add
from services.gateway.analyses.subject import Subject
from services.gateway.audit import Trail
from services.gateway.clients import Answer, Inference
from services.gateway.database import Scope
from services.gateway.deadlines import Deadline
from services.gateway.metrics import Metrics
from services.gateway.records import Analysis, Status, kept_times
from services.gateway.storage_quotas import Amount
from services.gateway.threads import Threads
from services.gateway.uploads import Rewritten, Upload, rewrite

Limits = tuple[int, int, int]
"""The most bytes, pixels, and pixels of a side."""


class Analyzer:
    """Analyzes pictures and records what was found."""

    def __init__(
        self,
        inference: Inference,
        files: Files,
        trail: Trail,
        threads: Threads,
        limits: Limits,
        metrics: Metrics,
    ) -> None:
        """Build from what an analysis needs.

        Args:
            inference: judges pictures.
            files: keeps pictures and records.
            trail: has a row of each record.
            threads: where pictures are rewritten.
            limits: of a picture.
            metrics: counts outcomes and bytes.

        """
        self._inference = inference
        self._files = files
        self._trail = trail
        self._threads = threads
        self._limits = limits
        self._metrics = metrics

    async def analyze(
        self, scope: Scope, analysis_id: str, upload: Upload, deadline: Deadline
    ) -> Analysis:
        """Analyze a picture for a user, under an id; when this fails, nothing is kept.

        Raises:
            InsufficientStorageError: there is no room for the picture.
            StorageQuotaExceededError: as much is kept as may be.
            InvalidRequestError: a text field does not keep the rules.
            InvalidPictureError: the picture cannot be used.
            TooLargeError: it has too many bytes or pixels.
            UnavailableError: inference is down or has too much to do.
            DeadlinePassedError: no answer in time.
            UpstreamError: inference failed.

        """
        await self._files.admit(scope)
        subject = await self._files.attached(Subject.read(upload.fields), scope)
        self._metrics.upload_bytes.observe(len(upload.picture))
        async with deadline.kept():
            picture = await self._threads.run(rewrite, upload.picture, *self._limits)
        async with self._files.stage(scope) as stage:
            # The disk makes it durable while inference looks at it.
            stage.begin(picture.sha256, picture.encoded)
            answer = await self._inference.analyze(picture.encoded, deadline)
            mask, explanation = map(stage.add, (answer.mask_png, answer.explanation_png))
            kept = Amount(stage.size, pictures=1)
            record = record_of(
                subject,
                picture,
                answer,
                id=analysis_id,
                organisation_id=scope.organisation_id,
                owner_id=scope.user_id,
                mask_sha256=mask,
                explanation_sha256=explanation,
                kept_bytes=kept.bytes,
            )
            with self._trail.together(analysis_id, partial(add, [record], scope)) as write:
                await self._files.keep(stage, write, scope, kept)
        self._metrics.analyses(answer.outcome).inc()
        return record


def record_of(subject: Subject, picture: Rewritten, answer: Answer, **known: Any) -> Analysis:
    """Return the record of an analysis, to be shown and written as it is: nobody changes it.

    Args:
        subject: whose picture it is.
        picture: that was sent on.
        answer: of inference.
        known: what else there is to say, by the record's columns.

    """
    # For SQLAlchemy to watch each of its columns would take longer than all that is done to it.
    return Analysis.model_construct(**unanswered(subject, picture), **answered(answer), **known)


def unanswered(subject: Subject, picture: Rewritten) -> dict[str, Any]:
    """Return what a record says of a picture before there is an answer."""
    return {**pictured(picture), **subject.model_dump()}


def pictured(picture: Rewritten) -> dict[str, Any]:
    """Return what a record says of a picture that was only looked at by us."""
    return {
        "image_sha256": picture.sha256,
        "image_format": picture.format,
        "width": picture.width,
        "height": picture.height,
    }


def answered(answer: Answer) -> dict[str, Any]:
    """Return what an answer adds to the record of its picture."""
    found, classification = answer.findings, answer.findings.classification
    return {
        "status": Status.SUCCEEDED,
        "outcome": answer.outcome,
        "label": classification.label if classification else None,
        "malignant_probability": classification.malignant_probability if classification else None,
        "suspicious": classification.suspicious if classification else None,
        "cannot_assess_reasons": None if classification else " ".join(found.quality.reasons),
        **kept_times(found.timings.model_dump()),
        "findings": found.model_dump(mode="json"),
    }
