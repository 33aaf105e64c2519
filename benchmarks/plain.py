"""An upload by the shortest code that does the same work: a floor for the gateway's own.

One function on the same server takes a picture in, checks it and writes it anew, asks inference,
keeps the three files, writes the record and its audit row in one transaction, and answers. What any
code has to do to a picture the gateway's own does; the tables, and their indexes, are the gateway's
too. Left out is what makes it a gateway: routes, sign-ins, quotas, events, limits, metrics, logs.

    python -m benchmarks.plain       serves where, and with what, a gateway would
"""

import asyncio
import contextlib
import json
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import uvicorn
from grpc import aio
from starlette.types import Receive, Scope, Send

from services import picture, rpc
from services.gateway.analyses.analyze import answered, pictured
from services.gateway.audit.chain import GENESIS, Keys, moment
from services.gateway.boot import open_database, picture_store
from services.gateway.clients import Inference
from services.gateway.deadlines import Deadline
from services.gateway.records import DEFAULT_ORGANISATION, new_id, now
from services.gateway.serving import loop_factory
from services.gateway.settings import Settings
from services.gateway.threads import Threads
from services.gateway.uploads import rewrite
from services.gateway.uploads.declared import see_that_it_is
from tests.ports import free_port

_TRIES = 8
"""To reach it while it starts, each after twice the wait of the one before: a minute in all."""

_OURS = {"organisation_id": DEFAULT_ORGANISATION, "owner_id": new_id()}
_KEYS = Keys(None, {})
_OPTIONS = (("grpc.max_receive_message_length", rpc.MAX_MESSAGE_BYTES),)

Row = dict[str, Any]


@contextlib.contextmanager
def running(environment: Mapping[str, str]) -> Iterator[tuple[httpx.Client, int]]:
    """Serve beside a gateway; yield who asks, and the number of the process.

    Args:
        environment: of the gateway.

    """
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        own = {"DERMSERVE_DATA_DIR": folder, "DERMSERVE_GATEWAY_PORT": str(port)}
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.plain"], env={**environment, **own}
        )
        try:
            patient = httpx.HTTPTransport(retries=_TRIES)
            address = f"http://127.0.0.1:{port}"
            with httpx.Client(base_url=address, transport=patient, timeout=60) as client:
                yield client, process.pid
        finally:
            process.terminate()
            process.wait()


def main() -> None:
    """Serve until told to stop."""
    picture.return_memory()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve(Settings()))


async def _serve(settings: Settings) -> None:
    # Opening it brings it to the current schema.
    async with open_database(settings):
        pass
    with contextlib.closing(Book(str(settings.sqlite_file))) as book:
        async with aio.insecure_channel(settings.inference_address, _OPTIONS) as channel:
            app = Upload(settings, Inference(channel), book)
            config = uvicorn.Config(
                app, port=settings.port, http="httptools", lifespan="off", log_config=None
            )
            await uvicorn.Server(config).serve()


class Book:
    """A record and its audit row a picture, in one transaction; in one thread at a time."""

    def __init__(self, path: str) -> None:
        """Open an empty database, and give it the user whose all pictures are."""
        self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._file.execute("PRAGMA foreign_keys = ON")
        self._file.execute("PRAGMA synchronous = NORMAL")
        user = {"id": _OURS["owner_id"], "organisation_id": DEFAULT_ORGANISATION}
        made = {"username": "plain", "password_hash": "", "role": "", "disabled": False}
        self._insert("users", user | made | {"created_at": moment(now())})
        self._sequence, self._hash = 0, GENESIS
        head = {"sequence": 0, "hash": GENESIS, "seal": ""}
        self._insert("audit_heads", {"organisation_id": DEFAULT_ORGANISATION} | head)

    def write(self, record: Row) -> None:
        """Write a record, and who made it when."""
        row = {
            "organisation_id": DEFAULT_ORGANISATION,
            "sequence": self._sequence + 1,
            "at": moment(now()),
            "user_id": record["owner_id"],
            "action": "analyses.create",
            "operation": "analyze",
            "subject": "analysis",
            "subject_ids": record["id"],
            "outcome": "done",
            "status": 201,
            "previous": self._hash,
        }
        row["hash"] = _KEYS.digest(None, row)
        self._file.execute("BEGIN IMMEDIATE")
        self._insert("analyses", record | {"findings": json.dumps(record["findings"])})
        self._insert("audit", row)
        head = {name: row[name] for name in ("sequence", "hash")}
        head["seal"] = _KEYS.digest(None, head)
        self._file.execute(
            "UPDATE audit_heads SET sequence = :sequence, hash = :hash, seal = :seal", head
        )
        self._file.execute("COMMIT")
        self._sequence, self._hash = row["sequence"], row["hash"]

    def close(self) -> None:
        """Close the database."""
        self._file.close()

    def _insert(self, table: str, row: Row) -> None:
        names, values = ", ".join(row), ", ".join(f":{name}" for name in row)
        self._file.execute(f"INSERT INTO {table} ({names}) VALUES ({values})", row)  # noqa: S608 - names of ours


class Upload:
    """The application: a picture in, its analysis out."""

    def __init__(self, settings: Settings, inference: Inference, book: Book) -> None:
        """Build with what a gateway of such settings takes and waits."""
        self._bounds = (settings.max_upload_bytes, settings.max_pixels, settings.max_side)
        self._timeout_s = settings.analysis_timeout_s
        self._store = picture_store(settings)
        self._inference = inference
        self._book = book
        self._rewriting, self._writing = Threads(), Threads(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a picture in, whatever the path is."""
        del scope
        shown = json.dumps(await self._analyzed(await _body(receive))).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(shown)).encode()),
        ]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": shown})

    async def _analyzed(self, sent: bytes) -> Row:
        see_that_it_is(sent, "image/jpeg")
        written = await self._rewriting.run(rewrite, sent, *self._bounds)
        async with self._store.stage(DEFAULT_ORGANISATION) as stage:
            stage.begin(written.sha256, written.encoded)
            deadline = Deadline.after(self._timeout_s)
            answer = await self._inference.analyze(written.encoded, deadline)
            record = {
                "id": new_id(),
                "created_at": moment(now()),
                **_OURS,
                **pictured(written),
                **answered(answer),
                "mask_sha256": stage.add(answer.mask_png),
                "explanation_sha256": stage.add(answer.explanation_png),
                "kept_bytes": stage.size,
            }
            await stage.publish()
        await self._writing.run(self._book.write, record)
        return record


async def _body(receive: Receive) -> bytes:
    chunks, more = [], True
    while more:
        message = await receive()
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(chunks)


if __name__ == "__main__":
    main()
