"""Settings come from the environment, and a wrong variable is named."""

import pytest
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services import environment


class Room(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="DERMSERVE_REPORTS_", frozen=True)

    port: int = Field(8600, le=65535)
    log_level: str = Field("INFO", validation_alias="DERMSERVE_LOG_LEVEL")


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environment.variables(Room):
        monkeypatch.delenv(name, raising=False)


def fault() -> str:
    with pytest.raises(environment.SettingsError) as caught:
        environment.read(Room)
    return str(caught.value)


def test_defaults_stand_when_nothing_is_set() -> None:
    assert environment.read(Room).port == 8600


def test_own_and_shared_variables_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERMSERVE_REPORTS_PORT", "9")
    monkeypatch.setenv("DERMSERVE_LOG_LEVEL", "DEBUG")
    room = environment.read(Room)
    assert (room.port, room.log_level) == (9, "DEBUG")


def test_a_misspelt_variable_is_named_with_the_nearest_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DERMSERVE_REPORTS_PROT", "9")
    assert fault() == (
        "DERMSERVE_REPORTS_PROT is not a setting; did you mean DERMSERVE_REPORTS_PORT?"
    )


def test_a_variable_like_none_of_ours_is_named_without_a_guess(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DERMSERVE_XYZZY", "9")
    assert fault() == "DERMSERVE_XYZZY is not a setting"


def test_a_shared_variable_that_is_misspelt_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERMSERVE_LOGLEVEL", "DEBUG")
    assert "did you mean DERMSERVE_LOG_LEVEL?" in fault()


def test_variables_of_other_rooms_and_other_programs_are_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DERMSERVE_GATEWAY_ANYTHING", "9")
    monkeypatch.setenv("SOMEBODY_PORT", "9")
    assert environment.read(Room).port == 8600


@pytest.mark.parametrize("value", ["70000", "many"])
def test_a_value_out_of_range_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("DERMSERVE_REPORTS_PORT", value)
    assert fault().startswith("DERMSERVE_REPORTS_PORT: ")


def test_a_shared_variable_is_named_by_its_own_name(monkeypatch: pytest.MonkeyPatch) -> None:
    class Strict(Room):
        log_level: str = Field("INFO", validation_alias="DERMSERVE_LOG_LEVEL", max_length=5)

    monkeypatch.setenv("DERMSERVE_LOG_LEVEL", "EVERYTHING")
    with pytest.raises(environment.SettingsError, match=r"^DERMSERVE_LOG_LEVEL: "):
        environment.read(Strict)
