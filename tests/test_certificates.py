"""The settings that name certificates: three files that fit, or a refusal that says which."""

from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from deploy.settings_table import ROOMS
from services import environment
from tests.authorities import issued, variables

FITTING = "DERMSERVE_RPC_AUTHORITY: .*the three files cannot be used together"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    return variables(tmp_path / "own", issued(trustme.CA(), "inference", "localhost"))


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_reads_the_files_that_the_settings_name(
    room: str, files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in files.items():
        monkeypatch.setenv(name, value)

    certificates = environment.read(ROOMS[room]).certificates  # type: ignore[attr-defined]

    assert certificates.chain == Path(files["DERMSERVE_RPC_CERTIFICATE"]).read_bytes()
    assert certificates.key == Path(files["DERMSERVE_RPC_KEY"]).read_bytes()
    assert certificates.authority == Path(files["DERMSERVE_RPC_AUTHORITY"]).read_bytes()
    assert "PRIVATE" not in repr(certificates)


@pytest.mark.parametrize("room", ROOMS)
def test_unset_or_empty_is_plain_grpc(room: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert environment.read(ROOMS[room]).certificates is None  # type: ignore[attr-defined]
    for name in ("CERTIFICATE", "KEY", "AUTHORITY"):
        monkeypatch.setenv(f"DERMSERVE_RPC_{name}", "")
    assert environment.read(ROOMS[room]).certificates is None  # type: ignore[attr-defined]


@pytest.mark.parametrize("missing", ["CERTIFICATE", "KEY", "AUTHORITY"])
@pytest.mark.parametrize("room", ROOMS)
def test_two_of_the_three_are_refused(
    room: str, missing: str, files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in files.items():
        if not name.endswith(missing):
            monkeypatch.setenv(name, value)

    with pytest.raises(environment.SettingsError, match=r"DERMSERVE_RPC_KEY and .* together"):
        environment.read(ROOMS[room])


@pytest.mark.parametrize("fault", ["a key of another", "no file", "no PEM", "a passphrase"])
def test_files_that_do_not_fit_are_refused_at_boot_and_no_key_is_shown(
    fault: str, files: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    key = Path(files["DERMSERVE_RPC_KEY"])
    if fault == "a key of another":
        key.write_bytes(issued(trustme.CA(), "inference").key)
    elif fault == "no file":
        Path(files["DERMSERVE_RPC_AUTHORITY"]).unlink()
    elif fault == "no PEM":
        Path(files["DERMSERVE_RPC_AUTHORITY"]).write_text("none")
    else:
        own = serialization.load_pem_private_key(key.read_bytes(), None)
        sealed = serialization.BestAvailableEncryption(b"a passphrase")
        pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        key.write_bytes(own.private_bytes(pem, form, sealed))
    for name, value in files.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(environment.SettingsError, match=FITTING) as told:
        environment.read(ROOMS["inference"])

    assert "PRIVATE" not in str(told.value)
