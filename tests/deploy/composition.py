"""What deploy/compose.yaml says, as compose itself would read it."""

import re
from typing import Any

import yaml

from tests.deploy import images

FILE = images.CHECKOUT / "deploy" / "compose.yaml"
TLS_FILE = images.CHECKOUT / "deploy" / "compose.tls.yaml"
GPU_FILE = images.CHECKOUT / "deploy" / "compose.gpu.yaml"
EXAMPLE = images.CHECKOUT / "deploy" / ".env.example"

_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?P<rest>:[-?][^}]*)?\}")


def composition() -> dict[str, Any]:
    """Return the file's content."""
    content: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return content


def services() -> dict[str, dict[str, Any]]:
    """Return the containers by name."""
    found: dict[str, dict[str, Any]] = composition()["services"]
    return found


def interpolated(text: str, given: dict[str, str]) -> str:
    """Fill in variables as compose does.

    Raises:
        KeyError: a variable without a default is not given.

    """

    def value(match: re.Match[str]) -> str:
        name, rest = match["name"], match["rest"] or ""
        return given.get(name) or (rest[2:] if rest.startswith(":-") else given[name])

    return _VARIABLE.sub(value, text)


def variables() -> dict[str, bool]:
    """Return the names of the variables that the file reads, and whether each must be given."""
    found = _VARIABLE.finditer(FILE.read_text())
    return {match["name"]: not (match["rest"] or "").startswith(":-") for match in found}


def environment(service: str, given: dict[str, str]) -> dict[str, str]:
    """Return the variables with which a container's process begins."""
    listed = services()[service].get("environment", {})
    filled = {name: interpolated(str(value), given) for name, value in listed.items()}
    return {**images.stages()[service].environment, **filled}


def seconds(duration: str) -> int:
    """Read a duration such as ``30s``."""
    return int(duration.removesuffix("s"))
