"""One exported model, verified and opened: what it says of itself, and how to run it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from services.inference import evaluation, model_file
from services.inference.backends.backend import Backend, Identity, Tensor
from services.inference.backends.onnxruntime_cpu import OnnxRuntimeCpu
from services.inference.evaluation import Evaluation
from services.inference.model_file import ModelError, ModelFile, ModelMemoryError, ModelRunError

Outputs = Mapping[str, Tensor]
_Value = TypeVar("_Value")

_NO_MEMORY = ("failed to allocate memory", "bad_alloc", "bad allocation", "out of memory")
"""What runtimes say of memory that they cannot have: their errors have no class for it."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an answer comes from.

    Attributes:
        name: what the model is for, ``"classifier"`` or ``"segmenter"``.
        version: as its folder is named.
        sha256: of the file that ran, lower-case hexadecimal.
        execution_provider: what really ran it: hardware and runtime.
        precision: that it was computed in, see ``Identity``.
        variant_of: SHA-256 of the model that the file is a variant of; empty when it is the
            model itself.

    """

    name: str
    version: str
    sha256: str
    execution_provider: str
    precision: str = "fp32"
    variant_of: str = ""


class ModelOutputs(dict[str, Tensor]):
    """The outputs of one row by name, without the batch dimension, and what made them."""

    def __init__(self, outputs: Outputs, provenance: Provenance) -> None:
        super().__init__(outputs)
        self.provenance = provenance


class OnnxModel:
    """A loaded model. Safe to run from several threads at once."""

    def __init__(
        self, backend: Backend, name: str, version: str, evaluation: Evaluation | None = None
    ) -> None:
        """Wrap what runs it; use ``load`` to get one from a file."""
        self.evaluation = evaluation
        self.metadata = backend.metadata
        self.signature = backend.signature
        self.outputs = tuple(output.name for output in backend.signature.outputs)
        self._name = name
        self._version = version
        self._backend = backend

    @classmethod
    def load(
        cls, folder: Path, name: str, *, elect: Callable[[ModelFile], Backend] = OnnxRuntimeCpu
    ) -> "OnnxModel":
        """Verify and open ``folder/model.onnx``, or an accepted variant of it.

        Args:
            folder: the version's folder; its name is the version.
            name: the name that the model's metadata must have.
            elect: chooses what runs it; unless told, the model itself on one thread.

        Raises:
            ModelError: missing, wrong hash, unreadable, or another model than named.

        """
        file = model_file.read(folder / "model.onnx")
        evaluated = evaluation.read(folder, file.sha256)
        model = cls(elect(file), name, folder.name, evaluated)
        if model.metadata.get("name") != name:
            found = model.metadata.get("name")
            message = f"{file.path} is not a {name}: its metadata names {found!r}"
            raise ModelError(message)
        return model

    @property
    def provenance(self) -> Provenance:
        """What an answer that is asked for now will come from."""
        return self._provenance(self._backend.identity)

    @property
    def on_device(self) -> bool:
        """Whether batches pay and the first of each shape is slow, as on a graphics card."""
        return self._backend.on_device

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
            message = f"the metadata of the {self._name} have no usable {key!r}"
            raise ModelError(message)
        return value

    def run(self, tensors: Sequence[Tensor]) -> list[ModelOutputs]:
        """Run a batch.

        Args:
            tensors: uint8 arrays of shape (input_size, input_size, 3), RGB.

        Returns:
            For each tensor its outputs.

        Raises:
            ModelRunError: the runtime failed, or an output is not a number.

        """
        outputs = [output for output in self.run_each(tensors) if output is not None]
        if len(outputs) < len(tensors):
            raise self._no_number()
        return outputs

    def run_each(self, tensors: Sequence[Tensor]) -> list[ModelOutputs | None]:
        """Do as ``run``, but give None for a tensor that alone has an output that is no number.

        Raises:
            ModelMemoryError: the runtime could not have the memory for it.
            ModelRunError: it failed otherwise, or that holds for every tensor.

        """
        try:
            ran = self._backend.run(np.stack(tensors))
        except Exception as error:  # runtimes raise classes of their own making
            message = f"the {self._name} failed on a batch of {len(tensors)}: {error}"
            raise (ModelMemoryError if _lacks_memory(error) else ModelRunError)(message) from error
        all_sound = _is_sound(ran.results)  # nearly always, and sooner told than for each row
        provenance = self._provenance(ran.by)
        outputs = [
            ModelOutputs(dict(zip(self.outputs, row, strict=True)), provenance)
            if all_sound or _is_sound(row)
            else None
            for row in zip(*ran.results, strict=True)
        ]
        if not any(output is not None for output in outputs):
            raise self._no_number()
        return outputs

    def _no_number(self) -> ModelRunError:
        return ModelRunError(f"the {self._name} answered something that is no number")

    def _provenance(self, identity: Identity) -> Provenance:
        return Provenance(
            self._name,
            self._version,
            identity.sha256,
            identity.execution_provider,
            identity.precision,
            identity.variant_of,
        )


def _lacks_memory(error: Exception) -> bool:
    said = str(error).lower()
    return isinstance(error, MemoryError) or any(words in said for words in _NO_MEMORY)


def _is_sound(results: Sequence[Tensor]) -> bool:
    return all(np.isfinite(result).all() for result in results)
