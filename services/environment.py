"""How a process learns its settings: from environment variables, and from nothing else.

A misspelt variable would be a setting that silently does nothing, so every variable that
begins like ours must be one of ours.
"""

import difflib
import os
from typing import TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings

PREFIX = "DERMSERVE_"

SHARED = frozenset(
    {
        "DERMSERVE_DATA_DIR",
        "DERMSERVE_LOG_LEVEL",
        "DERMSERVE_NEW_PASSWORD",
        "DERMSERVE_RPC_AUTHORITY",
        "DERMSERVE_RPC_CERTIFICATE",
        "DERMSERVE_RPC_KEY",
        "DERMSERVE_SERVER",
        "DERMSERVE_TOKEN",
        "DERMSERVE_TRAINING_DATA",
    }
)
"""Variables that belong to no single room."""

ROOMS = ("DERMSERVE_GATEWAY_", "DERMSERVE_INFERENCE_", "DERMSERVE_REPORTS_")

_Settings = TypeVar("_Settings", bound=BaseSettings)


class SettingsError(Exception):
    """A setting is misspelt or out of range; the message names the variable."""


def read(settings: type[_Settings]) -> _Settings:
    """Read a room's settings.

    Args:
        settings: the room's settings class; its ``env_prefix`` is one of ``ROOMS``.

    Raises:
        SettingsError: a variable is misspelt or its value is out of range.

    """
    known = variables(settings)
    prefix = settings.model_config["env_prefix"]
    foreign = tuple(room for room in ROOMS if room != prefix)
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and not name.startswith(foreign) and name not in known:
            raise SettingsError(_unknown(name, known))
    try:
        return settings()
    except ValidationError as error:
        raise SettingsError(_invalid(error, prefix)) from error


def variables(settings: type[BaseSettings]) -> frozenset[str]:
    """Return the names of the variables that a settings class reads, with the shared ones."""
    prefix = settings.model_config["env_prefix"]
    own = {
        str(field.validation_alias or f"{prefix}{name.upper()}")
        for name, field in settings.model_fields.items()
    }
    return frozenset(own | SHARED)


def _unknown(name: str, known: frozenset[str]) -> str:
    # Compared without the prefix, which would make any two of them look alike.
    endings = sorted(variable.removeprefix(PREFIX) for variable in known)
    near = difflib.get_close_matches(name.removeprefix(PREFIX), endings, n=1)
    hint = f"; did you mean {PREFIX}{near[0]}?" if near else ""
    return f"{name} is not a setting{hint}"


def _invalid(error: ValidationError, prefix: str) -> str:
    first = error.errors()[0]
    field = str(first["loc"][0]) if first["loc"] else "settings"
    name = field if field.startswith(PREFIX) else f"{prefix}{field.upper()}"
    return f"{name}: {first['msg']}"
