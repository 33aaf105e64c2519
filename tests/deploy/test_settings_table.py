"""The table of settings is the one that the settings classes make."""

import pytest
from pydantic_settings import BaseSettings

from deploy import settings_table
from services import environment


def test_the_committed_table_is_current() -> None:
    committed = settings_table.PAGE.read_text(encoding="utf-8")
    assert committed == settings_table.page(), "run: python -m deploy.settings_table"


@pytest.mark.parametrize("settings", settings_table.ROOMS.values(), ids=settings_table.ROOMS)
def test_every_setting_stands_in_the_table_with_a_description(
    settings: type[BaseSettings],
) -> None:
    rows = [line for line in settings_table.page().splitlines() if line.startswith("| `")]
    variables = {
        settings_table.variable(settings, name, field)
        for name, field in settings.model_fields.items()
    }
    assert variables <= environment.variables(settings)
    for variable in variables:
        cells = next(row for row in rows if f"`{variable}`" in row).strip("| ").split(" | ")
        assert cells[-1].endswith(".")


def test_no_secret_and_no_folder_of_this_machine_is_shown() -> None:
    assert str(settings_table.CHECKOUT) not in settings_table.page()
    rows = settings_table.page().splitlines()
    for name in ("DATABASE_URL", "ADMIN_PASSWORD"):
        row = next(row for row in rows if row.startswith(f"| `DERMSERVE_GATEWAY_{name}`"))
        assert row.split(" | ")[1] == "none"
