"""The Dockerfile names only what exists, and keeps what the services promise operators."""

import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from deploy.settings_table import ROOMS
from services import environment
from tests.deploy import images

PROJECT: dict[str, Any] = tomllib.loads((images.CHECKOUT / "pyproject.toml").read_text())["project"]


def test_the_linter_of_dockerfiles_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    run = subprocess.run([hadolint, images.DOCKERFILE], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, "")


@pytest.mark.parametrize("service", images.SERVICES)
def test_whatever_is_copied_for_a_service_exists_and_is_let_into_the_build(service: str) -> None:
    admitted = [line[1:] for line in images.IGNORE.read_text().splitlines() if line.startswith("!")]
    stages = images.stages()
    for source, _ in [*stages["builder"].copies, *stages[service].copies]:
        path = source.replace("${SERVICE}", service)
        assert list(images.CHECKOUT.glob(path)), path
        assert any(path == root or path.startswith(f"{root}/") for root in admitted), path


def test_an_image_holds_its_own_room_and_no_other() -> None:
    copied = {source for source, _ in images.stages()["builder"].copies}
    assert "services/${SERVICE}" in copied
    assert copied.isdisjoint({"services", *(f"services/{room}" for room in images.SERVICES)})


def test_every_beam_travels_with_every_room() -> None:
    copied = {source for source, _ in images.stages()["builder"].copies}
    rooms = {*images.SERVICES, "cli"}
    packages = {path.parent.name for path in (images.CHECKOUT / "services").glob("*/__init__.py")}
    assert {f"services/{package}" for package in packages - rooms} <= copied
    assert "services/*.py" in copied


def test_models_travel_with_inference_only() -> None:
    stages = images.stages()
    model_dir = stages["inference"].environment["DERMSERVE_INFERENCE_MODEL_DIR"]
    assert ("weights/models", model_dir) in stages["inference"].copies
    for service in ("builder", "gateway", "reports"):
        assert not any(source.startswith("weights") for source, _ in stages[service].copies)


def test_every_extra_that_can_be_asked_for_exists() -> None:
    assert {*images.SERVICES, "cpu", "gpu"} <= set(PROJECT["optional-dependencies"])


def test_the_image_is_labelled_with_the_version_of_the_project() -> None:
    version = f'org.opencontainers.image.version="{PROJECT["version"]}"'
    assert any(version in label for label in images.stages()["room"].all("LABEL"))


@pytest.mark.parametrize("service", images.SERVICES)
def test_python_is_the_first_process_so_that_sigterm_reaches_it(service: str) -> None:
    stage = images.stages()[service]
    assert stage.command == ["python", "-m", f"services.{service}"]
    assert importlib.util.find_spec(f"services.{service}.__main__")
    assert stage.all("STOPSIGNAL") == ["SIGTERM"]
    assert not stage.all("ENTRYPOINT")


@pytest.mark.parametrize("service", images.SERVICES)
def test_no_service_runs_as_root(service: str) -> None:
    user = images.stages()[service].all("USER")[-1]
    assert user.partition(":")[0] not in {"0", "root"}


@pytest.mark.parametrize("service", images.SERVICES)
def test_the_exposed_ports_are_the_defaults_of_the_settings(service: str) -> None:
    stage, fields = images.stages()[service], ROOMS[service].model_fields
    ports = {name: str(fields[name].default) for name in fields if name.endswith("port")}
    assert stage.ports == {int(port) for port in ports.values()}
    for name, port in ports.items():
        assert stage.environment[f"DERMSERVE_{service.upper()}_{name.upper()}"] == port


@pytest.mark.parametrize("service", images.SERVICES)
def test_every_variable_of_an_image_is_a_setting_of_its_service(service: str) -> None:
    names = {name for name in images.stages()[service].environment if name.startswith("DERM")}
    assert names <= environment.variables(ROOMS[service])


@pytest.mark.parametrize("service", images.SERVICES)
def test_a_container_is_reachable_from_outside_of_it(service: str) -> None:
    variables = images.stages()[service].environment
    assert variables[f"DERMSERVE_{service.upper()}_HOST"] == "0.0.0.0"  # noqa: S104 - on purpose


def test_the_build_ends_with_the_service_that_was_asked_for() -> None:
    assert images.stages()["final"].parent == "${SERVICE}"
