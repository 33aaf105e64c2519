"""MOSEC: dynamic batching as its README shows it; tuned: none, a process a core."""

import json

from mosec import Server, Worker

from benchmarks.peers.serving.work import CORES, TUNED, Analyst, Answer


class Analyzer(Worker):
    """Bodies are the pictures themselves."""

    def __init__(self) -> None:
        """Load the models, once in every process."""
        super().__init__()
        self.analyst = Analyst.of_onnx()

    def deserialize(self, data: bytes) -> bytes:
        """Take the body as it is."""
        return data

    def serialize(self, data: Answer) -> bytes:
        """Write JSON without indentation."""
        return json.dumps(data).encode()

    def forward(self, data: bytes) -> Answer:
        """Analyze one picture."""
        return self.analyst.analyze(data)


class BatchAnalyzer(Analyzer):
    """The same for batches."""

    def forward(self, data: list[bytes]) -> list[Answer]:  # type: ignore[override] # by its own contract
        """Analyze a batch."""
        return self.analyst.analyze_all(data)


def main() -> None:
    """Serve; address, capacity and timeout stand on the command line."""
    server = Server()
    if TUNED:
        server.append_worker(Analyzer, num=CORES)
    else:
        server.append_worker(BatchAnalyzer, num=1, max_batch_size=4, max_wait_time=10)
    server.run()


if __name__ == "__main__":
    main()
