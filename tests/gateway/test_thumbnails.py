"""Small pictures in reports: how small, and which ones are left out for what reason."""

import asyncio
import errno
from pathlib import Path

import pytest
from sqlalchemy import select

from services.gateway import errors
from services.gateway.boot import open_records, picture_store
from services.gateway.clients import BatchContents, Letterhead, report_messages
from services.gateway.database import EVERYTHING
from services.gateway.records import Analysis, Batch
from services.gateway.reports import Thumbnails
from services.gateway.store import folder
from services.gateway.threads import Threads
from services.pb.reports_pb2 import AnalysisSummary, RenderRequest
from tests import specimens
from tests.gateway.conftest import Gateway
from tests.gateway.counterparts import opened
from tests.gateway.test_batch_reports import of_batch, page_of
from tests.gateway.test_batches import PICTURES, analyses, finished, sent

pytestmark = pytest.mark.usefixtures("figures_are_waited_for")


async def test_large_pictures_of_a_batch_are_printed_small(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    path = (await sent(alice, specimens.lesion_jpeg((1600, 1200)))).headers["Location"]
    await finished(alice, path)

    (row,) = (await of_batch(gateway, alice, path)).rows

    assert opened(row.analysis.image).size == (160, 120)
    assert row.analysis.mask_png == b""


async def test_what_there_is_no_time_for_goes_without_thumbnails(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    path = (await sent(alice, *PICTURES)).headers["Location"]
    done = await finished(alice, path)
    async with open_records(gateway.settings) as records:
        rows = await records.read(
            lambda session: session.scalars(select(Analysis)).all(), EVERYTHING
        )

    late = Thumbnails(picture_store(gateway.settings), Threads(1))
    shown = await late.of(rows, 160, 0, outlined=False)

    assert done["succeeded"] == 3
    assert [each.pictures.image for each in shown] == [b""] * 3
    assert {each.no_picture for each in shown} == {"out_of_time"}


async def test_the_page_of_a_batch_says_which_pictures_there_was_no_time_for(
    gateway: Gateway,
) -> None:
    alice = await gateway.signed_in()
    path = (await sent(alice, *PICTURES)).headers["Location"]
    await finished(alice, path)
    async with open_records(gateway.settings) as records:
        batch = await records.read(lambda session: session.scalars(select(Batch)).one(), EVERYTHING)
        rows = await records.read(
            lambda session: session.scalars(select(Analysis)).all(), EVERYTHING
        )
    late = Thumbnails(picture_store(gateway.settings), Threads(1))
    shown = await late.of(rows, 160, 0, outlined=False)

    message = report_messages.of_batch(BatchContents(batch, shown, {}, {}), Letterhead(), "de")

    assert "die Zeit für diesen Bericht vorher ablief: Nr. 1\N{EN DASH}3." in page_of(
        RenderRequest(batch=message, language="de")
    )


async def test_a_picture_that_is_gone_is_said_to_be_gone(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    path = (await sent(alice, *PICTURES[:2])).headers["Location"]
    await finished(alice, path)
    digest = (await analyses(alice, path))["1.jpg"]["image"]["sha256"]
    (kept,) = [path for path in gateway.kept_files() if path.name == digest]
    kept.unlink()

    rows = (await of_batch(gateway, alice, path)).rows

    assert [row.analysis.no_picture for row in rows] == [
        AnalysisSummary.NO_PICTURE_UNSPECIFIED,
        AnalysisSummary.NO_PICTURE_LOST,
    ]


async def test_a_picture_that_does_not_come_takes_no_more_than_the_time_for_thumbnails(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await gateway.signed_in()
    await alice.analyze()
    async with open_records(gateway.settings) as records:
        rows = await records.read(
            lambda session: session.scalars(select(Analysis)).all(), EVERYTHING
        )
    store = picture_store(gateway.settings)

    async def never(*_: str) -> bytes:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(store, "get", never)
    async with asyncio.timeout(60):
        (shown,) = await Thumbnails(store, Threads(1)).of(rows, 160, 0.05, outlined=False)

    assert shown.pictures.image == b""


async def test_a_store_that_runs_out_of_its_own_time_is_not_taken_for_too_little_time(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await gateway.signed_in()
    await alice.analyze()
    async with open_records(gateway.settings) as records:
        rows = await records.read(
            lambda session: session.scalars(select(Analysis)).all(), EVERYTHING
        )
    store = picture_store(gateway.settings)

    def stuck(_: Path) -> bytes:
        # As a network file system has it.
        raise OSError(errno.ETIMEDOUT, "Connection timed out")

    monkeypatch.setattr(folder, "_read", stuck)
    with pytest.raises(errors.UnavailableError):
        await Thumbnails(store, Threads(1)).of(rows, 160, 60, outlined=False)
