"""What clinicians say of our answers: kept beside them, and never changing them.

An analysis has one assessment, whoever may see it; what was said before it stays as its history.
One a user would leave a record with two current opinions, and a report with nothing to print.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import errors, paging
from services.gateway.analyses.answer import findings_of
from services.gateway.analyses.files import NO_SUCH_ANALYSIS
from services.gateway.database import Database, Scope, publish
from services.gateway.records import Analysis, Assessment, EventKind, Verdict, agrees, is_id
from services.gateway.shelf import Revisions, see_that_it_is_meant

_NONE = "This analysis has no assessment."


class Assessments:
    """The assessments of the analyses within a scope."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def make(
        self,
        scope: Scope,
        analysis_id: str,
        revisions: Revisions,
        username: str,
        verdict: Verdict,
        reason: str | None,
    ) -> Analysis:
        """Put an assessment beside an answer, in place of the one that it is meant for.

        Args:
            scope: of whoever says it.
            analysis_id: of the answer.
            revisions: of the assessment that is there; ``NONE_YET`` where none is.
            username: of whoever says it.
            verdict: what they take the lesion for.
            reason: why; needed where the verdict is not our answer.

        Raises:
            NotFoundError: there is no such analysis within the scope, or it has failed.
            NotFinishedError: there is no answer yet.
            ChangedMeanwhileError: the assessment is of another revision by now.
            InvalidFieldError: the verdict is not our answer, and nothing says why.

        """

        def work(session: Session) -> Analysis:
            record = _held(session, analysis_id)
            findings_of(record, "answer to assess")
            see_that_it_is_meant(_revision(record), revisions)
            if not reason and not agrees(verdict, record.label):
                raise errors.InvalidFieldError("reason", "say why you do not agree")
            step = Assessment(
                analysis=record.id,
                user_id=scope.user_id,
                username=username,
                verdict=verdict,
                reason=reason,
            )
            return _changed(session, record, step)

        return await self._database.write(work, scope)

    async def withdraw(
        self, scope: Scope, analysis_id: str, revisions: Revisions, username: str
    ) -> None:
        """Take an assessment back; its history stays.

        Raises:
            NotFoundError: there is no such analysis within the scope, or no assessment of it.
            ChangedMeanwhileError: it is of another revision by now.

        """

        def work(session: Session) -> None:
            record = _held(session, analysis_id)
            if record.verdict is None:
                raise errors.NotFoundError(_NONE)
            see_that_it_is_meant(_revision(record), revisions)
            step = Assessment(analysis=record.id, user_id=scope.user_id, username=username)
            _changed(session, record, step)

        await self._database.write(work, scope)

    async def page(
        self, scope: Scope, analysis: Analysis, limit: int, cursor: str | None
    ) -> paging.Page[Assessment]:
        """List what was said of an analysis, newest first.

        Raises:
            InvalidRequestError: the cursor is not one of ours.

        """
        rows = (
            select(Assessment)
            .where(
                col(Assessment.analysis) == analysis.id,
                *paging.after(Assessment, cursor),
            )
            .order_by(*paging.newest_first(Assessment))
            .limit(limit + 1)
        )
        found = await self._database.read(lambda session: list(session.scalars(rows)), scope)
        return paging.page(found, limit)


def assessed(record: Analysis) -> Analysis:
    """Return an analysis that has an assessment; raise ``NotFoundError`` for one without."""
    if record.verdict is None:
        raise errors.NotFoundError(_NONE)
    return record


def _held(session: Session, analysis_id: str) -> Analysis:
    """Return an analysis; others wait until this one is done with it."""
    asked = select(Analysis).where(col(Analysis.id) == analysis_id).with_for_update(key_share=True)
    record = session.scalar(asked) if is_id(analysis_id) else None
    if record is None:
        raise errors.NotFoundError(NO_SUCH_ANALYSIS)
    return record


def _revision(record: Analysis) -> int:
    """Return the revision of the assessment that is there, 0 where none is."""
    return record.assessment_revision or 0 if record.verdict else 0


def _changed(session: Session, record: Analysis, step: Assessment) -> Analysis:
    record.verdict, record.verdict_reason = step.verdict, step.reason
    by = (step.username, step.created_at) if step.verdict else (None, None)
    record.assessed_by, record.assessed_at = by
    record.assessment_revision = (record.assessment_revision or 0) + 1
    session.add(step)
    publish(session, EventKind.ANALYSIS_ASSESSED, record, record.id)
    return record
