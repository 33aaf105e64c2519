"""People at work: each signs in, uploads pictures, looks at lists and overlays, fetches reports.

Meanwhile each watches the stream of events. Against running services, one minute of twenty people,
with a table at the end:

    locust -f benchmarks/locustfile.py --headless --users 20 --spawn-rate 5 --run-time 1m \
        --host http://127.0.0.1:8000

A person does one thing every four seconds, so twenty ask five times a second as long as answers
take less than that. They all come from one address: without `DERMSERVE_GATEWAY_ADDRESS_QUOTA=0` the
gateway soon refuses them to sign in. What the service turns away for load (503 with Retry-After)
stands in lines of its own, ending in "refused", and is no failure; every other answer that is not
2xx is. "heard of" counts from the answer to an upload until its event is there.
"""

import functools
import random
import time
import uuid
from http import HTTPStatus
from typing import Any

import gevent
from locust import FastHttpUser, constant_throughput, events
from locust.exception import StopUser

from benchmarks.watching import Watching
from tests import specimens

PICTURES = 16
REMEMBERED = 50
RENEW_BEFORE_S = 60


class Person(FastHttpUser):  # type: ignore[misc] # it ships no types
    """Somebody with an account, who works with their own analyses."""

    wait_time = constant_throughput(0.25)

    def on_start(self) -> None:
        """Register, sign in, and upload a first picture, so that there is one to look at."""
        self._random = random.Random()  # noqa: S311 - chooses pictures, not secrets
        self._analyses: list[str] = []
        self._access_token = ""
        self._account = {"username": f"load-{uuid.uuid4().hex}", "password": uuid.uuid4().hex}
        self._keep(self._post("/v1/auth/register", json=self._account))
        if not self._access_token:
            raise StopUser
        self._watching = Watching(self._heard, self._broke)
        self._stream = gevent.spawn(self._watching.read, self.host, self._access_token)
        self.upload()

    def on_stop(self) -> None:
        """Watch no more."""
        self._stream.kill()

    def sign_in(self) -> None:
        """Sign in once more."""
        self._keep(self._post("/v1/auth/token", data=self._account))

    def upload(self) -> None:
        """Have a picture analyzed."""
        headers = {"Content-Type": "image/jpeg"}
        picture = self._random.choice(pictures())
        analysis = self._post("/v1/analyses", data=picture, headers=headers)
        if analysis is not None:
            self._watching.answered(analysis["id"])
            self._analyses = [*self._analyses, analysis["id"]][-REMEMBERED:]

    def look_at_list(self) -> None:
        """Look at the newest analyses."""
        self._get("/v1/analyses?limit=20", "/v1/analyses")

    def look_at_one(self) -> None:
        """Look at one analysis."""
        self._get_of_one("")

    def look_at_overlay(self) -> None:
        """Look at a picture with the lesion's outline."""
        self._get_of_one("/overlay.png")

    def fetch_report(self) -> None:
        """Fetch a report."""
        self._get_of_one("/report.pdf")

    tasks = {  # noqa: RUF012 - the base class declares it so
        upload: 10,
        look_at_list: 5,
        look_at_one: 5,
        look_at_overlay: 3,
        fetch_report: 1,
        sign_in: 1,
    }

    def _heard(self, seconds: float) -> None:
        self._note(1000 * seconds, None)

    def _broke(self, why: str) -> None:
        self._note(0, RuntimeError(why))

    def _note(self, milliseconds: float, error: Exception | None) -> None:
        self.environment.events.request.fire(
            request_type="event",
            name="heard of",
            response_time=milliseconds,
            response_length=0,
            exception=error,
            context={},
        )

    def _get_of_one(self, part: str) -> None:
        if self._analyses:
            analysis = self._random.choice(self._analyses)
            self._get(f"/v1/analyses/{analysis}{part}", f"/v1/analyses/{{id}}{part}")

    def _get(self, path: str, name: str) -> None:
        self._ask("GET", path, name=name)

    def _post(self, path: str, **options: Any) -> dict[str, Any] | None:
        response = self._ask("POST", path, name=path, **options)
        answer: dict[str, Any] | None = response.json() if _succeeded(response) else None
        return answer

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        headers = {**options.pop("headers", {}), **self._proof(path)}
        with self.client.request(
            method, path, headers=headers, catch_response=True, **options
        ) as response:
            _judge(response)
        return response

    def _proof(self, path: str) -> dict[str, str]:
        """Return the header that says who asks, renewed before it is too old."""
        if path.startswith("/v1/auth/"):
            return {}
        if time.monotonic() > self._renew_at:
            self._keep(self._post("/v1/auth/refresh", json={"refresh_token": self._refresh_token}))
        return {"Authorization": f"Bearer {self._access_token}"}

    def _keep(self, tokens: dict[str, Any] | None) -> None:
        if tokens is not None:
            self._access_token = tokens["access_token"]
            self._refresh_token = tokens["refresh_token"]
            self._renew_at = time.monotonic() + tokens["expires_in"] - RENEW_BEFORE_S


@functools.cache
def pictures() -> tuple[bytes, ...]:
    """Draw the pictures that everybody uploads."""
    return tuple(specimens.lesion_jpeg(seed=seed) for seed in range(PICTURES))


@events.test_start.add_listener  # type: ignore[untyped-decorator] # it ships no types
def _draw(**_: object) -> None:
    """Draw before anybody is timed."""
    pictures()


def _judge(response: Any) -> None:
    """Tell what was turned away from what failed."""
    status, headers = response.status_code, response.headers or {}
    if status == HTTPStatus.SERVICE_UNAVAILABLE and "retry-after" in headers:
        response.request_meta["name"] += " refused"
        response.success()
    elif not _succeeded(response):
        response.failure(f"{status}: {response.text}"[:200])


def _succeeded(response: Any) -> bool:
    return bool(HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES)
