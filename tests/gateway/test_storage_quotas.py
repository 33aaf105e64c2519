"""How much is kept is counted, and nobody gets past a quota, however many come at once."""

import asyncio
from functools import partial
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from sqlmodel import col
from typer.testing import CliRunner

from services.cli import app
from services.gateway import database, storage_quotas
from services.gateway.boot import open_records
from services.gateway.database import EVERYTHING, migrate
from services.gateway.identity import Organisations
from services.gateway.records import DEFAULT_ORGANISATION, Usage
from tests import specimens
from tests.gateway.conftest import Client, Gateway, Start
from tests.gateway.counterparts import assessed
from tests.gateway.test_jobs import finished

PICTURES = [specimens.lesion_jpeg((64, 48), seed=seed) for seed in range(6)]


async def usage(client: Client) -> dict[str, Any]:
    answer = await client("GET", "/v1/usage")
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


async def many(*clients: Client) -> list[httpx.Response]:
    sending = zip(clients * len(PICTURES), PICTURES, strict=False)
    return await asyncio.gather(*(client.analyze(picture) for client, picture in sending))


def is_refused(answer: httpx.Response, whose: str) -> bool:
    problem = answer.json()
    return (
        answer.status_code == 507
        and problem["type"] == "/docs/problems#storage-quota-exceeded"
        and f"kept for {whose}." in problem["detail"]
        and "Retry-After" not in answer.headers
    )


async def test_what_is_kept_is_shown_to_the_byte(either: Gateway) -> None:
    alice = await either.signed_in()
    assert (await usage(alice))["user"]["pictures"] == 0

    made = [await alice.analyze(picture) for picture in PICTURES[:2]]

    shown = await usage(alice)
    images = [await alice("GET", f"{each.headers['Location']}/image") for each in made]
    found = assessed()
    # Mask and explanation are the same of both: kept once, and counted for each.
    drawn = len(found.segmentation.mask_png) + len(found.classification.explanation_png)
    whole = sum(len(image.content) for image in images) + 2 * drawn
    assert shown["user"] == {
        "bytes": whole,
        "pictures": 2,
        "max_bytes": 100 * 1024**3,
        "max_pictures": 100_000,
    }
    assert shown["organisation"] is None  # of a private one, it would tell what others keep


BEFORE = """
    INSERT INTO users (id, organisation_id, username, password_hash, role, disabled, created_at)
    VALUES ('{user}', '{organisation}', 'old', 'x', 'clinician', false, '2026-01-01');
    INSERT INTO analyses (id, organisation_id, owner_id, created_at, status, image_sha256)
    VALUES ('{user}', '{organisation}', '{user}', '2026-01-01', 'succeeded', 'x');
    INSERT INTO analyses (id, organisation_id, owner_id, created_at, status, image_sha256)
    VALUES ('{organisation}', '{organisation}', '{user}', '2026-01-01', 'failed', NULL)
"""


async def test_of_what_was_there_before_only_what_has_a_picture_counts(
    empty_database_url: str,
) -> None:
    ids = {"user": "1" * 32, "organisation": DEFAULT_ORGANISATION}
    async with database.opened(empty_database_url, 10) as records:
        await records.write(partial(migrate, revision="base"), EVERYTHING)
        await records.write(partial(migrate, revision="0011"), EVERYTHING)
        for statement in BEFORE.format(**ids).split(";"):
            await records.write(partial(Session.execute, statement=text(statement)), EVERYTHING)

        await records.write(migrate, EVERYTHING)

        kept = select(col(Usage.holder_id), col(Usage.pictures))
        found = await records.read(lambda session: session.execute(kept).all(), EVERYTHING)
        assert sorted(map(tuple, found)) == sorted((holder, 1) for holder in ids.values())


async def test_of_many_at_once_so_many_are_kept_as_may_be(start: Start, database_url: str) -> None:
    async with start(database_url=database_url, user_quota_pictures=2) as gateway:
        alice, bob = await gateway.signed_in(), await gateway.signed_in("bob")

        answers = await many(alice)

        kept = [answer for answer in answers if answer.status_code == 201]
        assert len(kept) == 2
        assert sum(is_refused(answer, "you") for answer in answers) == 4
        assert (await usage(alice))["user"]["pictures"] == 2
        assert len(gateway.kept_files()) == 2 + 2
        assert (await bob.analyze(PICTURES[0])).status_code == 201
        assert is_refused(await alice.analyze(PICTURES[0]), "you")
        # It asked nobody for what would be refused.
        assert len(gateway.inference.requests) <= len(answers) + 1


async def test_users_of_an_organisation_share_its_quota_and_an_operator_changes_it(
    start: Start, database_url: str
) -> None:
    async with start(database_url=database_url, organisation_quota_pictures=3) as gateway:
        alice, bob = await gateway.signed_in(), await gateway.signed_in("bob")

        answers = await many(alice, bob)

        assert sorted(answer.status_code for answer in answers) == [201] * 3 + [507] * 3
        assert sum(is_refused(answer, "your organisation") for answer in answers) == 3
        async with open_records(gateway.settings) as records:
            organisations = Organisations(records)
            await organisations.share("default", shared=True)
            await organisations.bound("default", {"quota_pictures": 4, "user_quota_bytes": 10**6})
        shown = await usage(bob)
        assert (shown["organisation"]["pictures"], shown["organisation"]["max_pictures"]) == (3, 4)
        assert shown["user"]["max_bytes"] == 10**6
        assert (await bob.analyze(PICTURES[0])).status_code == 201
        assert (await alice.analyze(PICTURES[0])).status_code == 507


