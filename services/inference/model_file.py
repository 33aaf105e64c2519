"""Model files as they were published: content, hash, and the accepted variants beside them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.inference import regular_file

CHECKSUMS = "SHA256SUMS"
"""Beside every model file, in the format of ``sha256sum``: what the file must be."""

VARIANTS = "variants.json"
"""Beside a model with variants: a list of objects, each a file and the verdict on it."""

PRECISIONS = {"model.int8.onnx": "int8", "model.fp16.onnx": "fp16"}
"""The variants that a model may have, by the names of their files."""


class ModelError(Exception):
    """A model is missing, is not the file that was published, or breaks its contract."""


class ModelRunError(ModelError):
    """The runtime failed on a batch, or answered something that is no number."""


class ModelMemoryError(ModelRunError, MemoryError):
    """The runtime could not have the memory that a batch needs."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A published file that was read and verified.

    Attributes:
        path: where it lies.
        content: its bytes.
        sha256: of them, lower-case hexadecimal.
        precision: of its numbers: ``"fp32"``, or that of a variant.
        variant_of: SHA-256 of the model that a variant was made of; empty for a model itself.

    """

    path: Path
    content: bytes = field(repr=False)
    sha256: str
    precision: str = "fp32"
    variant_of: str = ""


def read(path: Path) -> ModelFile:
    """Read a model and verify it.

    Raises:
        ModelError: see ``verified``.

    """
    content = verified(path)
    return ModelFile(path, content, hashlib.sha256(content).hexdigest())


def refuse_another(path: Path, sha256: str) -> None:
    """See that a model that was read before still lies there.

    Raises:
        ModelError: see ``verified``, or it is another one by now.

    """
    if read(path).sha256 != sha256:
        message = f"{path} is another model by now: publish it as a version of its own"
        raise ModelError(message)


def verified(path: Path) -> bytes:
    """Read a model file and compare it with its published checksum.

    Returns:
        The content of the file.

    Raises:
        ModelError: the file or its checksum cannot be read, or they differ.

    """
    try:
        lines = regular_file.read(path.parent / CHECKSUMS).decode(errors="replace").splitlines()
        content = regular_file.read(path)
    except OSError as error:
        message = f"{error.filename} cannot be read ({error.strerror}): is the model folder right?"
        raise ModelError(message) from error
    sha256 = hashlib.sha256(content).hexdigest()
    if [sha256, path.name] not in [line.split() for line in lines]:
        message = f"{path} is not the published model: its SHA-256 is {sha256}"
        raise ModelError(message)
    return content


def variant(model: ModelFile, precision: str) -> ModelFile:
    """Read the variant of a model in a precision.

    Only one that was made of this very model, judged on held-out pictures and accepted may
    stand in for it; ``variants.json`` says so.

    Raises:
        ModelError: there is none, or it must not be used; the sentence says why.

    """
    verdict = _verdict(model.path.parent / VARIANTS, precision)
    if verdict.get("accepted") is not True:
        message = f"the {precision} variant was not accepted: {verdict.get('why')}"
        raise ModelError(message)
    if verdict.get("variant_of") != model.sha256:
        message = f"the {precision} variant was made of another model file"
        raise ModelError(message)
    path = model.path.with_name(verdict["file"])
    content = verified(path)
    sha256 = hashlib.sha256(content).hexdigest()
    if verdict.get("sha256") != sha256:
        message = f"the verdict on the {precision} variant is about another file"
        raise ModelError(message)
    return ModelFile(path, content, sha256, precision, variant_of=model.sha256)


def _verdict(path: Path, precision: str) -> Mapping[str, Any]:
    try:
        verdicts = json.loads(regular_file.read(path)) if path.exists() else []
        found = [each for each in verdicts if PRECISIONS.get(each["file"]) == precision]
    except (OSError, ValueError, TypeError, KeyError) as error:
        message = f"{path} cannot be used: {error!r}"
        raise ModelError(message) from error
    if not found:
        message = f"the model has no {precision} variant"
        raise ModelError(message)
    verdict: Mapping[str, Any] = found[0]
    return verdict
