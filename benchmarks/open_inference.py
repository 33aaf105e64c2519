"""The Open Inference Protocol under a load generator that is not ours: NVIDIA's perf_analyzer.

The real service with the shipped models is asked by unmodified perf_analyzer, one row a request,
at several concurrencies. Beside it, before and after each measurement in the same run, stands a
bare loop: the same ONNX session in as many threads as cores, no server.

    python -m benchmarks.open_inference     writes benchmarks/results/open_inference.json and the
                                            tables
"""

import argparse
import dataclasses
import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from benchmarks import machine, perf_analyzer, tables
from services.inference import repository
from services.inference.onnx_model import OnnxModel
from services.inference.settings import Settings, available_cores
from services.pb import open_inference_pb2 as pb
from services.pb import open_inference_pb2_grpc
from tests.inference.processes import replica

RESULT = Path(__file__).parent / "results" / "open_inference.json"

_BARE_S = 1.5
"""How long the bare loop runs each time."""

_READY_WITHIN_S = 60


def main() -> None:
    """Measure, write the result, render the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--concurrencies", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--window-ms", type=int, default=2000, help="of perf_analyzer; three each")
    arguments = parser.parse_args()
    found = measured(arguments.concurrencies, arguments.window_ms)
    described = machine.described(machine.served())
    result = {"machine": described, "perf_analyzer": perf_analyzer.VERSION, **found}
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    tables.render()
    print(json.dumps(result, indent=1))


def measured(concurrencies: list[int], window_ms: int) -> dict[str, Any]:
    """Ask both models at every concurrency, with the bare loop before and after."""
    command = perf_analyzer.command()
    settings = Settings()
    # Three windows count when they agree within so many percent; a shared machine needs room.
    windows = ("--measurement-interval", str(window_ms), "--stability-percentage", "25")
    rows = []
    # As the bare loop runs them.
    as_published = {
        "DERMSERVE_INFERENCE_EXECUTION_PROVIDER": "cpu",
        "DERMSERVE_INFERENCE_PRECISION": "fp32",
    }
    with replica(settings.model_dir, DERMSERVE_LOG_LEVEL="WARNING", **as_published) as service:
        _wait_until_ready(service.address)
        for name in ("segmenter", "classifier"):
            folder = repository.latest(settings.model_dir, name)
            model = OnnxModel.load(folder, name)
            for concurrency in concurrencies:
                threads = min(concurrency, available_cores())
                before = _bare(model, threads)
                found = perf_analyzer.measured(
                    command, service.address, name, concurrency, *windows
                )
                bare = [*before, *_bare(model, threads)]
                rows.append(_row(name, concurrency, found, bare, threads))
    return {"rows": rows}


def _row(
    model: str,
    concurrency: int,
    found: perf_analyzer.Measurement,
    bare_s: list[float],
    threads: int,
) -> dict[str, Any]:
    bare_rate = threads / statistics.mean(bare_s)
    bare_ms = statistics.median(bare_s) * 1000
    figures = {key: round(value, 2) for key, value in dataclasses.asdict(found).items()}
    return {
        "model": model,
        "concurrency": concurrency,
        **figures,
        "bare_rows_a_second": round(bare_rate, 1),
        "throughput_to_bare": round(found.rows_a_second / bare_rate, 2),
        "p50_to_bare": round(found.p50_ms / bare_ms, 2) if concurrency <= threads else None,
    }


def _bare(model: OnnxModel, threads: int) -> list[float]:
    """Run rows in so many threads for a while and return the seconds of each."""
    size = model.input_size
    row = np.random.default_rng(1).integers(0, 256, (size, size, 3), dtype=np.uint8)
    until = time.perf_counter() + _BARE_S

    def loop(_: int) -> list[float]:
        seconds = []
        while (began := time.perf_counter()) < until:
            model.run([row])
            seconds.append(time.perf_counter() - began)
        return seconds

    with ThreadPoolExecutor(threads) as pool:
        return [seconds for found in pool.map(loop, range(threads)) for seconds in found]


def _wait_until_ready(address: str) -> None:
    with grpc.insecure_channel(address) as channel:
        stub = open_inference_pb2_grpc.GRPCInferenceServiceStub(channel)
        stub.ServerReady(pb.ServerReadyRequest(), wait_for_ready=True, timeout=_READY_WITHIN_S)


if __name__ == "__main__":
    main()
