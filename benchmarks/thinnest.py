"""The bare loop behind a minimal server: what gRPC in Python takes by itself.

One function takes a picture off the wire, does what the bare loop does (see ``loops``), and answers
with an empty message. Left out is what makes it a service: batches, deadlines, quality, outline,
drawings, answers, metrics, logs, health.

    python -m benchmarks.thinnest PORT      serves there until told to stop
"""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc

from benchmarks import loops, roads
from benchmarks.loops import Road
from services.inference.settings import Settings, available_cores
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc
from tests import specimens
from tests.ports import free_port

_PATIENCE_S = 120
_SERVICE = pb.DESCRIPTOR.services_by_name["InferenceService"].full_name
_NOTHING = pb.AnalyzeResponse()


@contextlib.contextmanager
def running() -> Iterator[tuple[inference_pb2_grpc.InferenceServiceStub, int]]:
    """Serve in a process of its own; yield who asks it, and the number of the process."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.thinnest", str(port)])
    first = pb.AnalyzeRequest(image=specimens.lesion_jpeg())
    try:
        with roads.inference(f"127.0.0.1:{port}") as stub:
            stub.Analyze(first, timeout=_PATIENCE_S, wait_for_ready=True)
            yield stub, process.pid
    finally:
        process.terminate()
        process.wait()


def main(port: str) -> None:
    """Serve with as many threads as cores, as the loops have."""
    alike = Settings(execution_provider="cpu", precision="fp32", runners=available_cores())
    with loops.models(alike) as models, ThreadPoolExecutor(available_cores()) as threads:
        server = grpc.server(threads, handlers=[_handler(loops.bare(*models))])
        server.add_insecure_port(f"127.0.0.1:{port}")
        server.start()
        server.wait_for_termination()


def _handler(road: Road) -> grpc.GenericRpcHandler:
    def analyze(request: pb.AnalyzeRequest, _: grpc.ServicerContext) -> pb.AnalyzeResponse:
        road(request.image)
        return _NOTHING

    method = grpc.unary_unary_rpc_method_handler(
        analyze, pb.AnalyzeRequest.FromString, pb.AnalyzeResponse.SerializeToString
    )
    return grpc.method_handlers_generic_handler(_SERVICE, {"Analyze": method})


if __name__ == "__main__":
    main(sys.argv[1])
