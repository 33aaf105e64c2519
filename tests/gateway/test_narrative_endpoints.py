"""Endpoints that write summaries: whom a gateway believes, and what it does without them."""

import asyncio
import ssl
import sys
from pathlib import Path

import pytest
import trustme
from pydantic import ValidationError

from services.gateway.boot import BootError
from services.gateway.settings import Settings
from tests.gateway.conftest import Client, Start
from tests.gateway.language_models import (
    FAILURES,
    GOOD,
    HOSTILE,
    MODEL,
    says,
    settings,
)
from tests.gateway.receivers import receiving
from tests.gateway.test_narratives import told


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
