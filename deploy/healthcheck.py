"""Ask the service of this container whether it is well: ``python healthcheck.py inference``.

Exits 0 when it is, and 1 with a reason on stderr when it is not. The gateway is asked whether
it lives; the others answer the standard gRPC health check, which turns false as soon as they
drain; after ``liveness`` as a second word they are asked by that name, as a probe for restarts
would. Only loopback is asked, never a proxy. Where the services know each other by certificates,
this shows the container's own, and wants to see it with the name ``localhost``.
"""

import http.client
import os
import sys
from http import HTTPStatus
from pathlib import Path

TIMEOUT_S = 3


def main() -> int:
    """Ask the service that the first argument names, on the port that its setting names."""
    service, *name = sys.argv[1:]
    port = int(os.environ[f"DERMSERVE_{service.upper()}_PORT"])
    try:
        well = _lives(port) if service == "gateway" else _serves(port, *name)
    except OSError as error:
        sys.stderr.write(f"{service} does not answer: {error}\n")
        return 1
    if not well:
        sys.stderr.write(f"{service} answers that it cannot work\n")
    return 0 if well else 1


def _lives(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    connection.request("GET", "/livez")
    return connection.getresponse().status == HTTPStatus.OK


def _serves(port: int, name: str = "") -> bool:
    import grpc  # noqa: PLC0415 - the gateway's check does without
    from grpc_health.v1 import health_pb2, health_pb2_grpc  # noqa: PLC0415

    # A proxy in the environment is meant for the internet, not for this container.
    options: list[tuple[str, int | str]] = [("grpc.enable_http_proxy", 0)]
    address = f"127.0.0.1:{port}"
    files = [
        os.environ.get(f"DERMSERVE_RPC_{each}") for each in ("AUTHORITY", "KEY", "CERTIFICATE")
    ]
    if all(files):
        credentials = grpc.ssl_channel_credentials(
            *(Path(file or "").read_bytes() for file in files)
        )
        options.append(("grpc.ssl_target_name_override", "localhost"))
        asking = grpc.secure_channel(address, credentials, options=options)
    else:
        asking = grpc.insecure_channel(address, options=options)
    with asking as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(service=name), timeout=TIMEOUT_S
            )
        except grpc.RpcError as error:
            raise ConnectionError(str(error.code())) from error
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


if __name__ == "__main__":
    sys.exit(main())
