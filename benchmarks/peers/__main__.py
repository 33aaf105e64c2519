"""Measure peers and keep every result as soon as there is one."""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import machine, tables
from benchmarks.peers import answers, pair
from benchmarks.peers.answers import Answer, Specimen
from benchmarks.peers.catalogue import PEERS
from benchmarks.peers.serving.work import Analyst
from tests import specimens as drawn

RESULT = Path(__file__).parents[1] / "results" / "peers.json"

PICTURES = 33
SETUPS = ("default", "tuned")


def main() -> int:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("peers", nargs="*", metavar="PEER", help=f"of {', '.join(PEERS)}")
    parser.add_argument("--setup", choices=SETUPS, help="only this one")
    parser.add_argument("--resume", action="store_true", help="only what this commit lacks")
    parser.add_argument("--rounds", type=int, default=3, help="turns at each number of clients")
    parser.add_argument("--seconds", type=float, default=3, help="of a turn")
    parser.add_argument("--overload", type=float, default=8, help="seconds at twice the capacity")
    parser.add_argument("--result", type=Path, default=RESULT, help="file to add to")
    arguments = parser.parse_args()
    if unknown := set(arguments.peers) - set(PEERS):
        parser.error(f"no peer is called {', '.join(sorted(unknown))}")
    # Whoever stops this stops the servers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    # Asked before the first result makes the checkout another than the commit.
    described = machine.described(machine.served())
    plan = pair.Plan(arguments.rounds, arguments.seconds, arguments.overload)
    with tempfile.TemporaryDirectory() as folder:
        pictures = Path(folder) / "pictures.json"
        answers.write(pictures, expected())
        for name in arguments.peers or PEERS:
            for setup in [arguments.setup] if arguments.setup else SETUPS:
                if arguments.resume and _is_measured(arguments.result, name, setup, described):
                    continue
                print(f"{name}, {setup}", flush=True)
                measured = {"machine": described, **_measured(name, setup, pictures, plan)}
                _keep(arguments.result, name, setup, measured)
    if arguments.result == RESULT:
        tables.render()
    return 0


def expected(count: int = PICTURES) -> list[Specimen]:
    """Draw the pictures and analyze them without any server."""
    analyst = Analyst.of_onnx(tuned=True)
    pictures = [drawn.lesion_jpeg(seed=seed) for seed in range(count)]
    return [Specimen(picture, Answer.of_json(analyst.analyze(picture))) for picture in pictures]


def _measured(name: str, setup: str, pictures: Path, plan: pair.Plan) -> dict[str, Any]:
    try:
        return pair.measured(PEERS[name], setup, pictures, plan)
    except (RuntimeError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr, flush=True)
        return {"not_run": str(error)}


def _is_measured(result: Path, name: str, setup: str, described: Mapping[str, Any]) -> bool:
    done = _read(result)["peers"].get(name, {}).get(setup, {})
    # A run that goes on finds the checkout changed by its own results.
    return "peer" in done and _commit(done["machine"]) == _commit(described)


def _commit(described: Mapping[str, Any]) -> str:
    return str(described["commit"]).removesuffix("-dirty")


def _keep(result: Path, name: str, setup: str, measured: dict[str, Any]) -> None:
    kept = _read(result)
    kept["peers"].setdefault(name, {})[setup] = measured
    partial = result.with_suffix(".partial")
    partial.write_text(json.dumps(kept, indent=1) + "\n")
    partial.replace(result)


def _read(result: Path) -> dict[str, Any]:
    empty = {"picture": "synthetic, 600 x 450, JPEG", "peers": {}}
    kept: dict[str, Any] = json.loads(result.read_text()) if result.exists() else empty
    return kept


if __name__ == "__main__":
    sys.exit(main())
