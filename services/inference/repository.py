"""Which model versions lie on disk, and which one serves."""

from pathlib import Path

from services.inference.onnx_model import ModelError


def latest(model_dir: Path, name: str) -> Path:
    """Return the folder of a model's highest version.

    Args:
        model_dir: holds ``<name>/<version>/model.onnx``; versions are whole numbers.
        name: of the model.

    Raises:
        ModelError: there is no version.

    """
    folder = model_dir / name
    versions = [path for path in folder.glob("*") if path.name.isdecimal() and path.is_dir()]
    if not versions:
        message = f"no version of the {name} in {folder}: is the model folder the right one?"
        raise ModelError(message)
    return max(versions, key=lambda path: int(path.name))
