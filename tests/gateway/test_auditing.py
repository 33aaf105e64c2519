"""The audit verified, written out and pruned: by commands, and over REST by administrators."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from services.cli import audit as command
from services.cli import organisations, users
from services.gateway import auditing
from services.gateway.audit import Ledger, operator
from services.gateway.audit.trail import Trail
from services.gateway.boot import open_records
from services.gateway.database import EVERYTHING
from services.gateway.records import Role
from tests.gateway.audited import findings, last, rows
from tests.gateway.cast import Cast, cast
from tests.gateway.conftest import PASSWORD, Client, Gateway, Start
from tests.gateway.leaks import WATCH

__all__ = ["cast"]

Run = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def run(
    either: Gateway, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Runs what a container runs, on the database of a gateway."""
    monkeypatch.setenv("DERMSERVE_DATA_DIR", str(either.settings.data_dir))
    url = either.settings.database_url.get_secret_value()
    monkeypatch.setenv("DERMSERVE_GATEWAY_DATABASE_URL", url)

    def ran(*arguments: str) -> tuple[int, list[str]]:
        capsys.readouterr()
        status = auditing.main(arguments)
        return status, capsys.readouterr().out.splitlines()

    return ran


async def busy(gateway: Gateway, times: int = 3) -> Client:
    alice = await gateway.signed_in()
    for number in range(times):
        await alice("POST", "/v1/patients", json={"identifier": f"number {number}"})
    return alice


