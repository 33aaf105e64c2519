"""An environment of its own for each peer, with pinned packages, made once."""

import subprocess
import sys
from pathlib import Path

from benchmarks.machine import ROOT

_REQUIREMENTS = Path(__file__).parent / "requirements"
_ENVIRONMENTS = ROOT / ".venv" / "peers"
_UV = Path(sys.executable).with_name("uv")


def python_of(name: str) -> Path:
    """Return the interpreter of ``requirements/<name>.txt``, installed as it says.

    Raises:
        subprocess.CalledProcessError: a package cannot be installed here.

    """
    folder, wanted = _ENVIRONMENTS / name, (_REQUIREMENTS / f"{name}.txt").read_text()
    python, installed = folder / "bin" / "python", folder / "installed.txt"
    if not installed.exists() or installed.read_text() != wanted:
        requirements = _REQUIREMENTS / f"{name}.txt"
        _uv("venv", "--quiet", "--clear", "--python", sys.executable, folder)
        _uv("pip", "install", "--quiet", "--python", python, "--requirement", requirements)
        installed.write_text(wanted)
    return python


def _uv(*arguments: str | Path) -> None:
    subprocess.run([_UV, *arguments], check=True)
