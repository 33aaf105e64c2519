"""Unmodified perf_analyzer against the real service, for a moment."""

from collections.abc import Iterator

import grpc
import pytest

from benchmarks import perf_analyzer
from services.pb import open_inference_pb2 as pb
from services.pb import open_inference_pb2_grpc
from tests import tiny_models
from tests.inference.processes import replica


@pytest.fixture(scope="module")
def command() -> list[str]:
    try:
        return perf_analyzer.command()
    except perf_analyzer.UnavailableError as error:
        pytest.skip(f"perf_analyzer is not to be had: {error}")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with replica(tiny_models.write_models(tmp_path_factory.mktemp("models"))) as service:
        yield service.address


@pytest.mark.parametrize(
    ("model", "options"),
    [("classifier", ()), ("segmenter", ("-b", "4")), ("classifier", ("--streaming",))],
    ids=["one row", "four rows", "stream"],
)
def test_perf_analyzer_measures_a_model_as_it_does_with_triton(
    command: list[str], address: str, model: str, options: tuple[str, ...]
) -> None:
    with grpc.insecure_channel(address) as channel:
        stub = open_inference_pb2_grpc.GRPCInferenceServiceStub(channel)
        stub.ServerReady(pb.ServerReadyRequest(), wait_for_ready=True, timeout=180)
        found = perf_analyzer.measured(
            command, address, model, 2, "--request-count", "40", *options
        )
        said = stub.ModelStatistics(pb.ModelStatisticsRequest(name=model), timeout=60)
    assert found.rows_a_second > 0
    assert 0 < found.run_ms < found.p99_ms
    requests = said.model_stats[0].inference_stats
    assert requests.success.count >= 40
    assert requests.fail.count == 0
