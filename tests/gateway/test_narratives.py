"""Summaries in plain language: what a machine is told, what it may say, and what stands in."""

import asyncio
import json
import ssl
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from prometheus_client import generate_latest
from pydantic import ValidationError
from sqlalchemy import select, update
from sqlmodel import col

from services.gateway.boot import BootError, open_records
from services.gateway.database import EVERYTHING
from services.gateway.identity import Organisations
from services.gateway.narrative import WORDINGS
from services.gateway.records import Narrative, now
from services.gateway.settings import Settings
from services.pb import inference_pb2 as pb
from tests.gateway.conftest import Client, Gateway, Start
from tests.gateway.counterparts import cannot_assess
from tests.gateway.language_models import (
    FAILURES,
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


async def test_what_the_environment_says_to_the_client_is_not_heard(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "an-organisation")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Extra: of-the-environment")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    async with receiving(says(GOOD)) as endpoint, start(**settings(endpoint)) as gateway:
        alice = await gateway.signed_in()

        summary = await told(alice, (await alice.analyze()).headers["Location"])

        assert summary["source"] == "machine"
        assert "an-organisation" not in repr(endpoint.received)
        assert "of-the-environment" not in repr(endpoint.received)


async def test_the_template_stands_in_for_every_answer_that_is_no_good(start: Start) -> None:
    answers = {name: said for name, said in HOSTILE.items() if name != "slow"}
    async with receiving(*answers.values()) as endpoint, start(**settings(endpoint)) as gateway:
        alice = await gateway.signed_in()
        shown = {name: await stood_in(alice) for name in answers}

    (text,) = {text for text, _ in shown.values()}
    assert text.startswith("Of the seven classes that the model knows, melanocytic nevus (nv)")
    assert {name: why for name, (_, why) in shown.items()} == {
        name: "failed" if name in FAILURES else "refused" for name in answers
    }
    assert len(endpoint.received) == len(answers)


async def test_the_template_stands_in_for_an_answer_that_does_not_end(start: Start) -> None:
    async with (
        receiving(HOSTILE["slow"]) as endpoint,
        start(**settings(endpoint, narrative_timeout_s=0.5)) as gateway,
    ):
        alice = await gateway.signed_in()
        async with asyncio.timeout(60):
            text, why = await stood_in(alice)

    assert text.startswith("Of the seven classes that the model knows, melanocytic nevus (nv)")
    assert (why, len(endpoint.received)) == ("failed", 1)


async def stood_in(client: Client) -> tuple[str, str]:
    """What stands in for a summary of a new analysis, which it leaves as it is, and why."""
    made = await client.analyze()
    where = made.headers["Location"]
    summary = await told(client, where)
    assert (await client("GET", where)).json() == made.json()
    return summary["text"], summary["why_template"]


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


async def test_an_endpoint_is_believed_by_its_certificate_alone(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    believed = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(believed))
    sources: list[str] = []
    async with receiving(says(GOOD), tls=tls) as endpoint:
        for trust in (None, str(believed)):
            if trust is not None:
                monkeypatch.setenv("SSL_CERT_FILE", trust)
            changes = settings(endpoint, DERMSERVE_DATA_DIR=tmp_path / str(len(sources)))
            async with start(**changes) as gateway:
                alice = await gateway.signed_in()
                summary = await told(alice, (await alice.analyze()).headers["Location"])
                sources.append(summary["source"])

    assert sources == ["template", "machine"]


async def test_a_gateway_with_an_endpoint_and_no_client_for_it_says_what_to_install(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "services.gateway.narrative.author", raising=False)
    monkeypatch.setitem(sys.modules, "openai", None)
    async with receiving() as endpoint:
        with pytest.raises(BootError, match="dermserve\\[narrative\\]"):
            async with start(**settings(endpoint)):
                pass


def test_an_endpoint_needs_a_model_and_tls_unless_operators_say_otherwise() -> None:
    plain = {"narrative_url": "http://llm:8000/v1", "narrative_model": MODEL}

    with pytest.raises(ValidationError, match="narrative_model"):
        Settings.model_validate({"narrative_url": "https://llm.example/v1"})
    with pytest.raises(ValidationError, match="narrative_url"):
        Settings.model_validate(plain)
    Settings.model_validate({**plain, "narrative_plain_http": True})
