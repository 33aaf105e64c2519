"""Settings that are secret are in no log line, no answer and no word of a command."""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy.engine import make_url
from typer.testing import CliRunner

from services.cli import audit, keys, organisations, users
from services.gateway.settings import Settings
from tests.gateway.processes import running

_FIELDS = Settings.model_fields.items()
SECRET = {
    name for name, field in _FIELDS if SecretStr in {field.annotation, *get_args(field.annotation)}
}
_SOUNDS_SECRET = re.compile(r"(^|_)(password|secret|keys|token|database_url)(_|$)")


def planted(database_url: str) -> dict[str, str]:
    """A value for each secret setting that can be told anywhere."""
    values = {name: f"planted-{name}-" + "x" * 32 for name in SECRET}
    url = make_url(database_url).set(password=values["database_url"])
    return values | {"database_url": url.render_as_string(hide_password=False)}


def variables(values: Mapping[str, str]) -> dict[str, str]:
    return {f"DERMSERVE_GATEWAY_{name.upper()}": value for name, value in values.items()}


def test_no_setting_that_sounds_secret_is_plain_text() -> None:
    plain = {name for name, field in _FIELDS if field.annotation is str}

    assert not {name for name in plain if _SOUNDS_SECRET.search(name)}
    assert {"admin_password", "audit_keys", "database_url", "oidc_client_secret"} < SECRET


def test_settings_that_are_shown_hide_their_secrets(postgres_url: str) -> None:
    settings = Settings.model_validate(planted(postgres_url))

    assert "planted" not in f"{settings!r} {settings} {settings.model_dump_json()}"
    assert "planted-audit" in settings.audit_keys.get_secret_value()
    assert isinstance(settings.database_url, SecretStr)


async def test_neither_log_nor_answers_nor_commands_have_a_secret_setting(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = planted(postgres_url)
    changes = variables(secrets) | {"DERMSERVE_LOG_LEVEL": "DEBUG"}
    async with (
        running(tmp_path, **changes) as gateway,
        httpx.AsyncClient(base_url=gateway.url, timeout=60) as http,
    ):
        form = {"username": "admin", "password": secrets["admin_password"]}
        signed_in = await http.post("/v1/auth/token", data=form)
        shown = [await http.get(path) for path in ("/readyz", "/metrics", "/openapi.json")]
    for name, value in changes.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DERMSERVE_DATA_DIR", str(tmp_path))
    said = "".join([await asyncio.to_thread(run, *each) for each in COMMANDS])
    gone = make_url(secrets["database_url"]).set(database="gone")
    monkeypatch.setenv("DERMSERVE_GATEWAY_DATABASE_URL", gone.render_as_string(hide_password=False))
    refused = await asyncio.to_thread(run, users, "promote", "admin")

    assert signed_in.status_code == 200
    written = "".join(gateway.written)
    assert "request answered" in written
    assert "admin: admin" in said
    assert "gone" in refused
    for text in (written, said, refused, *(answer.text for answer in (signed_in, *shown))):
        assert "planted" not in text


COMMANDS = (
    (users, "promote", "admin"),
    (users, "promote", "nobody"),
    (organisations, "create", "another"),
    (audit, "verify"),
    (keys, "rotate"),
)


def run(group: Any, *arguments: str) -> str:
    """Run a command of ``dermserve``; returns all that it writes."""
    done = CliRunner().invoke(group.app, list(arguments))
    return f"{done.output} {done.exception!r}"
