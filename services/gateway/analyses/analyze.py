"""One picture in, one recorded analysis out."""

from services.gateway.analyses.files import Files
from services.gateway.analyses.subject import Subject
from services.gateway.clients import Answer, Inference
from services.gateway.database import Scope
from services.gateway.deadlines import Deadline
from services.gateway.metrics import Metrics
from services.gateway.records import Analysis
from services.gateway.threads import Threads
from services.gateway.uploads import Rewritten, Upload, rewrite

Limits = tuple[int, int, int]
"""The most bytes, pixels, and pixels of a side."""


class Analyzer:
    """Analyzes pictures and records what was found."""

    def __init__(
        self, inference: Inference, files: Files, threads: Threads, limits: Limits, metrics: Metrics
    ) -> None:
        """Build from what an analysis needs.

        Args:
            inference: judges pictures.
            files: keeps pictures and records.
            threads: where pictures are rewritten.
            limits: of a picture.
            metrics: counts outcomes and bytes.

        """
        self._inference = inference
        self._files = files
        self._threads = threads
        self._limits = limits
        self._metrics = metrics

    async def analyze(self, scope: Scope, upload: Upload, deadline: Deadline) -> Analysis:
        """Analyze a picture for a user; when this fails, nothing is kept.

        Raises:
            InvalidRequestError: a text field does not keep the rules.
            InvalidPictureError: the picture cannot be used.
            TooLargeError: it has too many bytes or pixels.
            UnavailableError: inference is down or has too much to do.
            DeadlinePassedError: no answer in time.
            UpstreamError: inference failed.

        """
        subject = Subject.read(upload.fields)
        self._metrics.upload_bytes.observe(len(upload.picture))
        async with deadline.kept():
            picture = await self._threads.run(rewrite, upload.picture, *self._limits)
        async with self._files.stage() as stage:
            # The disk makes it durable while inference looks at it.
            stage.begin(picture.sha256, picture.encoded)
            answer = await self._inference.analyze(picture.encoded, deadline)
            record = record_of(subject, picture, answer)
            record.mask_sha256 = stage.add(answer.mask_png)
            record.explanation_sha256 = stage.add(answer.explanation_png)
            await self._files.keep(record, stage, scope)
        self._metrics.analyses(answer.outcome).inc()
        return record


def record_of(subject: Subject, picture: Rewritten, answer: Answer) -> Analysis:
    """Return the record of an analysis, nobody's yet, which knows no picture but its own."""
    classification = answer.findings.classification
    return Analysis(
        status="succeeded",
        outcome=answer.outcome,
        label=classification.label if classification else None,
        image_sha256=picture.sha256,
        image_format=picture.format,
        width=picture.width,
        height=picture.height,
        findings=answer.findings.model_dump(mode="json"),
        **subject.model_dump(),
    )
