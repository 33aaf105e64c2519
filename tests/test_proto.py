"""Generated code is proved current, so that nobody edits it and nobody forgets it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("generated")
    protos = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "proto").glob("*.proto"))
    bin_dir = Path(sys.executable).parent
    subprocess.run(
        [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            "-Iservices/pb=proto",
            f"--python_out={out}",
            f"--pyi_out={out}",
            f"--grpc_python_out={out}",
            f"--mypy_grpc_out=quiet:{out}",
            *protos,
        ],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{bin_dir}:{os.environ['PATH']}"},
        check=True,
    )
    return out / "services" / "pb"


def test_the_generated_code_is_what_the_contracts_generate(generated: Path) -> None:
    fresh = {path.name: path.read_text() for path in generated.iterdir()}
    kept = {path.name: path.read_text() for path in (ROOT / "services" / "pb").glob("*_pb2*.py*")}
    assert fresh == kept, "run `make proto`"
