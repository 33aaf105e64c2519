"""Reports put together from all that is known, and rendered."""

from services.gateway import errors
from services.gateway.analyses import Narratives, Views
from services.gateway.clients import (
    AnalysisContents,
    BatchContents,
    Evaluation,
    Glimpse,
    LesionContents,
    Reports,
    Told,
)
from services.gateway.database import Scope
from services.gateway.deadlines import Deadline
from services.gateway.evaluations import Evaluations
from services.gateway.findings import ModelVersion
from services.gateway.records import Analysis, Batch, Lesion
from services.gateway.report_settings import Language
from services.gateway.reports.dossiers import Dossiers
from services.gateway.reports.thumbnails import Thumbnails

_LARGE_PX = 480
_SMALL_PX = 160

_SHARE = 0.5
"""Of the time that there is, for thumbnails; the rest is for the pages."""

_TELLING_SHARE = 0.8
"""Of what is left then, for a language model: by default the time that it may take."""


class Reporter:
    """Makes PDFs of analyses, lesions and batches."""

    def __init__(
        self,
        dossiers: Dossiers,
        views: Views,
        thumbnails: Thumbnails,
        evaluations: Evaluations,
        narratives: Narratives,
        reports: Reports,
    ) -> None:
        """Build from what reporting needs.

        Args:
            dossiers: know whom and what a report is about.
            views: have the pictures of one analysis.
            thumbnails: have small ones of many.
            evaluations: know how well models did.
            narratives: tell findings in plain language.
            reports: renders the pages.

        """
        self._dossiers = dossiers
        self._views = views
        self._thumbnails = thumbnails
        self._evaluations = evaluations
        self._narratives = narratives
        self._reports = reports

    async def of_analysis(
        self, scope: Scope, record: Analysis, language: Language, deadline: Deadline
    ) -> bytes:
        """Return the report of an analysis as a PDF.

        Raises:
            NotFoundError: the analysis has failed.
            NotFinishedError: there is no answer yet.
            UnavailableError: the report service is down or has too much to do.
            DeadlinePassedError: no report in time.
            UpstreamError: the report service failed.

        """
        pictures = await self._views.pictures(record)
        dossier = await self._dossiers.of_analysis(scope, record)
        time_s = _SHARE * deadline.remaining_s()
        earlier = await self._thumbnails.of(dossier.analyses, _LARGE_PX, time_s, outlined=True)
        contents = AnalysisContents(
            record=record,
            pictures=pictures,
            patient=dossier.patient,
            lesion=dossier.lesion,
            earlier=earlier,
            evaluated=await self._evaluated([Glimpse(record)]),
            told=await self._told(scope, record, language, deadline),
        )
        return await self._reports.render(contents, language, deadline)

    async def of_lesion(
        self, scope: Scope, lesion: Lesion, language: Language, deadline: Deadline
    ) -> bytes:
        """Return the report of a lesion as a PDF: its latest hundred analyses.

        Raises:
            ConflictError: there is no analysis of it with an answer.
            GatewayError: what else ``of_analysis`` raises of the service.

        """
        dossier = await self._dossiers.of_lesion(scope, lesion)
        if not dossier.analyses:
            raise errors.ConflictError("This lesion has no analysis to report yet.")
        time_s = _SHARE * deadline.remaining_s()
        shown = await self._thumbnails.of(dossier.analyses, _LARGE_PX, time_s, outlined=True)
        evaluated = await self._evaluated(shown)
        contents = LesionContents(lesion, dossier.patient, shown, evaluated)
        return await self._reports.render(contents, language, deadline)

    async def of_batch(
        self, scope: Scope, batch: Batch, language: Language, deadline: Deadline
    ) -> bytes:
        """Return the report of a batch as a PDF: what has become of each picture by now.

        Raises:
            ConflictError: all of its analyses were removed.
            GatewayError: what else ``of_analysis`` raises of the service.

        """
        records, patients = await self._dossiers.of_batch(scope, batch)
        if not records:
            raise errors.ConflictError("This batch has no analysis to report any more.")
        time_s = _SHARE * deadline.remaining_s()
        rows = await self._thumbnails.of(records, _SMALL_PX, time_s, outlined=False)
        contents = BatchContents(batch, rows, patients, await self._evaluated(rows))
        return await self._reports.render(contents, language, deadline)

    async def _told(
        self, scope: Scope, record: Analysis, language: Language, deadline: Deadline
    ) -> Told | None:
        """Return findings in plain language, where operators have set a model that tells them.

        The template stands in for a model that leaves no time for the pages.
        """
        until = Deadline.after(_TELLING_SHARE * deadline.remaining_s())
        summary = await self._narratives.of(scope, record, language, until)
        return None if summary.why == "off" else Told(summary.text, summary.model)

    async def _evaluated(self, shown: list[Glimpse]) -> dict[str, Evaluation]:
        # Of a thousand answers few models are left, so only those are read in full.
        models = {
            model["sha256"]: model
            for each in shown
            for model in (each.record.findings or {}).get("models", ())
        }
        return await self._evaluations.of(map(ModelVersion.model_validate, models.values()))
