"""Secrets that must be read again, sealed."""

from pathlib import Path

import pytest

from services.gateway.security.keys import KeyFileError
from services.gateway.security.sealing import Seal, SealError

SECRET = b"whatever must be read again"


def test_a_seal_opens_with_its_key_and_for_what_it_is_of_only(tmp_path: Path) -> None:
    path = tmp_path / "key.hex"
    sealed = Seal.from_file(path).close(SECRET, "one")

    assert Seal.from_file(path).open(sealed, "one") == SECRET
    for other, of, text in (
        (Seal.from_file(path), "two", sealed),
        (Seal.from_file(tmp_path / "other.hex"), "one", sealed),
        (Seal.from_file(path), "one", sealed[:-8] + "AAAAAAA="),
        (Seal.from_file(path), "one", "not base64!"),
        (Seal.from_file(path), "one", ""),
    ):
        with pytest.raises(SealError):
            other.open(text, of)


def test_the_same_secret_is_sealed_differently_each_time(tmp_path: Path) -> None:
    seal = Seal.from_file(tmp_path / "key.hex")

    assert len({seal.close(SECRET, "one") for _ in range(10)}) == 10


def test_the_key_is_for_its_owner_only_and_anything_else_in_its_place_is_told(
    tmp_path: Path,
) -> None:
    path = tmp_path / "key.hex"
    Seal.from_file(path)
    assert path.stat().st_mode & 0o077 == 0

    for content in (b"", b"short", b"g" * 64, b"\xff" * 64, b"0" * 65):
        path.write_bytes(content)
        with pytest.raises(KeyFileError, match=r"key\.hex"):
            Seal.from_file(path)
