"""Ways for a picture to a running service and back: the plainest clients there are."""

import http.client
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from http import HTTPStatus
from urllib.parse import urlsplit

import grpc

from benchmarks.loops import Road
from services import rpc
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc

TIMEOUT_S = 60

_IDLE_S = 2
"""A connection that idled longer is opened anew: the gateway closes idle ones after a while."""

_FORM = (
    b"--road\r\n"
    b'Content-Disposition: form-data; name="image"; filename="lesion.jpg"\r\n'
    b"Content-Type: image/jpeg\r\n\r\n%b\r\n--road--\r\n"
)


@contextmanager
def inference(address: str) -> Iterator[inference_pb2_grpc.InferenceServiceStub]:
    """Open a channel to the typed service."""
    options = [("grpc.max_receive_message_length", rpc.MAX_MESSAGE_BYTES)]
    with grpc.insecure_channel(address, options=options) as channel:
        yield inference_pb2_grpc.InferenceServiceStub(channel)


def over_grpc(
    stub: inference_pb2_grpc.InferenceServiceStub, options: pb.AnalyzeOptions | None = None
) -> Road:
    """Return the way through the typed gRPC service.

    Args:
        stub: of the service.
        options: what to leave out of the answers; None for nothing.

    """
    return lambda picture: stub.Analyze(
        pb.AnalyzeRequest(image=picture, options=options), timeout=TIMEOUT_S
    )


def ran_on(answer: object) -> list[str]:
    """Return what ran each model, as an answer over gRPC or of a loop says."""
    if isinstance(answer, bytes):
        answer = pb.AnalyzeResponse.FromString(answer)
    assert isinstance(answer, pb.AnalyzeResponse)
    return [f"{m.name} {m.execution_provider} {m.precision}" for m in answer.models]


@contextmanager
def gateway(address: str, token: str) -> Iterator[Road]:
    """Open the way through the gateway: signed in, stored and recorded.

    Raises:
        RuntimeError: on the way, when an analysis was not recorded.

    """
    host = urlsplit(address).netloc
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "multipart/form-data; boundary=road",
    }
    with _Connections(host) as connections:

        def road(picture: bytes) -> object:
            with connections.one() as connection:
                connection.request("POST", "/v1/analyses", _FORM % picture, headers)
                response = connection.getresponse()
                answer = response.read()
            if response.status != HTTPStatus.CREATED:
                message = f"the gateway answered {response.status}: {answer.decode()}"
                raise RuntimeError(message)
            return answer

        yield road


class _Connections(AbstractContextManager["_Connections"]):
    """Connections that wait for their next request, the last used first."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._idle: list[tuple[float, http.client.HTTPConnection]] = []

    @contextmanager
    def one(self) -> Iterator[http.client.HTTPConnection]:
        connection = self._take()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self._idle.append((time.monotonic(), connection))

    def _take(self) -> http.client.HTTPConnection:
        while True:
            try:
                used, connection = self._idle.pop()
            except IndexError:
                return http.client.HTTPConnection(self._host, timeout=TIMEOUT_S)
            if time.monotonic() - used < _IDLE_S:
                return connection
            connection.close()

    def __exit__(self, *_: object) -> None:
        for _used, connection in self._idle:
            connection.close()
