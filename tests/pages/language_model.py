"""An endpoint of a language model that tells findings as the template does."""

import contextlib
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from services.gateway.narrative import WORDINGS, Facts, fill

MODEL = "a-model-of-tests"
BEGINS = "A model tells the findings."


@contextlib.contextmanager
def writing() -> Iterator[dict[str, str]]:
    """Run the endpoint; yields the settings of a gateway that asks it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Chat)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield {
            "DERMSERVE_GATEWAY_NARRATIVE_URL": f"http://127.0.0.1:{server.server_port}/v1",
            "DERMSERVE_GATEWAY_NARRATIVE_MODEL": MODEL,
        }
    finally:
        server.shutdown()
        server.server_close()


class _Chat(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        facts = Facts.model_validate_json(asked["messages"][1]["content"])
        text = f"{BEGINS} {fill(facts, WORDINGS['en'])}"
        said = json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]})
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""
