"""Peers do dermserve's work in environments of their own, which must have what that work takes."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import peers

REQUIREMENTS = sorted((Path(peers.__file__).parent / "requirements").glob("*.txt"))
assert REQUIREMENTS

AS_IF_ONLY_THESE_WERE_INSTALLED = """
import sys
from importlib.metadata import packages_distributions

installed = {line.partition("==")[0].lower() for line in sys.stdin.read().split()}
packages = packages_distributions()


class Missing:
    def find_spec(self, name, path=None, target=None):
        of = {each.lower().replace("_", "-") for each in packages.get(name, ())}
        if of and not of & installed:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Missing())
import benchmarks.peers.serving.work
"""


@pytest.mark.parametrize("requirements", REQUIREMENTS, ids=lambda path: path.stem)
def test_the_environment_of_a_peer_has_what_its_work_imports(requirements: Path) -> None:
    command = [sys.executable, "-c", AS_IF_ONLY_THESE_WERE_INSTALLED]
    told = subprocess.run(
        command, input=requirements.read_text(), capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