async def lines(by: Client, **asked: str) -> list[dict[str, object]]:
    answer = await by("GET", "/v1/audit", params=asked, headers={"Accept": "application/jsonl"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/jsonl")
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_verifying_says_where_each_chain_is_and_ends_with_status_1_when_one_is_broken(
    either: Gateway, run: Run
) -> None:
    await busy(either)

    whole, (said,) = await asyncio.to_thread(run, "verify")
    async with open_records(either.settings) as records:
        change = "UPDATE audit SET user_id = NULL WHERE sequence = 3"
        await records.write(lambda session: session.execute(text(change)), EVERYTHING)
    broken, (found,) = await asyncio.to_thread(run, "verify")

    assert (whole, broken) == (0, 1)
    assert json.loads(said)["findings"] == []
    assert json.loads(said)["rows"] == len(await rows(either))
    (finding,) = json.loads(found)["findings"]
    assert "row 3: was changed" in finding


async def test_an_export_is_recorded_and_can_be_verified_by_itself(
    either: Gateway, run: Run, tmp_path: Path
) -> None:
    await busy(either)
    kept = tmp_path / "export.jsonl"

    _, exported = await asyncio.to_thread(run, "export", "--organisation", "default")
    kept.write_text("\n".join(exported[2:]))
    whole, (said,) = await asyncio.to_thread(run, "verify", str(kept))
    kept.write_text("\n".join([*exported[2:5], *exported[6:]]))
    broken, (found,) = await asyncio.to_thread(run, "verify", str(kept))

    row = await last(either)
    assert (row["action"], row["operator"]) == ("audit.export", operator())
    assert (whole, json.loads(said)["first"], broken) == (0, 3, 1)
    assert "rows 6 to 6 before it are missing" in found


async def test_an_export_serves_as_anchors(either: Gateway, run: Run, tmp_path: Path) -> None:
    await busy(either)
    kept = tmp_path / "anchors.jsonl"
    _, exported = await asyncio.to_thread(run, "export")
    kept.write_text("some other line of a log\n" + "\n".join(exported))
    assert (await asyncio.to_thread(run, "verify", "--anchors", str(kept)))[0] == 0

    cut = [
        "UPDATE audit_heads SET sequence = 2, hash = (SELECT hash FROM audit WHERE sequence = 2)",
        "DELETE FROM audit WHERE sequence > 2",
    ]
    async with open_records(either.settings) as records:
        for statement in map(text, cut):
            await records.write(partial(Session.execute, statement=statement), EVERYTHING)

    status, (found,) = await asyncio.to_thread(run, "verify", "--anchors", str(kept))
    assert status == 1
    assert "row 3: is missing: the chain was cut off before it" in found


async def test_old_rows_are_pruned_from_the_first_on_and_the_rest_is_verified(
    either: Gateway, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.audit.pruning._AT_ONCE", 3)
    await busy(either, 2)
    known = await rows(either)
    before = datetime.now(UTC)
    alice = await busy_again(either)

    status, said = await asyncio.to_thread(run, "prune", "--before", before.isoformat())

    left = await rows(either)
    assert (status, said) == (0, [f"{len(known)} rows are gone for good"])
    assert left[0]["sequence"] == len(known) + 1
    assert left[-1]["action"] == "audit.prune"
    assert left[-1]["operator"] == operator()
    assert await findings(either) == []
    assert (await alice("GET", "/v1/patients")).status_code == 200
    async with open_records(either.settings) as records:
        removal = f"DELETE FROM audit WHERE sequence = {left[0]['sequence']}"  # noqa: S608
        await records.write(lambda session: session.execute(text(removal)), EVERYTHING)
    (finding,) = await findings(either)
    assert "are missing, and no pruning tells of it" in finding


async def busy_again(gateway: Gateway) -> Client:
    bob = await gateway.signed_in("bob")
    await bob("GET", "/v1/patients")
    return bob


async def test_what_is_still_to_come_is_not_pruned(either: Gateway, run: Run) -> None:
    await busy(either)
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()

    assert await asyncio.to_thread(run, "prune", "--before", later) == (2, [])


async def test_commands_are_recorded_by_the_operating_systems_user(
    either: Gateway, run: Run
) -> None:
    del run  # it names the database
    steps = (
        (organisations, "create", "clinic"),
        (users, "create", "dr.bob", "--organisation", "clinic", "--password", PASSWORD),
        (users, "promote", "dr.bob"),
        (users, "promote", "nobody"),
    )
    for module, *arguments in steps:
        await asyncio.to_thread(CliRunner().invoke, module.app, arguments)

    found = [row for row in await rows(either) if row["operation"].startswith("dermserve ")]
    ended = [row for row in found if row["outcome"] != "begun"]
    assert {row["operator"] for row in found} == {operator()}
    assert [(row["action"], row["outcome"]) for row in sorted(ended, key=lambda r: r["at"])] == [
        ("organisations.create", "done"),
        ("users.create", "done"),
        ("users.change", "done"),
        ("users.change", "refused"),
    ]
    assert len({row["organisation_id"] for row in ended}) == 2
    assert "bob" not in str(found)
    assert await findings(either) == []


async def test_the_command_line_verifies_exports_and_prunes(either: Gateway, run: Run) -> None:
    del run
    await busy(either)
    later = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S")
    invoke = CliRunner().invoke

    exported = await asyncio.to_thread(invoke, command.app, ["export", "--until", later])
    verified = await asyncio.to_thread(invoke, command.app, ["verify"])
    pruned = await asyncio.to_thread(invoke, command.app, ["prune", "--before", "2020-01-01"])

    assert {each.exit_code for each in (exported, verified, pruned)} == {0}, verified.output
    assert len(exported.output.splitlines()) == len(await rows(either))
    assert json.loads(verified.output)["findings"] == []
    assert pruned.output == "0 rows are gone for good\n"


async def test_administrators_see_the_rows_of_their_organisation_and_no_others(
    cast: Cast,
) -> None:
    ours, theirs = await lines(cast.ours[Role.ADMIN]), await lines(cast.stranger)

    (organisation,) = {row["organisation_id"] for row in ours}
    assert {row["organisation_id"] for row in theirs} == {
        (await cast.stranger("GET", "/v1/organisation")).json()["id"]
    }
    assert organisation == (await cast.ours[Role.VIEWER]("GET", "/v1/organisation")).json()["id"]
    assert [row["sequence"] for row in ours] == list(range(1, len(ours) + 1))


async def test_pages_and_filters_find_rows(either: Gateway) -> None:
    alice, admin = await busy(either), await either.admin()
    me = (await alice("GET", "/v1/me")).json()["id"]
    patient = (await alice("GET", "/v1/patients")).json()["items"][0]["id"]
    asked = {"user": me, "subject": patient, "since": "2020-01-01", "limit": 1}

    first = (await admin("GET", "/v1/audit", params=asked)).json()
    second = (
        await admin("GET", "/v1/audit", params={**asked, "cursor": first["next_cursor"]})
    ).json()
    none = await admin("GET", "/v1/audit", params={"until": "2020-01-01"})
    made = await lines(admin, action="patients.create", user=me)

    assert first["items"][0]["action"] == "patients.read"
    assert (second["items"][0]["action"], second["next_cursor"]) == ("patients.create", None)
    assert none.json() == {"items": [], "next_cursor": None}
    assert [row["outcome"] for row in made] == ["begun", "done"] * 3
    assert (await last(either, action="audit.read"))["detail"] is not None
    assert await last(either, action="audit.export")


async def test_a_cursor_or_filter_that_is_none_of_ours_is_refused(gateway: Gateway) -> None:
    admin = await gateway.admin()
    for asked in (
        {"cursor": "1e3"},
        {"cursor": "٣"},
        {"cursor": "9223372036854775808"},
        {"cursor": "9" * 24},
        {"user": "x"},
    ):
        answer = await admin("GET", "/v1/audit", params=asked)
        assert answer.status_code == 422, asked


async def test_chains_without_a_key_go_on_with_it_from_the_next_start(
    start: Start, database_url: str
) -> None:
    async with start(database_url=database_url) as bare:
        await busy(bare)
    secret = "the key of this test that is long enough"
    async with start(database_url=database_url, audit_keys=secret) as keyed:
        row = await last(keyed)
        assert await findings(keyed) == []

    assert row["action"] == "audit.rekey"
    assert row["key"] is not None


async def test_the_log_is_told_where_a_chain_is(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.audit.trail._ANCHORED_EVERY_S", 3600)
    trail: Trail = either.parts.trail
    trail._anchored.clear()
    with WATCH.captured() as logged:
        await either.signed_in()
        await either.signed_in("bob")

    (anchor,) = (each for each in logged if each["event"] == "audit anchor")
    async with open_records(either.settings) as records:
        (chain,) = await Ledger(records).verify(
            trail._keys, {anchor["organisation_id"]: {anchor["sequence"]: anchor["hash"]}}
        )
    assert chain.findings == []
