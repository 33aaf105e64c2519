"""Settings and the process: what is refused at boot, and how it starts and stops."""

import asyncio
import json
import signal
import socket
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from services import environment
from services.gateway.settings import Settings
from tests import specimens
from tests.gateway.counterparts import ScriptedInference, serving
from tests.gateway.installation import ADMIN_PASSWORD
from tests.gateway.processes import boot, running


async def refused(folder: Path, changes: Mapping[str, str]) -> tuple[int | None, str]:
    process = await boot(folder, **changes)
    _, errors = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, errors.decode()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DERMSERVE_GATEWAY_PORT", "70000"),
        ("DERMSERVE_GATEWAY_PORTT", "8000"),
        ("DERMSERVE_GATEWAY_ACCESS_TOKEN_S", "901"),
        ("DERMSERVE_GATEWAY_MAX_UPLOAD_BYTES", "17000000"),
        ("DERMSERVE_GATEWAY_DATABASE_URL", "mysql://root:hush@host/name"),
        ("DERMSERVE_GATEWAY_DATABASE_URL", "sqlite:///:memory:"),
        ("DERMSERVE_GATEWAY_DATABASE_URL", "postgresql://u:p@ss:hush@h/d"),
        ("DERMSERVE_GATEWAY_ADMIN_PASSWORD", "short"),
        ("DERMSERVE_GATEWAY_REGISTRATION_OPEN", "perhaps"),
        ("DERMSERVE_GATEWAY_MAX_QUEUED_PICTURES", "1998"),
        ("DERMSERVE_GATEWAY_NARRATIVE_URL", "http://llm.example/v1"),
        ("DERMSERVE_GATEWAY_NARRATIVE_URL", "https://me:hush@llm.example/v1"),
        ("DERMSERVE_LOG_LEVEL", "LOUD"),
    ],
)
def test_a_wrong_setting_is_refused_by_name_and_without_its_secret(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(environment.SettingsError) as told:
        environment.read(Settings)

    assert name in str(told.value)
    assert "hush" not in str(told.value)
    assert "short" not in str(told.value)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("sqlite:////srv/x.db", "sqlite:////srv/x.db"),
        ("sqlite+aiosqlite:////srv/x.db", "sqlite:////srv/x.db"),
        ("postgresql://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgres://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgres://u:p@h/d?sslmode=require", "postgresql+asyncpg://u:p@h/d?ssl=require"),
    ],
)
def test_databases_may_be_written_the_usual_way(
    monkeypatch: pytest.MonkeyPatch, written: str, meant: str
) -> None:
    monkeypatch.setenv("DERMSERVE_GATEWAY_DATABASE_URL", written)

    assert environment.read(Settings).database == meant


def test_every_setting_is_described_and_every_number_bounded() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        if field.annotation in {int, float}:
            assert len(field.metadata) >= 2, name


def modes_below(folder: Path) -> set[int]:
    """What anybody but the owner may do with the files and folders in a folder."""
    return {path.stat().st_mode & 0o077 for path in folder.rglob("*")}


async def test_the_process_refuses_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        in_the_way = tmp_path / "a file"
        in_the_way.touch()
        outcomes = await asyncio.gather(
            refused(tmp_path / "1", {"DERMSERVE_GATEWAY_PORTT": "1"}),
            refused(tmp_path / "2", {"DERMSERVE_GATEWAY_PORT": port}),
            refused(tmp_path / "3", {"DERMSERVE_DATA_DIR": str(in_the_way)}),
            refused(
                tmp_path / "4",
                {
                    "DERMSERVE_GATEWAY_DATABASE_URL": "postgresql://u:hush@127.0.0.1:1/d",
                    "DERMSERVE_GATEWAY_BOOT_TIMEOUT_S": "0.5",
                },
            ),
        )

    expected = (
        "DERMSERVE_GATEWAY_PORT?",
        "DERMSERVE_GATEWAY_PORT",
        "DERMSERVE_DATA_DIR",
        "DERMSERVE_GATEWAY_DATABASE_URL",
    )
    for (status, told), words in zip(outcomes, expected, strict=True):
        assert status == 2, told
        assert told.startswith("gateway cannot start: ")
        assert words in told
        assert told.count("\n") == 1, told
        assert "hush" not in told


async def test_the_process_shows_its_password_serves_and_finishes_what_runs(
    tmp_path: Path,
) -> None:
    inference = ScriptedInference()
    async with serving(inference) as address:
        process = await boot(
            tmp_path,
            DERMSERVE_GATEWAY_INFERENCE_ADDRESS=address,
            DERMSERVE_GATEWAY_ANALYSIS_TIMEOUT_S="600",
            # It ends when nothing runs any more, and waits for no more than that.
            DERMSERVE_GATEWAY_DRAIN_S="600",
        )
        assert process.stdout is not None
        assert process.stderr is not None
        shown = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
        while b"gateway is ready" not in (line := await process.stderr.readline()):
            assert line, "it ended instead"
        port = json.loads(line)["port"]
        password = shown.partition("password ")[2].split()[0]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
            signed_in = await http.post(
                "/v1/auth/token", data={"username": "admin", "password": password}
            )
            bearer = {"Authorization": f"Bearer {signed_in.json()['access_token']}"}
            large = await http.post(
                "/v1/analyses",
                content=bytes(17 * 1024 * 1024),
                headers=bearer | {"Content-Type": "image/jpeg"},
            )
            inference.may_answer.clear()
            running = asyncio.create_task(
                http.post("/v1/analyses", files={"image": specimens.lesion_jpeg()}, headers=bearer)
            )
            await inference.arrived()
            process.send_signal(signal.SIGTERM)
            while b"Shutting down" not in await process.stderr.readline():
                pass
            inference.may_answer.set()
            finished = await running
        _, logged = await asyncio.wait_for(process.communicate(), 60)

    assert large.status_code == 413
    assert finished.status_code == 201
    assert process.returncode == 0
    assert b"Traceback" not in logged
    assert password.encode() not in logged
    assert modes_below(tmp_path) == {0}


async def test_not_even_at_debug_is_a_person_a_password_or_a_token_written(tmp_path: Path) -> None:
    said = {"patient_id": "P-secret", "patient_name": "Jane Doe", "note": "private matter"}
    credentials = {"username": "secretive", "password": "planted password"}
    async with (
        serving(ScriptedInference()) as address,
        running(
            tmp_path,
            DERMSERVE_LOG_LEVEL="DEBUG",
            DERMSERVE_GATEWAY_INFERENCE_ADDRESS=address,
            DERMSERVE_GATEWAY_ADMIN_PASSWORD=ADMIN_PASSWORD,
        ) as gateway,
        httpx.AsyncClient(base_url=gateway.url, timeout=60) as http,
    ):
        pair = (await http.post("/v1/auth/register", json=credentials)).json()
        bearer = {"Authorization": f"Bearer {pair['access_token']}"}
        picture = {"image": specimens.lesion_jpeg()}
        sent = await http.post("/v1/analyses", files=picture, data=said, headers=bearer)
        seen = await http.get("/v1/analyses", params={"patient_id": "P-secret"}, headers=bearer)

    written = "".join(gateway.written)
    assert (sent.status_code, seen.json()["items"]) == (201, [sent.json()])
    assert written.count("request answered") == 3
    secrets = {*said.values(), *credentials.values(), *pair.values(), ADMIN_PASSWORD, "argon2id"}
    for secret in secrets - {"bearer", 900}:
        assert str(secret) not in written
