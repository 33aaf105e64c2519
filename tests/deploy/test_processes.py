"""The containers' own commands, variables and health checks, as plain processes.

Where no container engine is at hand, this is what can break an image without changing it: the
command is that of the Dockerfile, the variables are those of image and composition, and only
what a container would isolate is replaced: ports, addresses, folders and the database.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests import specimens, stack, tiny_models
from tests.deploy import composition, images
from tests.gateway import databases
from tests.ports import free_port
from tests.watched import Search

GIVEN = {"POSTGRES_PASSWORD": "of-the-database", "ADMIN_PASSWORD": "of the administrator"}
WELL_WITHIN_S = 180
STOPPED_WITHIN_S = 120


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    # A short path of its own: the server runs under another account and on a socket.
    folder = Path(tempfile.mkdtemp(prefix="dermserve-postgres-"))
    with databases.postgres(folder) as address:
        yield address
    shutil.rmtree(folder)


@pytest.fixture
def isolation(database: str, tmp_path: Path) -> dict[str, str]:
    """Name what containers have to themselves and plain processes have to be given."""
    ports = {
        f"DERMSERVE_{name}_PORT": str(free_port())
        for name in ("GATEWAY", "INFERENCE", "INFERENCE_METRICS", "REPORTS", "REPORTS_METRICS")
    }
    return {
        **ports,
        **{f"DERMSERVE_{name.upper()}_HOST": "127.0.0.1" for name in images.SERVICES},
        "DERMSERVE_DATA_DIR": str(tmp_path / "data"),
        "DERMSERVE_INFERENCE_MODEL_DIR": str(tiny_models.write_models(tmp_path / "models")),
        "DERMSERVE_GATEWAY_DATABASE_URL": database,
        "DERMSERVE_GATEWAY_INFERENCE_ADDRESS": f"127.0.0.1:{ports['DERMSERVE_INFERENCE_PORT']}",
        "DERMSERVE_GATEWAY_REPORTS_ADDRESS": f"127.0.0.1:{ports['DERMSERVE_REPORTS_PORT']}",
    }


@pytest.fixture
def containers(
    isolation: dict[str, str], tmp_path: Path
) -> Iterator[dict[str, tuple["subprocess.Popen[bytes]", dict[str, str]]]]:
    """Run what containers run; a secret in what they write is a fault."""
    search, log = Search(), tmp_path / "log"
    with search.to_the_end():
        with contextlib.ExitStack() as owned:
            written = owned.enter_context(log.open("ab"))
            started = {}
            for service in ("inference", "reports", "gateway"):
                environment = variables(service, isolation)
                command = here(images.stages()[service].command)
                process = subprocess.Popen(
                    command, env=environment, stdout=written, stderr=subprocess.STDOUT
                )
                owned.callback(process.wait)
                owned.callback(process.kill)
                started[service] = process, environment
            yield started
            search.know(Path(environment["DERMSERVE_DATA_DIR"]), environment)
        search.written.extend(log.read_text().splitlines())


def variables(service: str, isolation: dict[str, str]) -> dict[str, str]:
    """Return what a container's process begins with, and nothing that this one happens to have."""
    of_container = composition.environment(service, GIVEN)
    ours = {name: value for name, value in of_container.items() if name.startswith("DERM")}
    assert set(ours) > {f"DERMSERVE_{service.upper()}_HOST", f"DERMSERVE_{service.upper()}_PORT"}
    replaced = {name: isolation.get(name, value) for name, value in ours.items()}
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(images.CHECKOUT), **replaced}


def here(command: list[str]) -> list[str]:
    """Return a container's command with the interpreter and the files of this checkout."""
    copies = images.stages()["room"].copies
    copied = {target: str(images.CHECKOUT / source) for source, target in copies}
    assert command[0] == "python"
    return [sys.executable, *(copied.get(word, word) for word in command[1:])]


def asked(service: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run a container's health check once."""
    return subprocess.run(
        here(images.stages()[service].healthcheck),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def until_well(service: str, environment: dict[str, str]) -> None:
    until = time.monotonic() + WELL_WITHIN_S
    while (answer := asked(service, environment)).returncode != 0:
        assert time.monotonic() < until, answer.stderr
        time.sleep(0.2)


def test_the_composition_becomes_well_works_and_stops_in_peace(
    containers: dict[str, tuple["subprocess.Popen[bytes]", dict[str, str]]],
) -> None:
    for service, (_, environment) in containers.items():
        until_well(service, environment)

    port = containers["gateway"][1]["DERMSERVE_GATEWAY_PORT"]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
        stack.once_ready(client)
        admin = {"username": "admin", "password": GIVEN["ADMIN_PASSWORD"]}
        token = client.post("/v1/auth/token", data=admin).raise_for_status().json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        patient = {"patient_id": "number-4711", "note": "has grown since spring"}
        picture = {"image": specimens.lesion_jpeg()}
        analysis = client.post("/v1/analyses", data=patient, files=picture)
        assert analysis.status_code == 201, analysis.text
        report = client.get(f"{analysis.headers['Location']}/report.pdf")
        assert report.content.startswith(b"%PDF")

    for service in ("gateway", "reports", "inference"):
        process, environment = containers[service]
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOPPED_WITHIN_S) == 0, service
        assert asked(service, environment).returncode == 1


@pytest.mark.parametrize("service", images.SERVICES)
def test_the_health_check_of_a_service_that_is_not_there_says_so(
    service: str, isolation: dict[str, str]
) -> None:
    answer = asked(service, variables(service, isolation))
    assert answer.returncode == 1
    assert answer.stderr.startswith(f"{service} does not answer: ")
    assert "Traceback" not in answer.stderr
