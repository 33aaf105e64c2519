"""An S3 server on this machine, over real HTTP."""

import contextlib
import logging
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from services.gateway.store import Address

_QUIET = logging.getLogger("werkzeug")


@dataclass(frozen=True)
class Server:
    """Where it answers."""

    url: str
    stop: Callable[[], None]
    too_many: Counter[str] = field(default_factory=Counter)

    def bucket(self, name: str, **changes: Any) -> Address:
        """A new and empty bucket."""
        httpx.put(f"{self.url}/{name}", timeout=60).raise_for_status()
        address = Address(
            name,
            endpoint=self.url,
            allow_http=True,
            access_key_id="somebody",
            secret_access_key="their secret",
        )
        return replace(address, **changes)

    def names(self, bucket: str) -> list[str]:
        """The keys of all objects in a bucket."""
        client = self._client()
        found = client.list_objects_v2(Bucket=bucket).get("Contents", [])
        return [each["Key"] for each in found]

    def head(self, bucket: str, key: str) -> dict[str, Any]:
        """What the server says of an object."""
        said: dict[str, Any] = self._client().head_object(Bucket=bucket, Key=key)
        return said

    def put(self, bucket: str, key: str, content: bytes) -> None:
        """Put an object there, past the gateway."""
        self._client().put_object(Bucket=bucket, Key=key, Body=content)

    def archive(self, bucket: str, key: str) -> None:
        """Move an object to where the server lists it and refuses to give it (403)."""
        source = {"Bucket": bucket, "Key": key}
        self._client().copy_object(**source, CopySource=source, StorageClass="GLACIER")

    def restore(self, bucket: str, key: str) -> None:
        """Let the server give such an object again."""
        self._client().restore_object(Bucket=bucket, Key=key, RestoreRequest={"Days": 1})

    def throttle(self, name: str, requests: int) -> None:
        """Answer so many requests for an object with 503 (SlowDown), whatever others get."""
        self.too_many[name] = requests

    def _client(self) -> Any:
        import boto3  # noqa: PLC0415 - takes half a second, which few tests need

        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="somebody",
            aws_secret_access_key="their secret",
        )


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    """Run an S3 server on a free port."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from moto.server import ThreadedMotoServer  # noqa: PLC0415 - the same
    _QUIET.setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        serving_it: Any = server._server
        started = Server(f"http://{host}:{port}", server.stop)
        serving_it.app = _throttling(serving_it.app, started.too_many)
        yield started
    finally:
        server.stop()


def _throttling(app: Any, too_many: Counter[str]) -> Callable[..., Iterable[bytes]]:
    """Let a server say of some objects that there are too many requests."""

    def answer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        name = environ["PATH_INFO"].rpartition("/")[2]
        if environ["REQUEST_METHOD"] != "GET" or too_many[name] <= 0:
            answered: Iterable[bytes] = app(environ, start)
            return answered
        too_many[name] -= 1
        start("503 Slow Down", [("Content-Type", "application/xml")])
        return [b"<Error><Code>SlowDown</Code></Error>"]

    return answer
