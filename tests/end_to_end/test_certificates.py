"""All three services with certificates between them, as `deploy/compose.tls.yaml` sets them up."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import pytest
import trustme
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests import specimens, stack, watched
from tests.authorities import issued, variables
from tests.deploy import images
from tests.stack import Stack


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    own = issued(trustme.CA(), "127.0.0.1", "localhost")
    known = variables(tmp_path_factory.mktemp("certificates") / "own", own)
    with watched.running(**stack.UNHURRIED, **known) as running:
        yield running


def asked(services: Stack, *words: str, **changed: str) -> int:
    """Run the health check of a container, and return its status."""
    command = [sys.executable, str(images.CHECKOUT / "deploy" / "healthcheck.py"), *words]
    environment = {**services.environment, **changed}
    return subprocess.run(command, env=environment, check=False, timeout=120).returncode


def found_well(services: Stack, *words: str) -> None:
    """See that a health check ends well, which has three seconds, within some of them.

    Whoever runs containers asks again, too.
    """
    until = time.monotonic() + 120
    while asked(services, *words) != 0:
        assert time.monotonic() < until


def test_an_analysis_and_its_report_are_made_over_tls(services: Stack) -> None:
    with httpx.Client(base_url=services.rest, timeout=120, trust_env=False) as client:
        client.headers["Authorization"] = f"Bearer {stack.signed_in(client)}"
        stack.once_ready(client)
        analysis = client.post("/v1/analyses", files={"image": specimens.lesion_jpeg()})
        assert analysis.status_code == 201, analysis.text
        report = client.get(f"{analysis.headers['Location']}/report.pdf")
        assert report.content.startswith(b"%PDF")


@pytest.mark.parametrize("room", ["inference", "reports"])
def test_the_health_check_of_a_container_shows_its_certificate(services: Stack, room: str) -> None:
    none = dict.fromkeys(("DERMSERVE_RPC_CERTIFICATE", "DERMSERVE_RPC_KEY"), "")

    found_well(services, room)
    found_well(services, room, "liveness")
    assert asked(services, room, "no-such-name") == 1
    assert asked(services, room, **none) == 1


def test_the_health_check_does_not_take_another_server_for_its_own(
    services: Stack, tmp_path: Path
) -> None:
    other = variables(tmp_path / "other", issued(trustme.CA(), "localhost"))

    assert asked(services, "inference", **other) == 1


@pytest.mark.parametrize("room", ["INFERENCE", "REPORTS"])
def test_nobody_is_answered_without_one(services: Stack, room: str) -> None:
    address = f"127.0.0.1:{services.environment[f'DERMSERVE_{room}_PORT']}"
    with (
        grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel,
        pytest.raises(grpc.RpcError) as caught,
    ):
        health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=60)

    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
