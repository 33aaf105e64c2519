"""A person's stream of events, read beside what else they do."""

import http.client
import json
import time
from collections.abc import Callable
from urllib.parse import urlsplit

TIMEOUT_S = 60
_SUCCEEDED = "analysis.succeeded"


class Watching:
    """Knows how long after an answer the event that goes with it came."""

    def __init__(self, heard: Callable[[float], None], broke: Callable[[str], None]) -> None:
        """Build with whom to tell.

        Args:
            heard: is told the seconds from an answer to its event; 0 for one that came before.
            broke: is told why a stream ended that should have gone on.

        """
        self._heard = heard
        self._broke = broke
        self._told_at: dict[str, float] = {}
        self._answered_at: dict[str, float] = {}

    def read(self, host: str, token: str) -> None:
        """Read the stream for as long as it goes on; this is for a thread of its own."""
        connection = http.client.HTTPConnection(urlsplit(host).netloc, timeout=TIMEOUT_S)
        try:
            headers = {"Authorization": f"Bearer {token}"}
            connection.request("GET", "/v1/events", headers=headers)
            response = connection.getresponse()
            if response.status != http.HTTPStatus.OK:
                self._broke(f"{response.status}")
                return
            for line in response:
                self._take(line)
        except (OSError, http.client.HTTPException) as error:
            self._broke(type(error).__name__)
        else:
            self._broke("it ended")
        finally:
            connection.close()

    def answered(self, analysis_id: str) -> None:
        """Note that an analysis was answered just now."""
        self._answered_at[analysis_id] = time.perf_counter()
        self._compare(analysis_id)

    def _take(self, line: bytes) -> None:
        if line.startswith(b"data:"):
            event = json.loads(line.removeprefix(b"data:"))
            if event["kind"] == _SUCCEEDED:
                self._told_at[event["subject_id"]] = time.perf_counter()
                self._compare(event["subject_id"])

    def _compare(self, analysis_id: str) -> None:
        if analysis_id in self._told_at and analysis_id in self._answered_at:
            seconds = self._told_at.pop(analysis_id) - self._answered_at.pop(analysis_id)
            self._heard(max(0.0, seconds))
