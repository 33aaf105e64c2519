"""What lies where a model file should."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from services.inference import model_file
from services.inference.model_file import ModelError, ModelFile

MODEL = b"a model"
SHA256 = hashlib.sha256(MODEL).hexdigest()


@pytest.fixture
def published(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(MODEL)
    publish(path)
    return path


def publish(path: Path) -> None:
    """Write the checksum of a file beside it."""
    path.with_name("SHA256SUMS").write_text(f"{SHA256}  {path.name}\n")


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("strange", [os.mkfifo, endless, os.mkdir])
@pytest.mark.parametrize("name", ["model.onnx", "SHA256SUMS"])
def test_what_is_no_regular_file_is_refused_and_not_waited_for(
    published: Path, name: str, strange: Callable[[Path], None]
) -> None:
    (published.parent / name).unlink()
    strange(published.parent / name)
    with pytest.raises(ModelError, match=f"{name} cannot be read"):
        model_file.read(published)


def test_a_pipe_in_place_of_the_verdicts_is_refused_and_not_waited_for(published: Path) -> None:
    os.mkfifo(published.parent / "variants.json")
    model = model_file.read(published)
    with pytest.raises(ModelError, match=r"variants\.json cannot be used"):
        model_file.variant(model, "int8")


def test_checksums_that_are_no_text_publish_nothing(published: Path) -> None:
    (published.parent / "SHA256SUMS").write_bytes(b"\xff\xfe")
    with pytest.raises(ModelError, match="is not the published model"):
        model_file.read(published)


def test_a_link_to_the_published_file_is_read(published: Path) -> None:
    link = published.with_name("linked.onnx")
    link.symlink_to(published)
    (published.parent / "SHA256SUMS").write_text(
        f"{hashlib.sha256(MODEL).hexdigest()}  {link.name}\n"
    )
    assert model_file.read(link) == ModelFile(link, MODEL, hashlib.sha256(MODEL).hexdigest())
