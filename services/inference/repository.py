"""Which model versions lie on disk, and which of them are to answer."""

import re
from dataclasses import dataclass
from pathlib import Path

from services.inference import labels
from services.inference.labels import Labels
from services.inference.model_file import ModelError

_NUMBER = re.compile(r"0|[1-9][0-9]*", re.ASCII)

_Stamp = tuple[str, int, int]
"""A file's path, its size in bytes and when it was last written, in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What is seen of a model at one moment; two that are equal show the same.

    Attributes:
        labels: those that are written, or the highest version as stable.
        files: those of the labelled versions, variants too. One that is still being copied looks
            different from moment to moment.

    """

    labels: Labels
    files: tuple[_Stamp, ...]


def numbers(model_dir: Path, name: str) -> list[int]:
    """Return the versions of a model, lowest first.

    Args:
        model_dir: holds ``<name>/<version>/model.onnx``; versions are whole numbers.
        name: of the model.

    Raises:
        ModelError: there is none.

    """
    folder = model_dir / name
    found = [int(path.name) for path in folder.glob("*") if _is_version(path)]
    if not found:
        message = f"no version of the {name} in {folder}: is the model folder the right one?"
        raise ModelError(message)
    return sorted(found)


def latest(model_dir: Path, name: str) -> Path:
    """Return the folder of a model's highest version.

    Raises:
        ModelError: there is no version.

    """
    return model_dir / name / str(numbers(model_dir, name)[-1])


def labelled(model_dir: Path, name: str) -> Labels:
    """Return the labels of a model; where none are written, the highest version is stable.

    Raises:
        ModelError: there is no version, or the labels cannot be used.

    """
    written = labels.read(model_dir / name)
    return written or Labels(stable=numbers(model_dir, name)[-1])


def stable(model_dir: Path, name: str) -> Path:
    """Return the folder of a model's stable version.

    Raises:
        ModelError: there is no version, or the labels cannot be used.

    """
    return model_dir / name / str(labelled(model_dir, name).stable)


def look(model_dir: Path, name: str) -> Sight:
    """Return what is seen of a model now, without reading its versions.

    Raises:
        ModelError: there is no version, the labels cannot be used, or the folder not be read.

    """
    try:
        found = labelled(model_dir, name)
        paths = [
            path
            for number in found.by_label().values()
            for path in _files(model_dir / name / str(number))
        ]
    except OSError as error:
        # A number too long for a folder's name, or a file system that is gone.
        message = f"{error.filename or model_dir / name} cannot be looked at ({error.strerror})"
        raise ModelError(message) from error
    return Sight(found, tuple(stamp for path in paths if (stamp := _stamp(path))))


def _files(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _is_version(path: Path) -> bool:
    return _NUMBER.fullmatch(path.name) is not None and path.is_dir()


def _stamp(path: Path) -> _Stamp | None:
    try:
        seen = path.stat()
    except OSError:
        return None
    return str(path), seen.st_size, seen.st_mtime_ns
