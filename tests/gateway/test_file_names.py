"""Names of the files of a batch: kept with what is of a patient, for they may name one."""

from sqlalchemy import select
from sqlmodel import col

from services.gateway.boot import open_records
from services.gateway.database import EVERYTHING
from services.gateway.records import Analysis
from tests.gateway.conftest import Gateway
from tests.gateway.leaks import WATCH
from tests.gateway.test_batches import PICTURES, analyses, finished, sent_zip, zipped


async def test_names_of_files_are_told_to_who_sent_them_and_to_no_log_or_audit(
    either: Gateway,
) -> None:
    alice = await either.signed_in()
    names = [f"Erika Mustermann, {each}.jpg" for each in ("left arm", "right arm", "bad")]
    files = dict(zip(names, (PICTURES[0], b"no picture", PICTURES[1][:500]), strict=True))
    refused = "../Erika Mustermann.jpg"
    WATCH.plant(refused, *names, "Erika Mustermann")

    answer = await alice("POST", "/v1/batches", files=[("images", each) for each in files.items()])
    packed = await sent_zip(alice, zipped(files))
    for each in (answer, packed):
        await finished(alice, each.headers["Location"])
        assert sorted(await analyses(alice, each.headers["Location"])) == sorted(names)
    assert refused in (await sent_zip(alice, zipped({refused: PICTURES[0]}))).json()["detail"]
    await either.show_audit()

    assert [line for line in WATCH.written if "/v1/batches" in line]
    assert list(WATCH.leaks()) == []


async def test_the_name_of_a_file_is_gone_for_good_with_its_analysis(either: Gateway) -> None:
    alice = await either.signed_in()
    files = [("images", (f"Erika Mustermann, {n}.jpg", each)) for n, each in enumerate(PICTURES)]
    path = (await alice("POST", "/v1/batches", files=files)).headers["Location"]
    await finished(alice, path)
    assert await names(either) == {name for _, (name, _) in files}

    assert (await alice("DELETE", path)).status_code == 204
    await either.purge()

    assert await names(either) == set()


async def names(gateway: Gateway) -> set[str | None]:
    """All names of files that the database has."""
    async with open_records(gateway.settings) as records:
        asked = select(col(Analysis.file_name))
        return set(await records.read(lambda session: session.scalars(asked).all(), EVERYTHING))
