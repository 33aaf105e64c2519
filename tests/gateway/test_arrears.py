"""What a version before left undone is done beside other work, and goes on when interrupted."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from services.gateway import database
from services.gateway.analyses import AnalysisArrears
from services.gateway.arrears import Arrears
from services.gateway.boot import open_records
from services.gateway.clinical import NameArrears
from services.gateway.database import EVERYTHING, Database, build_indexes, migrate, missing_indexes
from services.gateway.records import Analysis, Patient, Time, new_id
from services.pb import inference_pb2 as pb
from tests.gateway.conftest import Gateway
from tests.gateway.counterparts import cannot_assess
from tests.gateway.test_database import a_user, add, an_analysis
from tests.gateway.test_migrations import MIGRATIONS, differences

FILLED = ("malignant_probability", "suspicious", "cannot_assess_reasons", *Time)
TO_0020 = f"-{len(MIGRATIONS) - 20}"


async def no_indexes() -> list[str]:
    return []


async def counted(records: Database) -> dict[str, tuple[Any, ...]]:
    def look(session: Session) -> dict[str, tuple[Any, ...]]:
        found = session.scalars(select(Analysis)).all()
        return {row.id: tuple(getattr(row, name) for name in FILLED) for row in found}

    return await records.read(look, EVERYTHING)


@pytest.mark.parametrize("lacking", [FILLED, (Time.QUEUE, Time.RUN)])
async def test_answers_of_a_version_before_get_what_the_gateway_itself_would_have_kept(
    either: Gateway, lacking: tuple[str, ...]
) -> None:
    as_before = update(Analysis).values(dict.fromkeys(lacking))
    alice = await either.signed_in()
    await alice.analyze()
    either.inference.answer = cannot_assess(pb.REASON_TOO_DARK, pb.REASON_BLURRED)
    await alice.analyze()
    async with open_records(either.settings) as records:
        own = await counted(records)
        await records.write(lambda session: session.execute(as_before), EVERYTHING)

        await AnalysisArrears(records, no_indexes).do()

        assert await counted(records) == own
    expected = {(0.06, False, None, 45, 0, 31), (None, None, "too_dark blurred", 3, 0, 0)}
    assert set(own.values()) == expected


async def test_what_an_answer_of_a_version_before_has_is_not_written_anew(
    records: Database,
) -> None:
    owner = a_user()
    row = an_analysis(owner)
    # Neither judged nor a reason why: the column says so with no words, and not with nothing.
    timings = dict.fromkeys((time.value for time in Time), 3.0)
    row.findings = {"classification": None, "quality": {"reasons": []}, "timings": timings}
    row.cannot_assess_reasons = ""
    await add(records, owner)
    await add(records, row)

    await AnalysisArrears(records, no_indexes).do()

    assert set((await counted(records)).values()) == {(None, None, "", 3, 3, 3)}


class Dying:
    """A database that is there for so many writes, and then is not."""

    def __init__(self, records: Database, writes: int) -> None:
        self.read, self.trouble = records.read, records.trouble
        self._records, self._left = records, writes

    async def write(self, work: Callable[[Session], Any], scope: Any = None) -> Any:
        if not self._left:
            raise ConnectionError
        self._left -= 1
        return await self._records.write(work, scope)


async def test_filling_that_was_interrupted_goes_on(records: Database) -> None:
    owner = a_user()
    rows = [an_analysis(owner) for _ in range(450)]
    for row in rows:
        row.id, row.findings = new_id(), {"timings": {"total_ms": 7.2}}
    await add(records, owner)
    await add(records, *rows)

    with pytest.raises(ConnectionError):
        await AnalysisArrears(Dying(records, writes=2), no_indexes).do()
    some = [ms for *_, ms, _, _ in (await counted(records)).values() if ms is not None]
    await AnalysisArrears(records, no_indexes).do()

    assert len(some) == 400
    assert {ms for *_, ms, _, _ in (await counted(records)).values()} == {7}


async def test_names_that_cannot_be_seen_to_hold_up_no_analyses(records: Database) -> None:
    owner = a_user()
    row = an_analysis(owner)
    row.findings = {"timings": {"total_ms": 7.2}}
    await add(records, owner)
    ann = Patient(identifier="1", name="Ann", owner_id=owner.id)
    ann.organisation_id = owner.organisation_id
    await add(records, row, ann)
    no_words = text("DROP TABLE patient_words")
    await records.write(lambda session: session.execute(no_words), EVERYTHING)

    await Arrears(NameArrears(records).do, AnalysisArrears(records, no_indexes).do).do()

    assert [ms for *_, ms, _, _ in (await counted(records)).values()] == [7]


async def test_answers_that_say_nothing_to_count_are_left_as_they_are(records: Database) -> None:
    owner = a_user()
    await add(records, owner)
    await add(records, an_analysis(owner))

    await AnalysisArrears(records, no_indexes).do()

    assert set((await counted(records)).values()) == {(None,) * len(FILLED)}


async def test_where_there_are_analyses_indexes_are_built_after_the_migration(
    database_url: str,
) -> None:
    async with database.opened(database_url, 10) as records:
        owner = a_user()
        await add(records, owner)
        await add(records, an_analysis(owner))
        await records.write(partial(migrate, revision=TO_0020), EVERYTHING)
        await records.write(migrate, EVERYTHING)
        left = await records.read(missing_indexes, EVERYTHING)

        await AnalysisArrears(records, partial(build_indexes, database_url)).do()

        assert len(left) == (12 if database_url.startswith("postgresql") else 0)
        assert await records.read(differences, EVERYTHING) == []


async def test_an_index_whose_building_was_interrupted_is_built_anew(postgres_url: str) -> None:
    interrupted = text(
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_analyses_counted'::regclass"
    )
    async with database.opened(postgres_url, 10) as records:
        await records.write(lambda session: session.execute(interrupted), EVERYTHING)
        assert await records.read(missing_indexes, EVERYTHING) == ["ix_analyses_counted"]

        assert await build_indexes(postgres_url) == ["ix_analyses_counted"]

        assert await records.read(missing_indexes, EVERYTHING) == []


async def test_a_look_at_nothing_reads_no_analysis(records: Database) -> None:
    def plan(session: Session) -> str:
        asked = "SELECT id FROM analyses WHERE status = 'succeeded' AND queue_ms IS NULL "
        asked += "AND findings IS NOT NULL AND id > '' ORDER BY id LIMIT 200"
        if session.get_bind().dialect.name == "sqlite":
            return str(session.execute(text(f"EXPLAIN QUERY PLAN {asked}")).all())
        session.execute(text("SET enable_seqscan = off"))
        return str(session.execute(text(f"EXPLAIN {asked}")).all())

    assert "ix_analyses_untimed" in await records.write(plan, EVERYTHING)


async def test_what_statistics_count_is_taken_from_the_answers_that_are_kept(
    records: database.Database,
) -> None:
    owner = a_user()
    judged = {"classification": {"malignant_probability": 0.4, "suspicious": True}}
    refused = {"classification": None, "quality": {"reasons": ["too_dark", "blurred"]}}
    timed = {"timings": {"total_ms": 45.25}}
    answers = [judged | timed, refused | timed, {}, None]
    rows = [an_analysis(owner).model_copy(update={"id": new_id(), "findings": f}) for f in answers]
    ids = [row.id for row in rows]
    await add(records, owner)
    await add(records, *(Analysis(**row.model_dump()) for row in rows))
    await records.write(partial(migrate, revision=f"-{len(MIGRATIONS) - 21}"), EVERYTHING)

    await records.write(migrate, EVERYTHING)
    await AnalysisArrears(records, no_indexes).do()

    kept = await records.read(lambda session: session.scalars(select(Analysis)).all(), EVERYTHING)
    found = {
        row.id: (
            row.malignant_probability,
            row.suspicious,
            row.cannot_assess_reasons,
            row.total_ms,
        )
        for row in kept
    }
    nothing = (None, None, None, None)
    answered = [(0.4, True, None, 45), (None, None, "too_dark blurred", 45), nothing, nothing]
    assert [found[each] for each in ids] == answered
