"""Summaries of analyses: kept where a machine wrote one, else made by the template."""

from collections.abc import Awaitable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal, Protocol

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlmodel import col

from services import telemetry
from services.gateway import errors
from services.gateway.analyses.answer import findings_of
from services.gateway.analyses.files import NO_SUCH_ANALYSIS
from services.gateway.database import Database, Scope
from services.gateway.deadlines import Deadline
from services.gateway.metrics import Metrics
from services.gateway.narrative import WORDINGS, Facts, Wording, fault, fill
from services.gateway.places import Places
from services.gateway.records import Analysis, Narrative, NarrativeState, now
from services.gateway.report_settings import Language

_INSERT = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_PAUSE = timedelta(minutes=5)
"""What failed may be asked again after so long; so may what a process was killed at."""

_log = telemetry.logger(__name__)

Why = Literal["off", "busy", "asked", "failed", "refused"]


class Writes(Protocol):
    """What writes summaries."""

    async def write(self, facts: Facts, wording: Wording) -> str:
        """Return a summary that nobody has looked at yet, or raise a ``GatewayError``."""
        ...


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes summaries.

    Attributes:
        model: its name.
        machine: that runs it.
        places: how many it writes at once.

    """

    model: str
    machine: Writes
    places: Places


@dataclass(frozen=True, slots=True)
class Summary:
    """Findings in plain language.

    Attributes:
        text: one paragraph.
        language: of it.
        model: that wrote it; None for the template.
        written_at: when it did.
        why: the template stands in; None where a model wrote it.

    """

    text: str
    language: Language
    model: str | None = None
    written_at: datetime | None = None
    why: Why | None = None

    @property
    def mark(self) -> str:
        """Who wrote it, in a sentence to stand beside it."""
        wording = WORDINGS[self.language]
        return wording.by_machine.format(model=self.model) if self.model else wording.by_template


class Narratives:
    """Tells what was found in a picture in plain language; it changes no finding."""

    def __init__(self, database: Database, author: Author | None, metrics: Metrics) -> None:
        """Build from what telling needs.

        Args:
            database: keeps what was written.
            author: writes it; None where only the template does.
            metrics: count and time it.

        """
        self._database = database
        self._author = author
        self._metrics = metrics

    async def of(
        self, scope: Scope, record: Analysis, language: Language, until: Deadline | None = None
    ) -> Summary:
        """Return the summary of an analysis; a machine is asked for it once.

        Args:
            scope: of whoever looks.
            record: of the analysis.
            language: of the summary.
            until: the machine may write, where that is sooner than operators allow.

        Raises:
            NotFoundError: the analysis has failed, or was removed meanwhile.
            NotFinishedError: there is no answer yet.

        """
        facts = Facts.of(findings_of(record, "summary"))
        author = self._author
        if author is None:
            return _by_template(facts, language, "off")
        asked = Narrative(
            organisation_id=record.organisation_id,
            analysis=record.id,
            model=author.model,
            language=language,
            asked_at=now(),
        )
        try:
            with author.places.taken(scope.user_id):
                kept = await self._database.write(partial(_begin, asked), scope)
                if kept.state == NarrativeState.ASKED and kept.asked_at == asked.asked_at:
                    writing = _write(author.machine, facts, WORDINGS[language], until)
                    kept = await self._written(scope, asked, facts, WORDINGS[language], writing)
        except (errors.ShareTakenError, errors.UnavailableError):
            self._metrics.narratives("busy").inc()
            return _by_template(facts, language, "busy")
        if kept.text is None:
            return _by_template(facts, language, _WHY[NarrativeState(kept.state)])
        return Summary(kept.text, language, kept.model, kept.written_at)

    def by_template(self, record: Analysis, language: Language) -> Summary:
        """Return the summary of an analysis for whoever cannot wait for a machine.

        Raises as ``of`` does.
        """
        facts = Facts.of(findings_of(record, "summary"))
        return _by_template(facts, language, "busy" if self._author else "off")

    async def _written(
        self,
        scope: Scope,
        asked: Narrative,
        facts: Facts,
        wording: Wording,
        writing: Awaitable[str],
    ) -> Narrative:
        """Ask the machine, and keep what became of it."""
        try:
            with self._metrics.narrative_seconds.time():
                text = await writing
        except errors.GatewayError as error:
            asked.state = NarrativeState.FAILED
            _log.warning("summary was not written", model=asked.model, cause=str(error))
        else:
            wrong = fault(text, facts, wording)
            asked.state = NarrativeState.REFUSED if wrong else NarrativeState.WRITTEN
            if wrong:
                _log.warning("summary was refused", model=asked.model, rule=wrong.value)
            else:
                asked.text, asked.written_at = text, now()
        self._metrics.narratives(asked.state).inc()
        await self._database.write(partial(_end, asked), scope)
        return asked


_WHY: dict[NarrativeState, Why] = {
    NarrativeState.ASKED: "asked",
    NarrativeState.FAILED: "failed",
    NarrativeState.REFUSED: "refused",
}


async def _write(machine: Writes, facts: Facts, wording: Wording, until: Deadline | None) -> str:
    async with until.kept() if until else nullcontext():
        return await machine.write(facts, wording)


def _by_template(facts: Facts, language: Language, why: Why) -> Summary:
    return Summary(fill(facts, WORDINGS[language]), language, why=why)


def _begin(asked: Narrative, session: Session) -> Narrative:
    """Return what is kept: the row that came, where its turn is now."""
    # A purge, which would take the new row along, waits for it.
    still = (
        select(col(Analysis.id))
        .where(col(Analysis.id) == asked.analysis)
        .with_for_update(read=True, key_share=True)
    )
    if session.scalar(still) is None:
        raise errors.NotFoundError(NO_SUCH_ANALYSIS)
    insert: Any = _INSERT[session.get_bind().dialect.name](Narrative.__table__)  # type: ignore[attr-defined]
    session.execute(insert.on_conflict_do_nothing(), [asked.model_dump()])
    held = session.scalars(select(Narrative).where(*_same(asked)).with_for_update()).one()
    over = held.asked_at <= asked.asked_at - _PAUSE
    if over and held.state in {NarrativeState.ASKED, NarrativeState.FAILED}:
        held.state, held.asked_at = NarrativeState.ASKED, asked.asked_at
    return held


def _end(asked: Narrative, session: Session) -> None:
    """Keep what became of a row, unless it was somebody else's turn meanwhile."""
    change = update(Narrative).where(*_same(asked), col(Narrative.asked_at) == asked.asked_at)
    values = asked.model_dump(include={"state", "text", "written_at"})
    session.execute(change.values(**values).execution_options(synchronize_session=False))


def _same(asked: Narrative) -> tuple[Any, ...]:
    return (
        col(Narrative.analysis) == asked.analysis,
        col(Narrative.model) == asked.model,
        col(Narrative.language) == asked.language,
    )
