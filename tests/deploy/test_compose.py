"""The composition fits the images and the settings, and shows the world no more than its door."""

import tomllib
from typing import Any

import pytest
import yaml

from deploy.settings_table import ROOMS
from services import environment
from tests.deploy import composition, images

SERVICES = composition.services()
GIVEN = {"POSTGRES_PASSWORD": "of-the-database", "ADMIN_PASSWORD": "of-the-admin"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_is_contained(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["tmpfs"]
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", SERVICES)
def test_every_container_has_limits(name: str) -> None:
    assert set(SERVICES[name]["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_pinned_to_a_minor_version_at_least(name: str) -> None:
    tag = SERVICES[name]["image"].partition(":")[2]
    assert tag.removeprefix("v").partition("-")[0].count(".") >= 1


def test_our_images_carry_the_version_of_the_project() -> None:
    project = tomllib.loads((images.CHECKOUT / "pyproject.toml").read_text())["project"]
    for name in images.SERVICES:
        assert SERVICES[name]["image"] == f"dermserve/{name}:{project['version']}"


@pytest.mark.parametrize("name", images.SERVICES)
def test_our_images_are_built_from_the_one_file(name: str) -> None:
    build = SERVICES[name]["build"]
    root = (composition.FILE.parent / build["context"]).resolve()
    assert root == images.CHECKOUT
    assert root / build["dockerfile"] == images.DOCKERFILE
    assert build["args"]["SERVICE"] == name


def test_only_gateway_and_prometheus_are_published_and_only_on_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(published) == {"gateway", "prometheus"}
    for ports in published.values():
        assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_database_is_reached_by_the_gateway_only_and_neither_room_by_the_world() -> None:
    networks = composition.composition()["networks"]
    on = {
        network: {name for name, service in SERVICES.items() if network in service["networks"]}
        for network in networks
    }
    assert on["records"] == {"gateway", "postgres"}
    assert on["rooms"] == {"gateway", "inference", "reports", "prometheus"}
    assert on["edge"] == {"gateway", "prometheus"}
    internal = {name for name, network in networks.items() if (network or {}).get("internal")}
    assert internal == {"rooms", "records"}


@pytest.mark.parametrize("name", images.SERVICES)
def test_every_variable_is_a_setting_of_its_service(name: str) -> None:
    names = {name for name in composition.environment(name, GIVEN) if name.startswith("DERM")}
    assert names <= environment.variables(ROOMS[name])


@pytest.mark.parametrize("name", images.SERVICES)
def test_every_value_is_one_that_its_service_takes(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in composition.environment(name, GIVEN).items():
        monkeypatch.setenv(variable, value)
    environment.read(ROOMS[name])


def test_the_gateway_asks_the_rooms_by_their_names_and_on_their_ports() -> None:
    variables = composition.environment("gateway", GIVEN)
    for room in ("inference", "reports"):
        address = f"{room}:{ROOMS[room].model_fields['port'].default}"
        assert variables[f"DERMSERVE_GATEWAY_{room.upper()}_ADDRESS"] == address


def test_the_published_port_leads_to_the_port_of_the_gateway() -> None:
    assert SERVICES["gateway"]["ports"][0].endswith(
        f":{ROOMS['gateway'].model_fields['port'].default}"
    )


def test_the_data_folder_of_the_gateway_outlives_its_container() -> None:
    folder = composition.environment("gateway", GIVEN)["DERMSERVE_DATA_DIR"]
    assert SERVICES["gateway"]["volumes"] == [f"gateway:{folder}"]
    assert any(folder in command for command in images.stages()["gateway"].all("RUN"))


def test_inference_runs_as_many_batches_as_it_has_cores() -> None:
    runners = SERVICES["inference"]["environment"]["DERMSERVE_INFERENCE_RUNNERS"]
    assert SERVICES["inference"]["deploy"]["resources"]["limits"]["cpus"] == runners


def test_the_gateway_decodes_as_many_pictures_at_once_as_it_has_cores() -> None:
    drawings = SERVICES["gateway"]["environment"]["DERMSERVE_GATEWAY_MAX_DRAWINGS"]
    assert SERVICES["gateway"]["deploy"]["resources"]["limits"]["cpus"] == drawings


def test_no_password_has_a_default() -> None:
    required = {name for name, must in composition.variables().items() if must}
    assert required == {"POSTGRES_PASSWORD", "ADMIN_PASSWORD"}
    for name in required:
        with pytest.raises(KeyError):
            composition.interpolated(f"${{{name}:?set it}}", {})


def test_the_example_names_every_variable_that_compose_reads() -> None:
    lines = (line.lstrip("#") for line in composition.EXAMPLE.read_text().splitlines())
    named = {line.partition("=")[0] for line in lines if "=" in line}
    assert named == set(composition.variables())


@pytest.mark.parametrize("name", images.SERVICES)
def test_a_container_gets_more_time_to_stop_than_its_service_takes(name: str) -> None:
    drain_s = ROOMS[name].model_fields["drain_s"].default
    assert composition.seconds(SERVICES[name]["stop_grace_period"]) >= drain_s + 10


def test_nothing_starts_before_what_it_needs_is_well() -> None:
    needs = SERVICES["gateway"]["depends_on"]
    assert set(needs) == {"postgres", "inference", "reports"}
    for name, need in needs.items():
        assert need == {"condition": "service_healthy"}
        assert "healthcheck" in SERVICES[name] or images.stages()[name].healthcheck


def test_the_gpu_variant_changes_inference_and_nothing_else() -> None:
    changed: dict[str, Any] = yaml.safe_load(composition.GPU_FILE.read_text())["services"]
    assert set(changed) == {"inference"}
    inference = changed["inference"]
    assert inference["build"]["args"] == {"RUNTIME": "gpu"}
    assert set(inference["environment"]) <= environment.variables(ROOMS["inference"])


def test_the_tls_variant_gives_each_service_a_certificate_of_its_own() -> None:
    changed: dict[str, Any] = yaml.safe_load(composition.TLS_FILE.read_text())["services"]
    assert set(changed) == set(images.SERVICES)
    for name, service in changed.items():
        assert set(service) == {"environment", "volumes"}
        assert set(service["environment"]) == {
            "DERMSERVE_RPC_CERTIFICATE",
            "DERMSERVE_RPC_KEY",
            "DERMSERVE_RPC_AUTHORITY",
        }
        assert set(service["environment"]) <= environment.variables(ROOMS[name])
        assert service["volumes"] == [f"./certificates/{name}:/run/certificates:ro"]
        folders = {path.rpartition("/")[0] for path in service["environment"].values()}
        assert folders == {"/run/certificates"}
