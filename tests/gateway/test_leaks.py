"""Secrets that get into a log or the audit are found, whichever process wrote them."""

import logging
from pathlib import Path

import httpx
import pytest
import structlog

from tests.gateway.audited import rows
from tests.gateway.conftest import PASSWORD, Gateway
from tests.gateway.leaks import WATCH, Watch
from tests.gateway.processes import running


def leaked() -> list[str]:
    """What has leaked so far, which is then forgotten."""
    found = [secret for secret, _ in WATCH.leaks()]
    WATCH.clear()
    return found


def test_after_every_test_secrets_are_looked_for(request: pytest.FixtureRequest) -> None:
    # This one does not ask for it.
    assert "nothing_leaks" in request.fixturenames


async def test_a_secret_of_a_body_is_found_in_our_log_and_in_those_of_libraries(
    gateway: Gateway,
) -> None:
    alice = await gateway.signed_in()
    await alice("POST", "/v1/patients", json={"identifier": "4711-A", "name": "Zoë Müller"})
    assert not list(WATCH.leaks())

    structlog.get_logger("a").info("request answered", who="Zoë Müller")
    logging.getLogger("sqlalchemy").error("INSERT failed: %s", "4711-A")
    logging.getLogger("alembic").info(
        "at %s", "/v1/patients?identifier=4711-A&name=Zo%C3%AB+M%C3%BCller"
    )
    structlog.get_logger("a").info("signed in", token=alice.token)
    structlog.get_logger("a").info("tried", password=PASSWORD)

    assert leaked() == [
        *("Zoë Müller", "4711-A", "4711-A", "Zoë Müller"),
        *(alice.token, PASSWORD),
    ]


async def test_a_secret_of_a_header_is_found_in_lines_that_a_test_captures() -> None:
    asked = httpx.Request("GET", "http://gateway/v1/me", headers={"Authorization": "Bearer dsk_12"})
    answer = httpx.Response(200, headers={"Set-Cookie": "held=a-cookie"}, request=asked)
    WATCH.see({}, answer)

    with WATCH.captured() as lines:
        structlog.get_logger("a").info("asked", header="Bearer dsk_12")
        structlog.get_logger("a").error("failed", exc_info=ValueError("a-cookie"))

    assert leaked() == ["dsk_12", "a-cookie"]
    assert [line["event"] for line in lines] == ["asked", "failed"]


async def test_a_secret_is_found_in_the_audit(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    await alice("POST", "/v1/patients", json={"identifier": "number-4711"})
    # A request id is the caller's own word, and the one thing of theirs that is kept.
    await alice("GET", "/v1/patients", headers={"X-Request-Id": "number-4711"})

    await gateway.show_audit()

    assert set(leaked()) == {"number-4711"}
    assert await rows(gateway, request_id="number-4711")


async def test_a_secret_is_found_in_what_a_process_of_its_own_logs(tmp_path: Path) -> None:
    WATCH.plant("gateway is ready")
    async with running(tmp_path / "data"):
        pass

    assert leaked() == ["gateway is ready"]


def test_parts_of_words_and_short_values_are_no_secrets() -> None:
    watch = Watch()
    watch.plant_all({"identifier": "second", "items": [{"name": "abc"}, {"note": "has grown"}]})
    watch.write('{"seconds": 1, "name": "abc", "notes": "it has grown"}')

    assert [secret for secret, _ in watch.leaks()] == ["has grown"]


def test_what_a_second_factor_is_made_of_is_secret_and_microseconds_are_not() -> None:
    watch = Watch()
    uri = "otpauth://totp/dermserve:alice?secret=JBSWY3DPEHPK3PXP"
    watch.plant_all({"secret": "JBSWY3DPEHPK3PXP", "otpauth_uri": uri, "code": "492039"})
    watch.plant_all({"recovery_codes": ["mzxw-6ytb", "oi4d-gnrv"]})
    watch.write('{"at": "2026-11-23T08:10:11.492039Z"}')
    assert not list(watch.leaks())

    for said in ("tried 492039", f"shown {uri}", "oi4d-gnrv", "key=JBSWY3DPEHPK3PXP"):
        watch.write(said)

    assert {secret for secret, _ in watch.leaks()} == {
        *("492039", uri, "oi4d-gnrv", "JBSWY3DPEHPK3PXP"),
    }
