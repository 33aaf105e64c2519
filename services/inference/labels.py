"""Which version of a model answers: the labels in ``<model_dir>/<name>/labels.json``.

    {"stable": 2, "canary": {"version": 3, "share": 0.05}, "shadow": 4}

``stable`` answers, ``canary`` answers a share of the pictures in its place, ``shadow`` runs and
is compared with stable but never answers. A version has one label at most; canary and shadow
may be left out.
"""

import os
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.inference import regular_file
from services.inference.model_file import ModelError

FILE = "labels.json"

Number = Annotated[int, Field(ge=0)]
"""A version, as its folder is named."""

_STRICT = ConfigDict(frozen=True, extra="forbid", strict=True)


class LabelsError(ModelError):
    """A file of labels cannot be used, or would not make sense after a change."""


class Label(StrEnum):
    """What a version is for."""

    STABLE = "stable"
    CANARY = "canary"
    SHADOW = "shadow"


class Canary(BaseModel):
    """A version that answers a share of the pictures.

    Attributes:
        version: its number.
        share: of the pictures, more than 0 and less than 1.

    """

    model_config = _STRICT

    version: Number
    share: float = Field(gt=0, lt=1)


class Labels(BaseModel):
    """The labels of one model.

    Attributes:
        stable: the version that answers.
        canary: the version that answers some pictures in its place.
        shadow: the version that is compared with it and never answers.

    """

    model_config = _STRICT

    stable: Number
    canary: Canary | None = None
    shadow: Number | None = None

    @model_validator(mode="after")
    def _one_label_a_version(self) -> Self:
        numbers = list(self.by_label().values())
        if len(numbers) > len(set(numbers)):
            raise ValueError("a version can have one label only")
        return self

    def by_label(self) -> dict[Label, int]:
        """Return the version of each label that is given."""
        versions = {
            Label.STABLE: self.stable,
            Label.CANARY: self.canary.version if self.canary else None,
            Label.SHADOW: self.shadow,
        }
        return {label: number for label, number in versions.items() if number is not None}

    def moved(self, label: Label, number: int, share: float | None = None) -> "Labels":
        """Return these labels with one moved to a version, which loses any other it had.

        Args:
            label: which.
            number: the version it moves to.
            share: of the pictures, for a canary.

        Raises:
            LabelsError: the model would have no stable version, or the share makes no sense.

        """
        if number == self.stable and label is not Label.STABLE:
            message = f"version {number} is stable: label another version stable first"
            raise LabelsError(message)
        fields = self.model_dump()
        for other, holder in self.by_label().items():
            if holder == number:
                fields[other] = None
        is_canary = label is Label.CANARY
        fields[label] = {"version": number, "share": share} if is_canary else number
        return _checked(fields)

    def cleared(self, label: Label) -> "Labels":
        """Return these labels without one.

        Raises:
            LabelsError: it is stable, which a model cannot be without.

        """
        if label is Label.STABLE:
            raise LabelsError("a model needs a stable version: label another one stable instead")
        return _checked({**self.model_dump(), label: None})


def read(folder: Path) -> Labels | None:
    """Read the labels of the model in a folder; None where none are written.

    Raises:
        LabelsError: the file is there and cannot be used.

    """
    path = folder / FILE
    try:
        return Labels.model_validate_json(regular_file.read(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LabelsError(f"{path} cannot be read ({error.strerror})") from error
    except ValidationError as error:
        raise LabelsError(f"{path} cannot be used: {_complaint(error)}") from error


def write(folder: Path, labels: Labels) -> None:
    """Write the labels of the model in a folder; whoever reads sees the old or the new file.

    Raises:
        LabelsError: the folder cannot be written to.

    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{FILE}.", dir=folder)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(labels.model_dump_json(indent=1, exclude_none=True) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A temporary file is its owner's alone; the service may run under another account.
        Path(name).chmod(0o644)
        Path(name).replace(folder / FILE)
    except OSError as error:
        raise LabelsError(f"{folder / FILE} cannot be written ({error.strerror})") from error


def _checked(fields: dict[str, object]) -> Labels:
    try:
        return Labels.model_validate(fields)
    except ValidationError as error:
        raise LabelsError(f"these labels cannot be: {_complaint(error)}") from error


def _complaint(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    sentence = first["msg"].removeprefix("Value error, ")
    return f"{place}: {sentence}" if place else sentence
