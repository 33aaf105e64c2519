"""Prometheus scrapes what runs, and its rules speak of metrics that exist."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from deploy import metrics_table
from deploy.settings_table import ROOMS
from services import telemetry
from tests.deploy import composition, images

FOLDER = images.CHECKOUT / "deploy" / "prometheus"
CONFIG: dict[str, Any] = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
GROUPS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "rules.yaml").read_text())["groups"]
RULES = [rule for group in GROUPS for rule in group["rules"]]
OF_A_ROOM = re.compile(r"\b(?:gateway|inference|reports)_[a-z_]+")


def exposed() -> Iterator[str]:
    """Name every series that the services expose of themselves."""
    for instrument in metrics_table.instruments():
        (family,) = instrument.describe()
        suffixes = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("_total",)}
        for suffix in suffixes.get(family.type, ("",)):
            yield f"{family.name}{suffix}"


def test_every_service_is_scraped_where_it_shows_its_metrics() -> None:
    targets = {
        job["job_name"]: [target for group in job["static_configs"] for target in group["targets"]]
        for job in CONFIG["scrape_configs"]
    }
    assert targets == {
        "gateway": [f"gateway:{ROOMS['gateway'].model_fields['port'].default}"],
        "inference": [f"inference:{ROOMS['inference'].model_fields['metrics_port'].default}"],
        "reports": [f"reports:{ROOMS['reports'].model_fields['metrics_port'].default}"],
    }
    assert set(targets) <= set(composition.services())


def test_the_container_has_every_file_that_the_configuration_names() -> None:
    mounts = composition.services()["prometheus"]["volumes"]
    mounted = {mount.split(":")[1]: mount.split(":")[0] for mount in mounts}
    for name in (*CONFIG["rule_files"], "prometheus.yml"):
        source = mounted[f"/etc/prometheus/{name}"]
        assert (composition.FILE.parent / source).is_file()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_a_rule_reads_only_metrics_that_exist(rule: dict[str, Any]) -> None:
    recorded = {rule["record"] for rule in RULES if "record" in rule}
    expression = rule["expr"]
    named = set(OF_A_ROOM.findall(expression))
    assert named <= set(exposed())
    assert set(re.findall(r"\b\w+(?::\w+)+", expression)) <= recorded
    assert named or "up" in expression or recorded & set(re.findall(r"[\w:]+", expression))


@pytest.mark.parametrize("rule", [rule for rule in RULES if "alert" in rule], ids=str)
def test_an_alert_says_how_urgent_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert set(rule["annotations"]) == {"summary", "action"}


def test_an_alert_compares_a_quantile_with_the_bound_of_a_bucket_where_it_is_exact() -> None:
    alerts = [rule for rule in RULES if "histogram_quantile" in rule["expr"]]
    compared = {float(rule["expr"].rpartition(">")[2]) for rule in alerts}
    assert len(alerts) >= 3
    assert compared <= set(telemetry.SECONDS)


def test_every_alert_has_a_test() -> None:
    tests = yaml.safe_load((FOLDER / "rules_test.yaml").read_text())["tests"]
    tried = {
        case["alertname"]
        for test in tests
        for case in test["alert_rule_test"]
        if case.get("exp_alerts")
    }
    assert tried == {rule["alert"] for rule in RULES if "alert" in rule}


def test_the_guide_names_every_alert() -> None:
    guide = (images.CHECKOUT / "deploy" / "README.md").read_text()
    assert all(rule["alert"] in guide for rule in RULES if "alert" in rule)


@pytest.mark.parametrize(
    "command",
    [["check", "config", "prometheus.yml"], ["test", "rules", "rules_test.yaml"]],
    ids=["configuration", "rules"],
)
def test_promtool_finds_nothing_wrong(command: list[str]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed; it comes with Prometheus")
    run = subprocess.run(
        [promtool, *command], cwd=FOLDER, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
