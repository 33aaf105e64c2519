"""``dermserve`` as a person or a script calls it."""

import asyncio
import contextlib
import json
import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import numpy as np
import pyotp
import pytest
from PIL import Image

from services.cli import drawings
from tests import specimens, stack
from tests.gateway.test_purge import removed
from tests.stack import Stack

COMMAND = [sys.executable, "-c", "from services.cli import app; app()"]


def dermserve(
    *arguments: object, status: int = 0, env: Mapping[str, str] | None = None
) -> tuple[str, str]:
    """Run the command; return what it wrote to stdout and stderr."""
    finished = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == status, finished.stderr
    return finished.stdout, finished.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four files: two pictures, an unreadable one, and something else."""
    made = tmp_path_factory.mktemp("lesions")
    (made / "b.jpg").write_bytes(specimens.lesion_jpeg())
    (made / "a.png").write_bytes(specimens.encoded(specimens.lesion((300, 300), 3), "PNG"))
    (made / "c.jpg").write_bytes(b"not a picture")
    (made / "notes.txt").write_text("not for us")
    return made


def test_a_picture_is_answered_in_words_that_a_person_can_read(folder: Path) -> None:
    said, _ = dermserve("analyze", folder / "b.jpg")
    assert "malignant probability" in said
    assert "prediction:" in said
    assert "Research and decision support only. Not a diagnosis." in said


def test_json_is_one_line_in_the_shape_of_rest(folder: Path) -> None:
    said, _ = dermserve("analyze", "--json", folder / "b.jpg")
    (line,) = said.splitlines()
    analysis = json.loads(line)
    assert analysis["file"] == str(folder / "b.jpg")
    assert sum(analysis["classification"]["probabilities"].values()) == pytest.approx(1)
    assert analysis.keys() >= {"id", "created_at", "image", "segmentation", "models", "timings"}


def test_a_folder_is_one_line_a_picture_in_order_and_quiet_in_a_pipe(folder: Path) -> None:
    said, complained = dermserve("analyze", folder, status=1)
    lines = [json.loads(line) for line in said.splitlines()]
    assert [Path(line["file"]).name for line in lines] == ["a.png", "b.jpg", "c.jpg"]
    assert "not a JPEG or PNG" in lines[2]["error"]
    assert "outcome" in lines[0]
    assert complained == ""


def at_a_terminal(*arguments: object) -> str:
    """Run the command; return what a person would see of its stderr."""
    terminal, screen = pty.openpty()
    shown = b""
    with subprocess.Popen(
        [*COMMAND, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=screen
    ):
        os.close(screen)
        # A terminal that nobody writes to any more answers with an error, not with an end.
        with contextlib.suppress(OSError):
            while part := os.read(terminal, 1 << 16):
                shown += part
    os.close(terminal)
    return shown.decode()


def test_a_folder_shows_its_progress_to_a_person_at_a_terminal(folder: Path) -> None:
    shown = at_a_terminal("analyze", folder)
    assert "Analyzing" in shown
    assert "100%" in shown


def test_drawings_are_saved_beside_each_other(folder: Path, tmp_path: Path) -> None:
    dermserve("analyze", folder / "b.jpg", "--out", tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {
        "b.mask.png",
        "b.overlay.png",
        "b.explanation.png",
    }
    assert np.asarray(Image.open(tmp_path / "b.mask.png"))[225, 300] == 255


@pytest.mark.parametrize("name", ["/b.jpg", "../b.jpg", "../../here/b.jpg"])
def test_no_name_leads_out_of_the_folder_of_drawings(tmp_path: Path, name: str) -> None:
    drawings.save({"mask": b"png"}, tmp_path / "here", Path(name))

    assert tmp_path / "here" in next(tmp_path.rglob("b.mask.png")).parents
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_a_server_is_asked_when_one_is_named(
    services: Stack, rest: httpx.Client, folder: Path
) -> None:
    token = rest.headers["Authorization"].removeprefix("Bearer ")
    variables = {"DERMSERVE_SERVER": services.rest, "DERMSERVE_TOKEN": token}
    said, _ = dermserve("analyze", "--json", folder / "b.jpg", env=variables)
    remote = json.loads(said)
    assert rest.get(f"/v1/analyses/{remote['id']}").status_code == 200
    local = json.loads(dermserve("analyze", "--json", folder / "b.jpg")[0])
    assert remote["classification"] == local["classification"]
    assert remote["image"] == local["image"]


def test_a_folder_is_sent_as_a_batch_and_its_results_can_be_had_again(
    services: Stack, rest: httpx.Client, folder: Path, tmp_path: Path
) -> None:
    token = rest.headers["Authorization"].removeprefix("Bearer ")
    variables = {"DERMSERVE_SERVER": services.rest, "DERMSERVE_TOKEN": token}

    said, told = dermserve("batches", "send", folder, "--out", tmp_path, status=1, env=variables)
    again, _ = dermserve("batches", "wait", told.split()[-1], status=1, env=variables)

    lines = [json.loads(line) for line in said.splitlines()]
    assert [line["file"] for line in lines] == ["a.png", "b.jpg", "c.jpg"]
    assert lines[1]["classification"] is not None
    assert "not a JPEG or PNG" in lines[2]["error"]
    assert again == said
    drawn = {f"b.{name}.png" for name in ("mask", "overlay", "explanation")}
    assert {file.name for file in tmp_path.iterdir()} & {*drawn, "c.mask.png"} == drawn


def test_a_folder_is_split_by_pictures_and_by_bytes(
    services: Stack, rest: httpx.Client, folder: Path, tmp_path: Path
) -> None:
    token = rest.headers["Authorization"].removeprefix("Bearer ")
    variables = {"DERMSERVE_SERVER": services.rest, "DERMSERVE_TOKEN": token}
    for name in "abc":
        (tmp_path / f"{name}.jpg").write_bytes(name.encode() * (400 << 10))

    _, few = dermserve("batches", "send", folder, "--batch-pictures", 2, status=1, env=variables)
    said, light = dermserve(
        "batches", "send", tmp_path, "--batch-mebibytes", 1, status=1, env=variables
    )

    assert [line.split()[1] for line in few.splitlines()] == ["2", "1"]
    assert [line.split()[1] for line in light.splitlines()] == ["2", "1"]
    assert [json.loads(line)["file"] for line in said.splitlines()] == ["a.jpg", "b.jpg", "c.jpg"]


def test_a_batch_needs_a_gateway_and_names_that_differ(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "b.jpg").write_bytes(b"another one")

    _, nowhere = dermserve("batches", "send", folder, status=2, env={"DERMSERVE_SERVER": ""})
    _, alike = dermserve("batches", "send", folder, tmp_path, status=2)

    assert "DERMSERVE_SERVER" in nowhere
    assert "b.jpg" in alike


def test_a_file_that_is_not_there_is_named() -> None:
    _, said = dermserve("analyze", "nowhere.jpg", status=2)
    assert "nowhere.jpg" in said


def test_the_models_are_listed_and_verified(tmp_path: Path) -> None:
    assert "classifier" in dermserve("models", "list")[0]
    assert dermserve("models", "verify")[0].count("is sound") == 2
    _, said = dermserve(
        "models", "verify", status=1, env={"DERMSERVE_INFERENCE_MODEL_DIR": str(tmp_path)}
    )
    assert "no version of the segmenter" in said


def test_accounts_are_made_promoted_and_disabled_without_a_running_gateway(tmp_path: Path) -> None:
    here = {"DERMSERVE_DATA_DIR": str(tmp_path), "DERMSERVE_NEW_PASSWORD": "a long password"}
    assert "ada: clinician" in dermserve("users", "create", "ada", env=here)[0]
    assert "ada: admin" in dermserve("users", "promote", "ada", env=here)[0]
    assert "bob: clinician" in dermserve("users", "create", "bob", env=here)[0]
    assert "bob: disabled" in dermserve("users", "disable", "bob", env=here)[0]
    _, said = dermserve("users", "promote", "nobody", status=1, env=here)
    assert "nobody" in said


def test_what_was_removed_longer_ago_than_the_retention_is_purged(tmp_path: Path) -> None:
    env = {"DERMSERVE_DATA_DIR": str(tmp_path), "DERMSERVE_GATEWAY_RETENTION_DAYS": "7"}

    asyncio.run(removed(tmp_path, 8, 8, 6))

    assert dermserve("records", "purge", env=env)[0] == "2 analyses are gone for good\n"
    assert dermserve("records", "purge", env=env)[0] == "0 analyses are gone for good\n"


def test_a_disabled_account_is_locked_out_of_a_running_gateway_at_once(services: Stack) -> None:
    with httpx.Client(base_url=services.rest, timeout=60) as client:
        client.headers["Authorization"] = f"Bearer {stack.signed_in(client, 'carol')}"
        assert client.get("/v1/me").status_code == 200
        dermserve("users", "disable", "carol", env=services.environment)
        assert client.get("/v1/me").status_code == 401


def test_who_forgot_their_password_chooses_another_with_a_code_of_the_command_line(
    services: Stack,
) -> None:
    with httpx.Client(base_url=services.rest, timeout=60) as client:
        stack.signed_in(client, "dora")
        code, _ = dermserve("users", "reset-password", "Dora", env=services.environment)
        chosen = {"code": code.strip(), "new_password": "eleven blue tricycles"}
        statuses = [
            client.post("/v1/auth/password-reset", json=chosen).status_code for _ in range(2)
        ]
        form = {"username": "dora", "password": "eleven blue tricycles"}
        assert client.post("/v1/auth/token", data=form).status_code == 200
        _, said = dermserve("users", "reset-password", "nobody", status=1, env=services.environment)

    assert statuses == [204, 401]
    assert "no such user" in said


def test_who_lost_their_telephone_signs_in_again_once_the_command_line_took_the_factor_away(
    services: Stack,
) -> None:
    with httpx.Client(base_url=services.rest, timeout=60) as client:
        client.headers["Authorization"] = f"Bearer {stack.signed_in(client, 'elsa')}"
        path, password = "/v1/me/second-factor", "measure, then claim"
        secret = client.put(path, json={"current_password": password}).json()["secret"]
        shown = {"code": pyotp.TOTP(secret).now()}
        assert client.post(f"{path}/confirmation", json=shown).status_code == 200
        form = {"username": "elsa", "password": password}
        asked = client.post("/v1/auth/token", data=form).status_code
        command = ("users", "remove-second-factor", "Elsa")
        said, _ = dermserve(*command, env=services.environment)
        ended = client.get("/v1/me").status_code
        alone = client.post("/v1/auth/token", data=form).status_code
        _, refused = dermserve(*command, status=1, env=services.environment)

    assert (asked, ended, alone) == (401, 401, 200)
    assert "elsa: no second factor" in said
    assert "There is no second factor" in refused


def test_the_version_is_told() -> None:
    assert dermserve("version")[0].strip().count(".") == 2
