"""How far the services are from the least that a picture can cost.

The floor is a bare loop: the same decoding, the same two ONNX sessions with one thread each,
no server. Beside it, in turns in the same run, the same picture goes through gRPC and through
REST (sign-in checked, upload re-encoded, result stored and recorded).

    python -m benchmarks.floor          writes benchmarks/results/floor.json and the tables
"""

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
import httpx
import psutil

from benchmarks import machine, tables
from services import rpc
from services.inference import imaging, repository
from services.inference.onnx_model import OnnxModel
from services.inference.settings import Settings, available_cores
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc
from tests import specimens, stack
from tests.ports import free_port

RESULT = Path(__file__).parent / "results" / "floor.json"

Road = Callable[[bytes], object]

_FORM = (
    b"--floor\r\n"
    b'Content-Disposition: form-data; name="image"; filename="lesion.jpg"\r\n'
    b"Content-Type: image/jpeg\r\n\r\n%b\r\n--floor--\r\n"
)

# Asks again every 50 ms, so that what is measured is the service and not the back-off.
_IMPATIENT = [
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 50),
]


def main() -> None:
    """Measure, write the result, render the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=12, help="turns of each road")
    parser.add_argument("--pictures", type=int, default=15, help="pictures a turn")
    arguments = parser.parse_args()
    pictures = [specimens.lesion_jpeg(seed=seed) for seed in range(arguments.pictures)]
    result = {"machine": machine.described(), **measured(pictures, arguments.rounds)}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    tables.render()
    print(json.dumps(result, indent=1))


def measured(pictures: list[bytes], rounds: int) -> dict[str, Any]:
    """Send pictures down every road, turn by turn.

    Returns:
        Latency at concurrency 1 and throughput at twice the cores, for each road and as ratios
        to the bare loop, and what the processes hold in memory afterwards.

    """
    with stack.running() as services, httpx.Client(base_url=services.rest) as client:
        roads = {
            "bare loop": _bare(),
            "gRPC": _grpc(services.inference),
            "REST": _rest(services.rest, stack.signed_in(client)),
        }
        for road in roads.values():
            for picture in pictures:
                road(picture)
        latency: dict[str, list[float]] = {name: [] for name in roads}
        rates: dict[str, list[float]] = {name: [] for name in roads}
        for _ in range(rounds):
            for name, road in roads.items():
                latency[name] += [_timed(road, picture) for picture in pictures]
            for name, road in roads.items():
                workers = available_cores() * (1 if name == "bare loop" else 2)
                rates[name].append(_saturated(road, pictures, workers))
        memory = {name: _resident_mb(p.pid) for name, p in services.processes.items()}
    return {
        "picture": "synthetic, 600 x 450, JPEG",
        "pictures_a_road": rounds * len(pictures),
        "roads": _summary(latency, rates),
        "resident_mb": memory,
        "inference_ready_s": _ready_after_s(),
    }


def _summary(
    latency: dict[str, list[float]], rates: dict[str, list[float]]
) -> dict[str, dict[str, float]]:
    floor_ms = statistics.median(latency["bare loop"]) * 1000
    floor_rate = statistics.median(rates["bare loop"])
    return {
        name: {
            "p50_ms": round(statistics.median(seconds) * 1000, 2),
            "p95_ms": round(statistics.quantiles(seconds, n=20)[-1] * 1000, 2),
            "p50_to_floor": round(statistics.median(seconds) * 1000 / floor_ms, 2),
            "pictures_a_second": round(statistics.median(rates[name]), 1),
            "throughput_to_floor": round(statistics.median(rates[name]) / floor_rate, 2),
        }
        for name, seconds in latency.items()
    }


def _bare() -> Road:
    model_dir = Settings().model_dir
    models = [
        OnnxModel.load(repository.latest(model_dir, name), name, provider="cpu")
        for name in ("segmenter", "classifier")
    ]
    sizes = frozenset(model.input_size for model in models)

    def road(picture: bytes) -> object:
        view = imaging.view(picture, sizes)
        return [model.run([view.tensors[model.input_size]]) for model in models]

    return road


def _grpc(address: str) -> Road:
    channel = grpc.insecure_channel(
        address, options=[("grpc.max_receive_message_length", rpc.MAX_MESSAGE_BYTES)]
    )
    stub = inference_pb2_grpc.InferenceServiceStub(channel)
    return lambda picture: stub.Analyze(pb.AnalyzeRequest(image=picture), timeout=60)


def _rest(address: str, token: str) -> Road:
    # The plainest client there is: what is measured is the service.
    connections = threading.local()
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "multipart/form-data; boundary=floor",
    }

    def road(picture: bytes) -> object:
        if not hasattr(connections, "own"):
            connections.own = http.client.HTTPConnection(urlsplit(address).netloc)
        connections.own.request("POST", "/v1/analyses", _FORM % picture, headers)
        response = connections.own.getresponse()
        answer = response.read()
        if response.status != HTTPStatus.CREATED:
            message = f"the gateway answered {response.status}: {answer.decode()}"
            raise RuntimeError(message)
        return answer

    return road


def _timed(road: Road, picture: bytes) -> float:
    began = time.perf_counter()
    road(picture)
    return time.perf_counter() - began


def _saturated(road: Road, pictures: list[bytes], workers: int) -> float:
    """Return pictures a second with as many callers as keep every core busy."""
    with ThreadPoolExecutor(workers) as callers:
        began = time.perf_counter()
        list(callers.map(road, pictures))
        return len(pictures) / (time.perf_counter() - began)


def _ready_after_s() -> float:
    """Return seconds from starting the inference service to its being ready."""
    port = free_port()
    variables = {"PORT": str(port), "METRICS_PORT": str(free_port())}
    environment = {f"DERMSERVE_INFERENCE_{name}": value for name, value in variables.items()}
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "services.inference"], env={**os.environ, **environment}
    )
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=_IMPATIENT) as channel:
            inference_pb2_grpc.InferenceServiceStub(channel).ListModels(
                pb.ListModelsRequest(), timeout=60, wait_for_ready=True
            )
        return round(time.perf_counter() - began, 2)
    finally:
        process.terminate()
        process.wait()


def _resident_mb(pid: int) -> int:
    return round(psutil.Process(pid).memory_info().rss / 2**20)


if __name__ == "__main__":
    main()
