"""FastAPI: as most tutorials serve a model, and with all that can be done by hand.

Tuned: raw bodies, one process (a second one gained nothing and spreads connections unevenly),
as many threads as cores with a session that takes one, a bounded door, no access log.
"""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import uvicorn
from fastapi import FastAPI, Request, Response, UploadFile

from benchmarks.peers.serving.bounded import Bounded
from benchmarks.peers.serving.work import CORES, PORT, QUEUE, TUNED, Analyst, Answer

JSON = "application/json"

app = FastAPI()
analyst = Analyst.of_onnx()

if TUNED:
    app.add_middleware(Bounded, limit=QUEUE)
    threads = ThreadPoolExecutor(CORES)

    @app.post("/analyze")
    async def analyze_body(request: Request) -> Response:
        """Answer one picture, the body of the request."""
        body = await request.body()
        loop = asyncio.get_running_loop()
        return Response(await loop.run_in_executor(threads, answered, body), media_type=JSON)

    def answered(body: bytes) -> bytes:
        """Return the answer as it goes out."""
        return json.dumps(analyst.analyze(body)).encode()

else:

    @app.post("/analyze")
    async def analyze_upload(image: UploadFile) -> Answer:
        """Answer one uploaded picture."""
        return analyst.analyze(await image.read())


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=PORT, access_log=not TUNED)
