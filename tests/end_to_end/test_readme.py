"""What the README shows is what works: its examples run as they stand."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from pypdf import PdfReader

from tests import specimens
from tests.stack import Stack

ROOT = Path(__file__).parents[2]


def example(name: str, services: Stack) -> str:
    """Return an example of the README, with the ports of this run."""
    page = (ROOT / "README.md").read_text()
    found = re.search(rf"<!-- run: {name} -->\n```\w+\n(.*?)```", page, re.DOTALL)
    assert found, f"the README has no example {name!r}"
    rest = urlsplit(services.rest).netloc
    return found[1].replace("127.0.0.1:8000", rest).replace("127.0.0.1:8500", services.inference)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with a picture, as a reader of the README would have it."""
    (tmp_path / "lesion.jpg").write_bytes(specimens.lesion_jpeg())
    (tmp_path / "lesions").mkdir()
    (tmp_path / "lesions" / "one.jpg").write_bytes(specimens.lesion_jpeg(seed=1))
    return tmp_path


def run(command: list[str], desk: Path) -> str:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    finished = subprocess.run(
        command,
        cwd=desk,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="this machine has no curl")
def test_the_curl_lines_lead_from_a_new_account_to_a_report(services: Stack, desk: Path) -> None:
    run(["bash", "-euo", "pipefail", "-c", example("curl", services)], desk)
    assert len(PdfReader(desk / "report.pdf").pages) >= 1
    for name in ("mask.png", "overlay.png", "explanation.png"):
        assert (desk / name).read_bytes().startswith(b"\x89PNG")


def test_the_lines_of_the_client_make_a_patient_and_an_analysis(
    services: Stack, desk: Path
) -> None:
    account = {"username": "me", "password": "a long password"}
    address = f"{services.rest}/v1/auth/register"
    httpx.post(address, json=account, timeout=60)  # or there is one already
    said = run([sys.executable, "-c", example("client", services)], desk).splitlines()
    assert re.fullmatch(r"assessed \['[0-9a-f]{32}'\]", said[0])
    assert said[1].startswith("409 conflict ")
    assert len(PdfReader(desk / "report.pdf").pages) >= 1


def test_the_grpc_lines_print_seven_probabilities(services: Stack, desk: Path) -> None:
    said = run([sys.executable, "-c", example("grpc", services)], desk)
    assert said.startswith("OUTCOME_ASSESSED []")
    assert said.count("LABEL_") == 7


def test_the_open_inference_lines_print_seven_probabilities(services: Stack, desk: Path) -> None:
    said = run([sys.executable, "-c", example("open inference", services)], desk)
    probabilities = [float(each) for each in said.strip(" \n[]").split()]
    assert len(probabilities) == 7
    assert sum(probabilities) == pytest.approx(1, abs=1e-5)


def test_the_command_lines_run(services: Stack, desk: Path) -> None:
    said = run(["bash", "-euo", "pipefail", "-c", example("command line", services)], desk)
    assert said.count("is sound") == 2
    assert (desk / "drawn" / "one.mask.png").exists()
