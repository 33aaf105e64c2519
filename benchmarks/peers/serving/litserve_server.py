"""LitServe: the quick start; tuned: a worker a core, its faster queue, a deadline, a door."""

import base64

import litserve as ls

from benchmarks.peers.serving.bounded import Bounded
from benchmarks.peers.serving.work import CORES, PATIENCE_S, PORT, QUEUE, TUNED, Analyst, Answer


class Api(ls.LitAPI):
    """Pictures come as base64 in JSON, as in LitServe's own examples."""

    def setup(self, device: str) -> None:
        """Load the models, once in every worker."""
        del device
        self.analyst = Analyst.of_onnx()

    def decode_request(self, request: dict[str, str]) -> bytes:
        """Return the picture's bytes."""
        return base64.b64decode(request["image"])

    def predict(self, x: bytes) -> Answer:
        """Analyze one picture."""
        return self.analyst.analyze(x)


def main() -> None:
    """Serve."""
    if TUNED:
        server = ls.LitServer(
            Api(max_batch_size=1),
            accelerator="cpu",
            workers_per_device=CORES,
            fast_queue=True,
            timeout=PATIENCE_S,
            middlewares=[(Bounded, {"limit": QUEUE})],
        )
        server.run(
            host="127.0.0.1",
            port=PORT,
            num_api_servers=1,
            generate_client_file=False,
            log_level="warning",
            access_log=False,
        )
    else:
        server = ls.LitServer(Api(max_batch_size=1), accelerator="auto")
        server.run(host="127.0.0.1", port=PORT, generate_client_file=False)


if __name__ == "__main__":
    main()
