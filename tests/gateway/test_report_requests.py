"""Reports that were asked for: who, when, and what they were given."""

import asyncio
import hashlib

import grpc
import pytest
from sqlalchemy import select

from services.gateway.boot import open_records
from services.gateway.database import EVERYTHING
from services.gateway.identity import Organisations
from services.gateway.records import ReportRequest
from tests.gateway.conftest import Gateway


async def test_every_report_is_recorded_with_who_asked_and_the_hash_of_what_they_got(
    either: Gateway,
) -> None:
    alice = await either.signed_in()
    made = await alice.analyze()
    where = made.headers["Location"]

    pdf = await alice("GET", f"{where}/report.pdf")

    (asked,) = (await alice("GET", f"{where}/reports")).json()["items"]
    assert asked["user_id"] == (await alice("GET", "/v1/me")).json()["id"]
    assert asked["created_at"] > made.json()["created_at"]
    assert asked["outcome"] == "given"
    assert asked["sha256"] == hashlib.sha256(pdf.content).hexdigest()
    assert asked["size_bytes"] == len(pdf.content)
    assert asked["problem"] is None


async def test_a_report_that_was_not_given_is_recorded_with_the_reason(either: Gateway) -> None:
    alice = await either.signed_in()
    where = (await alice.analyze()).headers["Location"]
    either.reports.failure = (grpc.StatusCode.INTERNAL, "secret")

    refused = await alice("GET", f"{where}/report.pdf")

    (asked,) = (await alice("GET", f"{where}/reports")).json()["items"]
    assert (asked["outcome"], asked["problem"]) == ("refused", refused.json()["type"])
    assert (asked["sha256"], asked["size_bytes"]) == (None, None)


async def test_a_report_that_failed_by_a_fault_of_ours_is_recorded_too(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await either.signed_in()
    where = (await alice.analyze()).headers["Location"]
    monkeypatch.setattr(either.parts.reporter, "_views", None)

    failed = await alice("GET", f"{where}/report.pdf")

    (asked,) = (await alice("GET", f"{where}/reports")).json()["items"]
    assert failed.status_code == 500
    assert (asked["outcome"], asked["problem"]) == ("refused", failed.json()["type"])


async def test_requests_are_listed_newest_first_and_page_by_page(either: Gateway) -> None:
    alice = await either.signed_in()
    where, other = [(await alice.analyze()).headers["Location"] for _ in range(2)]
    for path in (where, where, where, other):
        await alice("GET", f"{path}/report.pdf")

    first = (await alice("GET", f"{where}/reports", params={"limit": "2"})).json()
    rest = await alice("GET", f"{where}/reports", params={"cursor": first["next_cursor"]})

    moments = [each["created_at"] for each in [*first["items"], *rest.json()["items"]]]
    assert len(moments) == 3
    assert moments == sorted(moments, reverse=True)
    assert rest.json()["next_cursor"] is None


async def test_where_records_are_shared_all_see_who_asked_and_elsewhere_nobody_else_does(
    either: Gateway,
) -> None:
    alice, bob = await either.signed_in(), await either.signed_in("bob")
    where = (await alice.analyze()).headers["Location"]
    await alice("GET", f"{where}/report.pdf")

    private = await bob("GET", f"{where}/reports")
    async with open_records(either.settings) as records:
        await Organisations(records).share("default", shared=True)
    await bob("GET", f"{where}/report.pdf")

    assert private.status_code == 404
    shown = [(await each("GET", f"{where}/reports")).json()["items"] for each in (alice, bob)]
    assert shown[0] == shown[1]
    assert len({each["user_id"] for each in shown[0]}) == 2


async def test_no_report_of_what_was_removed_meanwhile_is_given(either: Gateway) -> None:
    alice = await either.signed_in()
    where = (await alice.analyze()).headers["Location"]
    either.reports.may_answer.clear()
    asking = asyncio.create_task(alice("GET", f"{where}/report.pdf"))
    await either.reports.arrived()

    await alice("DELETE", where)
    either.reports.may_answer.set()

    assert (await asking).status_code == 404
    assert (await alice("GET", f"{where}/reports")).status_code == 404


async def test_requests_are_purged_with_their_analysis(either: Gateway) -> None:
    alice = await either.signed_in()
    where = (await alice.analyze()).headers["Location"]
    await alice("GET", f"{where}/report.pdf")
    await alice("DELETE", where)

    assert await either.purge() == 1

    async with open_records(either.settings) as records:
        rows = select(ReportRequest)
        assert await records.read(lambda session: session.scalar(rows), EVERYTHING) is None
