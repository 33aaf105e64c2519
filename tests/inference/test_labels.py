"""The file that says which version answers."""

import os
from pathlib import Path

import pytest

from services.inference import labels, repository
from services.inference.labels import Canary, Label, Labels, LabelsError
from services.inference.model_file import ModelError
from tests import tiny_models


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    written = Labels(stable=2, canary=Canary(version=3, share=0.05), shadow=4)
    labels.write(tmp_path, written)
    assert labels.read(tmp_path) == written
    assert [path.name for path in tmp_path.iterdir()] == ["labels.json"]


def test_the_service_may_run_under_another_account_than_who_writes(tmp_path: Path) -> None:
    labels.write(tmp_path, Labels(stable=1))
    assert (tmp_path / "labels.json").stat().st_mode & 0o044 == 0o044


def test_without_a_file_the_highest_version_is_stable(tmp_path: Path) -> None:
    for number in ("2", "10", "9"):
        (tmp_path / "classifier" / number).mkdir(parents=True)
    assert labels.read(tmp_path / "classifier") is None
    assert repository.labelled(tmp_path, "classifier") == Labels(stable=10)


def test_folders_that_are_no_whole_numbers_are_no_versions(tmp_path: Path) -> None:
    for name in ("2", "03", "draft", "4.old", "\u0665"):
        (tmp_path / "classifier" / name).mkdir(parents=True)
    (tmp_path / "classifier" / "7").write_text("a file")
    assert repository.numbers(tmp_path, "classifier") == [2]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "EOF|JSON"),
        (b"\xff\xfe", "JSON"),
        (b'{"stable": 2', "EOF"),
        (b"[2]", "object"),
        (b"{}", "stable: Field required"),
        (b'{"stable": "2"}', "stable: .*integer"),
        (b'{"stable": true}', "stable: .*integer"),
        (b'{"stable": -1}', "stable: .*greater than or equal to 0"),
        (b'{"stable": null}', "stable: .*integer"),
        (b'{"stable": 2, "latest": 3}', "latest: Extra inputs"),
        (b'{"stable": 2, "canary": 3}', "canary: .*object|canary: .*Canary"),
        (b'{"stable": 2, "canary": {"version": 3}}', "canary.share: Field required"),
        (b'{"stable": 2, "canary": {"version": 3, "share": 0}}', "share: .*greater than 0"),
        (b'{"stable": 2, "canary": {"version": 3, "share": 1}}', "share: .*less than 1"),
        (b'{"stable": 2, "canary": {"version": 3, "share": NaN}}', "share"),
        (b'{"stable": 2, "shadow": 2}', "a version can have one label only"),
    ],
)
def test_a_strange_file_is_refused_with_a_sentence_that_names_it(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    (tmp_path / "labels.json").write_bytes(content)
    with pytest.raises(LabelsError, match=f"labels.json cannot be used: .*({sentence})"):
        labels.read(tmp_path)


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.json").mkdir()
    with pytest.raises(LabelsError, match=r"labels\.json cannot be read"):
        labels.read(tmp_path)


def test_a_pipe_in_place_of_the_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "labels.json")
    with pytest.raises(LabelsError, match=r"labels\.json cannot be read \(not a regular file\)"):
        labels.read(tmp_path)


def test_labels_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    with pytest.raises(LabelsError, match=r"labels\.json cannot be written"):
        labels.write(tmp_path / "nowhere", Labels(stable=1))


def test_a_canary_that_becomes_stable_is_a_canary_no_more() -> None:
    before = Labels(stable=2, canary=Canary(version=3, share=0.1), shadow=4)
    assert before.moved(Label.STABLE, 3) == Labels(stable=3, shadow=4)


def test_a_shadow_that_becomes_the_canary_is_a_shadow_no_more() -> None:
    after = Labels(stable=2, shadow=3).moved(Label.CANARY, 3, 0.1)
    assert after == Labels(stable=2, canary=Canary(version=3, share=0.1))


def test_a_model_is_never_without_a_stable_version() -> None:
    with pytest.raises(LabelsError, match="version 2 is stable"):
        Labels(stable=2).moved(Label.SHADOW, 2)
    with pytest.raises(LabelsError, match="needs a stable version"):
        Labels(stable=2).cleared(Label.STABLE)


def test_a_canary_needs_a_share() -> None:
    with pytest.raises(LabelsError, match="share"):
        Labels(stable=2).moved(Label.CANARY, 3)


def test_clearing_a_label_leaves_the_others() -> None:
    before = Labels(stable=2, canary=Canary(version=3, share=0.1), shadow=4)
    assert before.cleared(Label.CANARY) == Labels(stable=2, shadow=4)


@pytest.mark.parametrize("name", ["model.onnx", "SHA256SUMS", "variants.json", "model.int8.onnx"])
def test_a_version_that_is_still_being_copied_looks_different_from_look_to_look(
    tmp_path: Path, name: str
) -> None:
    tiny_models.write_models(tmp_path)
    before = repository.look(tmp_path, "classifier")
    assert repository.look(tmp_path, "classifier") == before
    with (tmp_path / "classifier" / "1" / name).open("ab") as file:
        file.write(b"\0")
    assert repository.look(tmp_path, "classifier") != before


def test_a_model_without_versions_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no version of the classifier"):
        repository.look(tmp_path, "classifier")
