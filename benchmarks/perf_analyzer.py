"""NVIDIA's perf_analyzer as PyPI has it, unmodified, on machines old and new.

Its wheels ask for a C library of 2023 (glibc 2.38). Where the machine's is older, Debian's own
packages of a newer one are unpacked into a cache folder, and the program is started with their
loader; nothing is installed. ``python -m benchmarks.perf_analyzer`` sees that it is there.
"""

import csv
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

VERSION = "2.60.0"

_DEBIAN = "trixie"
_PACKAGES = ("libc6", "libstdc++6", "libgcc-s1")
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_MEASURED_WITHIN_S = 240
_FETCHED_WITHIN_S = 60


def main() -> None:
    """See that it is there, so that nobody needs a network for it later; say why it is not."""
    try:
        command()
    except UnavailableError as error:
        sys.stderr.write(f"perf_analyzer is not to be had: {error}\n")


class UnavailableError(Exception):
    """perf_analyzer cannot be had here; the message says why."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What perf_analyzer found at one concurrency.

    Attributes:
        rows_a_second: answered.
        p50_ms: median latency of a request, as the client saw it.
        p99_ms: the latency that one request in a hundred exceeded.
        queue_ms: of it, waiting for a runner, by the server's statistics; mean.
        run_ms: of it, inside the runtime, by the server's statistics; mean.

    """

    rows_a_second: float
    p50_ms: float
    p99_ms: float
    queue_ms: float
    run_ms: float


def measured(
    command: Sequence[str], address: str, model: str, concurrency: int, *options: str
) -> Measurement:
    """Let perf_analyzer ask a model.

    Args:
        command: see ``command``.
        address: of the service, ``host:port``.
        model: its name.
        concurrency: requests that wait for an answer at the same time.
        options: further ones of perf_analyzer.

    Raises:
        UnavailableError: it came to no measurement; the message has its own words.

    """
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.csv"
        asked = (
            *("-m", model, "-u", address, "-i", "grpc", "--input-data", "random"),
            *("--concurrency-range", str(concurrency), "-f", str(table), *options),
        )
        said = _run([*command, *asked], within_s=_MEASURED_WITHIN_S)
        if not table.exists():
            raise UnavailableError(f"perf_analyzer came to no measurement: {said}")
        (row,) = csv.DictReader(table.read_text().splitlines())
    return Measurement(
        rows_a_second=float(row["Inferences/Second"]),
        p50_ms=float(row["p50 latency"]) / 1000,
        p99_ms=float(row["p99 latency"]) / 1000,
        queue_ms=float(row["Server Queue"]) / 1000,
        run_ms=float(row["Server Compute Infer"]) / 1000,
    )


def command() -> list[str]:
    """Return how perf_analyzer is started: from the path, or fetched into the cache.

    Raises:
        UnavailableError: it is not there and cannot be fetched, or does not run here.

    """
    on_path = shutil.which("perf_analyzer")
    if on_path is not None:
        return [on_path]
    program = str(_fetched())
    for started in ([program], [*_newer_loader(), program]):
        if (
            subprocess.run([*started, "--version"], capture_output=True, check=False).returncode
            == 0
        ):
            return started
    raise UnavailableError("perf_analyzer does not run here")


def _cache() -> Path:
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return folder / "dermserve" / f"perf_analyzer-{VERSION}"


def _fetched() -> Path:
    """Fetch the wheel, if it is not there yet, and return the program in it."""
    wheel = _cache() / "wheel"
    program = wheel / "perf_analyzer" / "bin" / "perf_analyzer"
    if not program.exists():
        uv = Path(sys.executable).with_name("uv")
        _run(
            [
                *(str(uv), "pip", "install", "--quiet", "--no-deps", "--target", str(wheel)),
                *("--python-platform", f"{platform.machine()}-manylinux_2_38"),
                f"perf-analyzer=={VERSION}",
            ]
        )
        program.chmod(0o755)
    return program


def _newer_loader() -> list[str]:
    """Unpack a newer C library, if it is not there yet, and return how to start with it."""
    root = _cache() / _DEBIAN
    if not root.exists():
        with tempfile.TemporaryDirectory(dir=_cache()) as folder:
            _unpack_packages(Path(folder))
            (Path(folder) / "root").rename(root)
    (loader,) = root.glob("usr/lib/*/ld-linux-*.so.*")
    theirs, ours = loader.parent, Path("/usr/lib") / loader.parent.name
    return [str(loader), "--library-path", f"{theirs}:{ours}"]


def _unpack_packages(folder: Path) -> None:
    """Fetch packages with apt, whose own lists and packages are left alone."""
    for part in ("lists/partial", "archives/partial", "packages"):
        (folder / part).mkdir(parents=True)
    sources = folder / "sources.list"
    sources.write_text(f"deb [signed-by={_KEYRING}] http://deb.debian.org/debian {_DEBIAN} main\n")
    (folder / "status").touch()
    apt = (
        *("apt-get", "-qq", "-o", f"Dir::Etc::SourceList={sources}"),
        *("-o", "Dir::Etc::SourceParts=-", "-o", f"Dir::State::Lists={folder / 'lists'}"),
        *("-o", f"Dir::State::Status={folder / 'status'}", "-o", f"Dir::Cache={folder}"),
        *("-o", "APT::Sandbox::User=root"),
    )
    _run([*apt, "update"])
    _run([*apt, "download", *_PACKAGES], folder / "packages")
    for package in (folder / "packages").glob("*.deb"):
        _run(["dpkg-deb", "--extract", str(package), str(folder / "root")])


def _run(
    arguments: Sequence[str], folder: Path | None = None, *, within_s: float = _FETCHED_WITHIN_S
) -> str:
    """Run a program and return what it said.

    Raises:
        UnavailableError: it is not there, failed, or took too long.

    """
    try:
        finished = subprocess.run(
            arguments,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=within_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(str(error)) from error
    if finished.returncode:
        raise UnavailableError(f"{arguments[0]} failed: {finished.stdout[-2000:]}")
    return finished.stdout


if __name__ == "__main__":
    main()
