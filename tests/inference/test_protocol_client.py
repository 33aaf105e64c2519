"""The client that the protocol's own working group generated from its specification.

It runs in a process of its own: it registers the protocol's messages under their own names, as
the service does, and one Python process can hold them only once.
"""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from tests import tiny_models
from tests.inference.processes import replica

SIZE = tiny_models.SIZE


def test_the_protocols_own_client_gets_what_the_file_answers(tmp_path: Path) -> None:
    model_dir = tiny_models.write_models(tmp_path)
    row = np.random.default_rng(1).integers(0, 256, (1, SIZE, SIZE, 3), dtype=np.uint8)
    spawning = multiprocessing.get_context("spawn")
    with replica(model_dir) as service, ProcessPoolExecutor(1, spawning) as pool:
        said = pool.submit(ask, service.address, row.ravel().tolist()).result(timeout=120)
    assert said["live"]
    assert said["ready"]
    assert said["model ready"]
    assert said["server"] == "dermserve"
    assert said["shape"] == [-1, SIZE, SIZE, 3]
    assert said["id"] == "seven"
    session = ort.InferenceSession(model_dir / "classifier" / "1" / "model.onnx")
    (expected,) = session.run(["probabilities"], {"image": row})
    assert said["probabilities"] == expected.tobytes()


def ask(address: str, elements: list[int]) -> dict[str, Any]:
    """Call every method of the specification; elements are sent typed."""
    import grpc  # noqa: PLC0415 - only in the client's own process
    import open_inference.grpc.protocol as pb  # noqa: PLC0415
    from open_inference.grpc.service import GRPCInferenceServiceStub  # noqa: PLC0415

    with grpc.insecure_channel(address) as channel:
        stub = GRPCInferenceServiceStub(channel)
        live = stub.ServerLive(pb.ServerLiveRequest(), wait_for_ready=True, timeout=60)
        metadata = stub.ModelMetadata(pb.ModelMetadataRequest(name="classifier"))
        request = pb.ModelInferRequest(model_name="classifier", id="seven")
        sent = request.inputs.add(name="image", datatype="UINT8", shape=[1, SIZE, SIZE, 3])
        sent.contents.uint_contents.extend(elements)
        request.outputs.add(name="probabilities")
        answer = stub.ModelInfer(request)
        return {
            "live": live.live,
            "ready": stub.ServerReady(pb.ServerReadyRequest()).ready,
            "model ready": stub.ModelReady(pb.ModelReadyRequest(name="classifier")).ready,
            "server": stub.ServerMetadata(pb.ServerMetadataRequest()).name,
            "shape": list(metadata.inputs[0].shape),
            "id": answer.id,
            "probabilities": answer.raw_output_contents[0],
        }
