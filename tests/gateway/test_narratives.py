"""Summaries in plain language: what a machine is told, and what is kept of what it says."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

from prometheus_client import generate_latest
from sqlalchemy import select, update
from sqlmodel import col

from services.gateway.boot import open_records
from services.gateway.database import EVERYTHING
from services.gateway.identity import Organisations
from services.gateway.narrative import WORDINGS
from services.gateway.records import Narrative, now
from services.pb import inference_pb2 as pb
from tests.gateway.conftest import Client, Gateway, Start
from tests.gateway.counterparts import cannot_assess
from tests.gateway.language_models import (
    GOOD,
    GOOD_IN_GERMAN,
    HOSTILE,
    KEY,
    MODEL,
    says,
    settings,
)
from tests.gateway.receivers import receiving


async def told(client: Client, where: str, language: str = "en") -> dict[str, Any]:
    answer = await client("GET", f"{where}/narrative", params={"language": language})
    assert answer.status_code == 200, answer.text
    summary: dict[str, Any] = answer.json()
    return summary


async def let_time_pass(gateway: Gateway, minutes: int) -> None:
    before = col(Narrative.asked_at)
    earlier = now() - timedelta(minutes=minutes)
    async with open_records(gateway.settings) as records:
        change = update(Narrative).where(before > earlier).values(asked_at=earlier)
        await records.write(lambda session: session.execute(change), EVERYTHING)


async def test_without_an_endpoint_a_template_tells_the_findings_and_says_that_it_does(
    gateway: Gateway,
) -> None:
    alice = await gateway.signed_in()
    where = (await alice.analyze()).headers["Location"]

    summary = await told(alice, where)

    assert (summary["source"], summary["why_template"]) == ("template", "off")
    assert (summary["model"], summary["written_at"]) == (None, None)
    assert "template" in summary["mark"]
    assert "melanocytic nevus (nv)" in summary["text"]
    assert "90 %" in summary["text"]
    assert "not marked as suspicious" in summary["text"]


async def test_a_text_of_the_machine_is_shown_with_its_model_and_kept(
    start: Start, database_url: str
) -> None:
    async with (
        receiving(says(GOOD)) as endpoint,
        start(database_url=database_url, **settings(endpoint)) as gateway,
    ):
        alice = await gateway.signed_in()
        made = await alice.analyze()
        where = made.headers["Location"]

        first, second = await told(alice, where), await told(alice, where)

        assert first == second
        assert len(endpoint.received) == 1
        assert (first["text"], first["source"], first["model"]) == (GOOD, "machine", MODEL)
        assert first["why_template"] is None
        assert MODEL in first["mark"]
        assert datetime.fromisoformat(first["written_at"]) <= now()
        assert (await alice("GET", where)).json() == made.json()


async def test_the_machine_is_told_codes_and_figures_and_not_one_byte_more(start: Start) -> None:
    planted = {
        "patient_id": "PLANTED-7",
        "patient_name": "Planted Person",
        "lesion_id": "PLANTED-8",
        "body_site": "planted arm",
        "note": "planted words, planted by the tester",
    }
    async with receiving(says(GOOD)) as endpoint, start(**settings(endpoint)) as gateway:
        alice = await gateway.signed_in()
        made = await alice.analyze(**planted)

        await told(alice, made.headers["Location"])

        (asked,) = endpoint.received
    assert asked.path == "/v1/chat/completions"
    assert asked.headers.keys() == {
        "accept-encoding",
        "authorization",
        "content-length",
        "content-type",
        "host",
        "user-agent",
    }
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    facts = {
        "prediction": {
            "label": "nv",
            "probability": 90.0,
            "malignant_probability": 6.0,
            "suspicious": False,
            "suspicious_threshold": 30.0,
        },
        "measures": {
            "area": 6.2,
            "asymmetry": 0.1,
            "border_irregularity": 0.2,
            "color_variegation": 0.3,
        },
        "reasons": [],
    }
    body = json.loads(asked.body)
    assert json.loads(body["messages"][1].pop("content")) == facts
    assert body == {
        "model": MODEL,
        "messages": [
            {"role": "system", "content": WORDINGS["en"].instructions},
            {"role": "user"},
        ],
    }
    whole = repr(asked).lower()
    for secret in (*planted.values(), "planted", "alice", made.json()["id"], "sha256"):
        assert secret.lower() not in whole


async def test_what_failed_is_asked_again_after_five_minutes_and_not_before(start: Start) -> None:
    async with (
        receiving(HOSTILE["status 500"], says(GOOD)) as endpoint,
        start(**settings(endpoint)) as gateway,
    ):
        alice = await gateway.signed_in()
        where = (await alice.analyze()).headers["Location"]

        at_first = [await told(alice, where) for _ in range(2)]
        await let_time_pass(gateway, minutes=6)
        later = await told(alice, where)

        assert [each["why_template"] for each in at_first] == ["failed", "failed"]
        assert later["source"] == "machine"
        assert len(endpoint.received) == 2


async def test_what_was_refused_is_never_asked_again(start: Start) -> None:
    async with (
        receiving(HOSTILE["advice"], says(GOOD)) as endpoint,
        start(**settings(endpoint)) as gateway,
    ):
        alice = await gateway.signed_in()
        where = (await alice.analyze()).headers["Location"]

        await told(alice, where)
        await let_time_pass(gateway, minutes=600)

        assert (await told(alice, where))["why_template"] == "refused"
        assert len(endpoint.received) == 1


async def test_who_comes_while_the_machine_writes_waits_for_nothing_and_asks_nothing(
    start: Start, database_url: str
) -> None:
    async with (
        receiving(says(GOOD)) as endpoint,
        start(database_url=database_url, **settings(endpoint)) as gateway,
    ):
        alice = await gateway.signed_in()
        where = (await alice.analyze()).headers["Location"]
        endpoint.may_answer.clear()
        first = asyncio.create_task(told(alice, where))
        await endpoint.arrived()

        second = await told(alice, where)
        endpoint.may_answer.set()

        assert second["why_template"] == "asked"
        assert (await first)["source"] == "machine"
        assert len(endpoint.received) == 1


async def test_an_analysis_waits_for_no_machine(start: Start) -> None:
    async with receiving(says(GOOD)) as endpoint, start(**settings(endpoint)) as gateway:
        alice = await gateway.signed_in()

        await alice.analyze()

        assert endpoint.received == []


async def test_each_language_is_asked_for_once(start: Start) -> None:
    async with (
        receiving(says(GOOD), says(GOOD_IN_GERMAN)) as endpoint,
        start(**settings(endpoint)) as gateway,
    ):
        alice = await gateway.signed_in()
        where = (await alice.analyze()).headers["Location"]

        english, german = await told(alice, where), await told(alice, where, "de")

        assert (english["text"], german["text"]) == (GOOD, GOOD_IN_GERMAN)
        assert "Maschine" in german["mark"]


async def test_where_records_are_shared_the_machine_is_asked_once_for_all(start: Start) -> None:
    async with receiving(says(GOOD)) as endpoint, start(**settings(endpoint)) as gateway:
        alice, bob = await gateway.signed_in(), await gateway.signed_in("bob")
        where = (await alice.analyze()).headers["Location"]
        private = await bob("GET", f"{where}/narrative")
        async with open_records(gateway.settings) as records:
            await Organisations(records).share("default", shared=True)

        assert await told(bob, where) == await told(alice, where)

        assert private.status_code == 404
        assert len(endpoint.received) == 1


async def test_a_picture_that_could_not_be_assessed_is_told_as_such(start: Start) -> None:
    text = "The picture could not be assessed because it is blurred and because it is too dark."
    async with receiving(says(text)) as endpoint, start(**settings(endpoint)) as gateway:
        gateway.inference.answer = cannot_assess(pb.REASON_BLURRED, pb.REASON_TOO_DARK)
        alice = await gateway.signed_in()

        summary = await told(alice, (await alice.analyze()).headers["Location"])

        assert (summary["source"], summary["text"]) == ("machine", text)
        said = json.loads(json.loads(endpoint.received[0].body)["messages"][1]["content"])
        assert said == {"prediction": None, "measures": None, "reasons": ["blurred", "too_dark"]}


async def test_summaries_are_purged_with_their_analysis(start: Start, database_url: str) -> None:
    async with (
        receiving(says(GOOD)) as endpoint,
        start(database_url=database_url, **settings(endpoint)) as gateway,
    ):
        alice = await gateway.signed_in()
        where = (await alice.analyze()).headers["Location"]
        await told(alice, where)
        await alice("DELETE", where)

        gone = await alice("GET", f"{where}/narrative")
        assert await gateway.purge() == 1

        assert gone.status_code == 404
        async with open_records(gateway.settings) as records:
            rows = select(Narrative)
            assert await records.read(lambda session: session.scalar(rows), EVERYTHING) is None


async def test_what_became_of_summaries_is_counted(start: Start) -> None:
    async with (
        receiving(says(GOOD), HOSTILE["advice"], HOSTILE["status 429"]) as endpoint,
        start(**settings(endpoint)) as gateway,
    ):
        alice = await gateway.signed_in()
        for _ in range(3):
            await told(alice, (await alice.analyze()).headers["Location"])

        shown = generate_latest(gateway.parts.metrics.registry).decode()

        for outcome in ("written", "refused", "failed"):
            assert f'gateway_narratives_total{{outcome="{outcome}"}} 1.0' in shown
        assert "gateway_narrative_seconds_count 3.0" in shown
