"""BentoML: adaptive batching as its README shows it; tuned: none of it, a thread a core.

A worker a core would do as well, but each would bound its own share of the callers, and they
are not shared out evenly.
"""

from pathlib import Path

import bentoml

from benchmarks.peers.serving.work import CORES, PATIENCE_S, QUEUE, TUNED, Analyst, Answer

if TUNED:

    @bentoml.service(
        workers=1,
        threads=CORES,
        traffic={"timeout": PATIENCE_S, "max_concurrency": QUEUE},
        logging={"access": {"enabled": False}},
        metrics={"enabled": False},
    )
    class Service:
        """One picture a call."""

        def __init__(self) -> None:
            """Load the models."""
            self.analyst = Analyst.of_onnx()

        @bentoml.api
        def analyze(self, image: bytes, /) -> Answer:
            """Analyze one picture."""
            return self.analyst.analyze(image)

else:

    @bentoml.service
    class Service:  # type: ignore[no-redef] # the other setup
        """Batches formed by the server."""

        def __init__(self) -> None:
            """Load the models."""
            self.analyst = Analyst.of_onnx()

        @bentoml.api(batchable=True)
        def analyze(self, images: list[Path]) -> list[Answer]:
            """Analyze a batch of uploaded files."""
            return self.analyst.analyze_all([image.read_bytes() for image in images])
