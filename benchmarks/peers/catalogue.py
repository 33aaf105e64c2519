"""The peers, how each is started, and how it is asked."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from benchmarks.machine import ROOT

_PYTHON = "{bin}/python"
_SERVING = "benchmarks.peers.serving"


@dataclass(frozen=True, slots=True)
class Setup:
    """One way to run a server.

    Attributes:
        wire: one of ``wires.WORDS``, or ``"grpc"``.
        command: with ``{bin}`` for the environment's programs and ``{port}``.
        variables: environment variables; ``{port}`` is filled in too.
        summary: in a few words, for the table.

    """

    wire: str
    command: tuple[str, ...]
    summary: str
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Peer:
    """A model server.

    Attributes:
        name: as its makers write it.
        requirements: the name of its file of pinned packages; None for our own environment.
        setups: by name.

    """

    name: str
    requirements: str | None
    setups: Mapping[str, Setup]


def _module(name: str) -> tuple[str, ...]:
    return (_PYTHON, "-m", f"{_SERVING}.{name}")


_MLSERVER = {
    "MLSERVER_MODEL_NAME": "analyzer",
    "MLSERVER_MODEL_IMPLEMENTATION": f"{_SERVING}.mlserver_model.Runtime",
    "MLSERVER_HOST": "127.0.0.1",
    "MLSERVER_HTTP_PORT": "{port}",
    "MLSERVER_GRPC_PORT": "0",
    "MLSERVER_METRICS_PORT": "0",
}

_BENTOML = ("{bin}/bentoml", "serve", f"{_SERVING}.bentoml_service:Service", "--port", "{port}")
_MOSEC = (*_module("mosec_server"), "--address", "127.0.0.1", "--port", "{port}")

PEERS = {
    "litserve": Peer(
        "LitServe",
        "litserve",
        {
            "default": Setup("base64", _module("litserve_server"), "quick start: one worker"),
            "tuned": Setup(
                "base64",
                _module("litserve_server"),
                "2 workers, fast queue, 2 s, our own bound of 36",
            ),
        },
    ),
    "bentoml": Peer(
        "BentoML",
        "bentoml",
        {
            "default": Setup("multipart, many", _BENTOML, "README: adaptive batching, one worker"),
            "tuned": Setup("raw", _BENTOML, "no batching, 2 threads, max_concurrency 36, 2 s"),
        },
    ),
    "mlserver": Peer(
        "MLServer",
        "mlserver",
        {
            "default": Setup(
                "v2", ("{bin}/mlserver", "start", "."), "custom runtime, one worker", _MLSERVER
            ),
            "tuned": Setup(
                "v2",
                ("{bin}/mlserver", "start", "."),
                "2 workers, no logs; has neither bound nor deadline",
                _MLSERVER
                | {
                    "MLSERVER_PARALLEL_WORKERS": "2",
                    "MLSERVER_DEBUG": "false",
                    "MLSERVER_GZIP_ENABLED": "false",
                },
            ),
        },
    ),
    "ray": Peer(
        "Ray Serve",
        "ray",
        {
            "default": Setup("raw", _module("ray_app"), "quick start: one replica"),
            "tuned": Setup(
                "raw",
                _module("ray_app"),
                "2 replicas, throughput-optimized, 36 in work, 2 s",
                {"RAY_SERVE_THROUGHPUT_OPTIMIZED": "1", "RAY_SERVE_ENABLE_DIRECT_INGRESS": "0"},
            ),
        },
    ),
    "mosec": Peer(
        "MOSEC",
        "mosec",
        {
            "default": Setup("mosec", _MOSEC, "README: batches of 4 within 10 ms, one process"),
            "tuned": Setup(
                "mosec",
                (*_MOSEC, "--capacity", "36", "--timeout", "2000", "--log-level", "warning"),
                "no batching, 2 processes, capacity 36, 2 s",
            ),
        },
    ),
    "fastapi": Peer(
        "FastAPI",
        "fastapi",
        {
            "default": Setup("multipart", _module("fastapi_app"), "naive: models in the endpoint"),
            "tuned": Setup(
                "raw", _module("fastapi_app"), "2 threads, raw bodies, our own bound of 36"
            ),
        },
    ),
    "keras": Peer(
        "Flask + Keras",
        "keras",
        {
            "default": Setup("multipart", _module("flask_app"), "Flask's server, `predict`"),
            "tuned": Setup(
                "raw",
                (
                    *("{bin}/gunicorn", "--workers", "2", "--worker-class", "gthread"),
                    *("--threads", "1", "--timeout", "120", "--keep-alive", "60"),
                    *("--bind", "127.0.0.1:{port}"),
                    f"{_SERVING}.flask_app:app",
                ),
                "gunicorn with 2 workers, traced graphs, no bound",
            ),
        },
    ),
}

DERMSERVE = Setup(
    "grpc",
    (sys.executable, "-m", "services.inference"),
    "as shipped, ONNX Runtime on the CPU",
    {
        "DERMSERVE_INFERENCE_PORT": "{port}",
        "DERMSERVE_INFERENCE_METRICS_PORT": "0",
        # The very same files for all: no variant of them.
        "DERMSERVE_INFERENCE_EXECUTION_PROVIDER": "cpu",
        "DERMSERVE_INFERENCE_PRECISION": "fp32",
        "DERMSERVE_LOG_LEVEL": "WARNING",
    },
)

COMMON = {
    "PYTHONPATH": str(ROOT),
    "PEER_PORT": "{port}",
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "BENTOML_DO_NOT_TRACK": "True",
    "RAY_AUTH_MODE": "disabled",
    "RAY_USAGE_STATS_ENABLED": "0",
}
"""What every server is told; telling their makers about its use is not part of the work."""
