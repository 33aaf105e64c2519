"""Write docs/settings.md from the settings classes: ``python -m deploy.settings_table``."""

from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from services.gateway.settings import Settings as GatewaySettings
from services.inference.settings import Settings as InferenceSettings
from services.reports.settings import Settings as ReportsSettings

CHECKOUT = Path(__file__).resolve().parents[1]
PAGE = CHECKOUT / "docs" / "settings.md"

ROOMS: dict[str, type[BaseSettings]] = {
    "gateway": GatewaySettings,
    "inference": InferenceSettings,
    "reports": ReportsSettings,
}

_HEAD = """\
# Settings

Generated from the settings classes by `python -m deploy.settings_table`.

Every setting is an environment variable. It is read once, at boot. A variable that begins with
`DERMSERVE_` and is none of a service's is refused, and so is a value out of range: the service
says which variable is wrong and ends with status 2.
"""

_COLUMNS = "| Variable | Default | Allowed | What it does |\n|---|---|---|---|"

_SIGNS = {"ge": "≥", "gt": "above", "le": "≤", "lt": "below"}


def main() -> None:
    """Write the page."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the page: a table for each room."""
    sections = [_HEAD]
    for room, settings in ROOMS.items():
        rows = [_row(settings, name, field) for name, field in settings.model_fields.items()]
        sections.append("\n".join([f"## {room.capitalize()}", "", _COLUMNS, *rows]) + "\n")
    return "\n".join(sections)


def variable(settings: type[BaseSettings], name: str, field: FieldInfo) -> str:
    """Return the name of the environment variable that a field is read from."""
    prefix = settings.model_config["env_prefix"]
    return str(field.validation_alias or f"{prefix}{name.upper()}")


def _row(settings: type[BaseSettings], name: str, field: FieldInfo) -> str:
    cells = (
        f"`{variable(settings, name, field)}`",
        _default(field),
        _allowed(field),
        field.description or "",
    )
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "found at boot"
    value = field.default
    if _is_secret(field.annotation):
        return "none"
    if isinstance(value, Path):
        value = value.relative_to(CHECKOUT) if value.is_absolute() else value
        return f"`{value.as_posix()}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, int | float):
        return f"`{_number(value)}`"
    return f"`{value}`" if value else "empty"


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or SecretStr in get_args(annotation)


def _allowed(field: FieldInfo) -> str:
    choices = _choices(field.annotation)
    if choices:
        return ", ".join(f"`{choice}`" if choice else "empty" for choice in choices)
    parts = [text for bound in field.metadata for text in _bounds(bound)]
    return ", ".join(parts)


def _choices(annotation: Any) -> tuple[Any, ...]:
    if annotation is bool:
        return ("true", "false")
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return ()


def _bounds(bound: Any) -> list[str]:
    texts = [
        f"{sign} {_number(getattr(bound, key))}"
        for key, sign in _SIGNS.items()
        if getattr(bound, key, None) is not None
    ]
    least, most = getattr(bound, "min_length", None), getattr(bound, "max_length", None)
    if least is not None:
        texts.append("not empty" if least == 1 else f"at least {least} characters")
    if most is not None:
        texts.append(f"at most {most} characters")
    return texts


def _number(value: float) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