async def test_what_others_keep_and_operators_bound_counts_at_once_in_every_gateway(
    start: Start, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However slow the machine is, it was "just now".
    monkeypatch.setattr(storage_quotas, "_ROOMY_S", 600)
    async with (
        start(database_url=database_url, user_quota_pictures=4) as one,
        start(database_url=database_url, user_quota_pictures=4) as two,
    ):
        alice = await one.signed_in()
        elsewhere = Client(two.http, alice.token)
        kept = [await each.analyze(PICTURES[0]) for each in (alice, *[elsewhere] * 3)]
        # The first gateway saw half of it free just now.
        assert [answer.status_code for answer in kept] == [201] * 4
        assert len(one.inference.requests) == 1
        assert is_refused(await alice.analyze(PICTURES[1]), "you")
        # So it had to work to find out, and knows from then on.
        assert len(one.inference.requests) == 2
        assert is_refused(await alice.analyze(PICTURES[1]), "you")
        assert len(one.inference.requests) == 2

        bob = await one.signed_in("bob")
        assert (await bob.analyze(PICTURES[0])).status_code == 201
        async with open_records(one.settings) as records:
            await Organisations(records).bound("default", {"user_quota_pictures": 1})

        assert is_refused(await bob.analyze(PICTURES[1]), "you")
        assert (await usage(bob))["user"] | {"bytes": 0, "max_bytes": 0} == {
            "bytes": 0,
            "pictures": 1,
            "max_bytes": 0,
            "max_pictures": 1,
        }


async def test_bytes_are_counted_with_all_that_comes_of_a_picture(
    start: Start, database_url: str
) -> None:
    async with start(database_url=database_url, user_quota_bytes=len(PICTURES[0])) as gateway:
        alice = await gateway.signed_in()

        answer = await alice.analyze(PICTURES[0])

        assert is_refused(answer, "you")
        assert gateway.kept_files() == []
        assert (await usage(alice))["user"]["bytes"] == 0


async def test_what_was_removed_counts_until_it_is_purged(start: Start, database_url: str) -> None:
    async with start(database_url=database_url, user_quota_pictures=1) as gateway:
        alice = await gateway.signed_in()
        made = await alice.analyze()
        await alice("DELETE", made.headers["Location"])

        assert is_refused(await alice.analyze(), "you")
        await gateway.purge()

        assert (await usage(alice))["user"] | {"max_bytes": 0} == {
            "bytes": 0,
            "pictures": 0,
            "max_bytes": 0,
            "max_pictures": 1,
        }
        assert (await alice.analyze()).status_code == 201


async def test_who_asks_again_for_what_was_made_is_shown_it_also_when_no_more_may_be(
    start: Start,
    database_url: str,
) -> None:
    async with start(database_url=database_url, user_quota_pictures=1) as gateway:
        alice = await gateway.signed_in()
        asked = {
            "content": PICTURES[0],
            "headers": {"Content-Type": "image/jpeg", "Idempotency-Key": "one"},
        }

        first = await alice("POST", "/v1/analyses", **asked)
        again = await alice("POST", "/v1/analyses", **asked)

        assert first.status_code == again.status_code == 201
        assert first.json() == again.json()


async def test_what_was_taken_in_to_be_analyzed_later_counts_at_once_and_is_finished(
    start: Start, database_url: str
) -> None:
    async with start(database_url=database_url) as measured:
        alice = await measured.signed_in("measured")
        await alice.analyze(PICTURES[0])
        whole = (await usage(alice))["user"]["bytes"]
    async with start(database_url=database_url, user_quota_bytes=whole - 1) as gateway:
        alice = await gateway.signed_in()
        later = {"Prefer": "respond-async", "Content-Type": "image/jpeg"}

        taken = await alice("POST", "/v1/analyses", content=PICTURES[0], headers=later)

        assert taken.status_code == 202, taken.text
        assert (await finished(alice, taken.headers["Location"]))["status"] == "succeeded"
        assert (await usage(alice))["user"]["bytes"] == whole
        assert is_refused(await alice.analyze(PICTURES[1]), "you")


def test_the_command_line_bounds_an_organisation_and_forgets_it(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DERMSERVE_DATA_DIR", str(tmp_path))

    def said(*command: str) -> str:
        done = CliRunner().invoke(app, ["organisations", *command])
        assert done.exit_code == 0, done.output
        return done.output.strip()

    bounded = said("quota", "default", "--bytes", "1000000", "--user-pictures", "5")
    assert bounded == "default: private, at most 1,000,000 bytes, at most 5 pictures a user"
    again = said("quota", "default", "--pictures", "7")
    assert again.endswith("at most 7 pictures, at most 5 pictures a user")
    assert said("quota", "default", "--defaults") == said("list") == "default: private"
