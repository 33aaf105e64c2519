"""One exported model in one ONNX Runtime session: load, verify, warm up, run."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from services.inference.signature import Signature, TensorSpec, UnservableTypeError

Tensor = npt.NDArray[Any]
Outputs = Mapping[str, Tensor]
_Value = TypeVar("_Value")

CHECKSUMS = "SHA256SUMS"
"""Beside every model file, in the format of ``sha256sum``: what the file must be."""

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"


class ModelError(Exception):
    """A model is missing, is not the file that was published, or breaks its contract."""


class ModelRunError(ModelError):
    """The runtime failed on a batch, or answered something that is no number."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an answer comes from.

    Attributes:
        name: what the model is for, ``"classifier"`` or ``"segmenter"``.
        version: as its folder is named.
        sha256: of the file, lower-case hexadecimal.
        execution_provider: the hardware backend that really runs it.

    """

    name: str
    version: str
    sha256: str
    execution_provider: str


class OnnxModel:
    """A loaded model. Safe to run from several threads at once."""

    def __init__(self, session: ort.InferenceSession, provenance: Provenance) -> None:
        """Wrap a session; use ``load`` to get one from a file.

        Raises:
            UnservableTypeError: a tensor is not made of numbers.

        """
        self.provenance = provenance
        self.metadata: Mapping[str, str] = session.get_modelmeta().custom_metadata_map
        self.signature = Signature(
            input=TensorSpec.of(session.get_inputs()[0]),
            outputs=tuple(map(TensorSpec.of, session.get_outputs())),
        )
        self.outputs = tuple(output.name for output in self.signature.outputs)
        self._session = session

    @classmethod
    def load(cls, folder: Path, name: str, *, provider: str = "auto") -> "OnnxModel":
        """Verify and open ``folder/model.onnx``.

        Args:
            folder: the version's folder; its name is the version.
            name: the name that the model's metadata must have.
            provider: ``"cpu"``, ``"cuda"``, or ``"auto"``: CUDA where it works.

        Raises:
            ModelError: missing, wrong hash, unreadable, or another model than named.

        """
        path = folder / "model.onnx"
        content = verified(path)
        try:
            session = ort.InferenceSession(content, _options(), providers=_providers(provider))
        except Exception as error:  # ONNX Runtime raises classes of its own making
            message = f"{path} cannot be loaded: {error}"
            raise ModelError(message) from error
        running_on = session.get_providers()[0]
        if provider == "cuda" and running_on != CUDA:
            raise ModelError("CUDA was asked for and does not work here; set the provider to auto")
        sha256 = hashlib.sha256(content).hexdigest()
        try:
            model = cls(session, Provenance(name, folder.name, sha256, running_on))
        except UnservableTypeError as error:
            message = f"{path} cannot be served: {error}"
            raise ModelError(message) from error
        if model.metadata.get("name") != name:
            message = f"{path} is not a {name}: its metadata names {model.metadata.get('name')!r}"
            raise ModelError(message)
        return model

    @property
    def input_size(self) -> int:
        """Height and width in pixels of the square input."""
        return self.setting("input_size", int)

    def setting(self, key: str, kind: type[_Value]) -> _Value:
        """Return a value of the model's metadata, parsed from JSON.

        Args:
            key: its name.
            kind: what it must be; a whole number will do for a float.

        Raises:
            ModelError: the metadata lacks it, or it is something else.

        """
        try:
            value = json.loads(self.metadata[key])
        except (KeyError, ValueError):
            value = None
        if kind is float and type(value) is int:
            value = float(value)
        if not isinstance(value, kind):
            message = f"the metadata of the {self.provenance.name} have no usable {key!r}"
            raise ModelError(message)
        return value

    def run(self, tensors: Sequence[Tensor]) -> list[Outputs]:
        """Run a batch.

        Args:
            tensors: uint8 arrays of shape (input_size, input_size, 3), RGB.

        Returns:
            For each tensor the outputs by name, without the batch dimension.

        Raises:
            ModelRunError: the runtime failed, or an output is not a number.

        """
        try:
            results = self._session.run(None, {self.signature.input.name: np.stack(tensors)})
        except Exception as error:  # ONNX Runtime raises classes of its own making
            message = f"the {self.provenance.name} failed on a batch of {len(tensors)}: {error}"
            raise ModelRunError(message) from error
        if not all(np.isfinite(result).all() for result in results):
            message = f"the {self.provenance.name} answered something that is no number"
            raise ModelRunError(message)
        return [dict(zip(self.outputs, row, strict=True)) for row in zip(*results, strict=True)]

    def warm_up(self, batch_sizes: Iterable[int]) -> None:
        """Run each batch size once, so that no caller pays for a first run."""
        blank = np.zeros((self.input_size, self.input_size, 3), np.uint8)
        for size in batch_sizes:
            self.run([blank] * size)


def verified(path: Path) -> bytes:
    """Read a model file and compare it with its published checksum.

    Returns:
        The content of the file.

    Raises:
        ModelError: the file or its checksum cannot be read, or they differ.

    """
    try:
        lines = (path.parent / CHECKSUMS).read_text().splitlines()
        content = path.read_bytes()
    except OSError as error:
        message = f"{error.filename} cannot be read ({error.strerror}): is the model folder right?"
        raise ModelError(message) from error
    sha256 = hashlib.sha256(content).hexdigest()
    if [sha256, path.name] not in [line.split() for line in lines]:
        message = f"{path} is not the published model: its SHA-256 is {sha256}"
        raise ModelError(message)
    return content


def _options() -> ort.SessionOptions:
    options = ort.SessionOptions()
    # One thread a run: runs side by side give more pictures a second than runs that share
    # out each layer, and they never fight for cores.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return options


def _providers(wanted: str) -> list[str]:
    if wanted == "cpu" or CUDA not in ort.get_available_providers():
        return [CPU]
    # CUDA and cuDNN come from wheels, where the dynamic linker would not look for them.
    ort.preload_dlls()
    return [CUDA, CPU]
