"""Ray Serve: the quick start; tuned: a replica a core, bounded, with its fastest routing."""

import threading

import ray
from ray import serve
from ray.serve.config import HTTPOptions
from starlette.requests import Request

from benchmarks.peers.serving.work import CORES, PATIENCE_S, PORT, QUEUE, TUNED, Analyst, Answer


class Analyzer:
    """One replica."""

    def __init__(self) -> None:
        """Load the models, once in every replica."""
        self.analyst = Analyst.of_onnx()

    async def __call__(self, request: Request) -> Answer:
        """Analyze one picture, the body of the request."""
        return self.analyst.analyze(await request.body())


def main() -> None:
    """Serve until killed."""
    if TUNED:
        ray.init(include_dashboard=False, log_to_driver=False)
        http = HTTPOptions(host="127.0.0.1", port=PORT, request_timeout_s=PATIENCE_S)
        deployment = serve.deployment(
            num_replicas=CORES,
            max_ongoing_requests=2,
            max_queued_requests=QUEUE - 2 * CORES,
            ray_actor_options={"num_cpus": 1},
            logging_config={"enable_access_log": False},
        )(Analyzer)
    else:
        http = HTTPOptions(host="127.0.0.1", port=PORT)
        deployment = serve.deployment(Analyzer)
    serve.start(http_options=http)
    serve.run(deployment.bind())
    threading.Event().wait()


if __name__ == "__main__":
    main()
