"""What can go wrong, as the gateway says it (RFC 9457) or because nobody said anything."""

from typing import Any

import httpx

_PASSES = frozenset({429, 502, 503, 504})


class ClientError(Exception):
    """Anything that this client could not do."""


class UnreachableError(ClientError):
    """No answer came: nobody is there, or the line broke."""


class ProblemError(ClientError):
    """The gateway refused; the message is its sentence for people.

    Attributes:
        type: the kind of problem, by the last word of its URI, for programs: ``not-found``.
        status: of the answer.
        request_id: finds the request in the logs of every service.
        retry_after_s: when another try may do better; None where none would.
        faults: each field that is wrong with a sentence, where there are several.

    """

    def __init__(self, response: httpx.Response) -> None:
        """Read an answer, of whatever sits in between too."""
        problem = _problem(response)
        super().__init__(problem.get("detail") or f"the server answered {response.status_code}")
        self.type = str(problem.get("type", "about:blank")).rpartition("#")[2]
        self.status = response.status_code
        self.request_id: str | None = problem.get("request_id")
        self.faults: list[dict[str, str]] = problem.get("errors", [])
        wait = response.headers.get("Retry-After", "")
        self.retry_after_s = int(wait) if wait.isascii() and wait.isdigit() else None


def passes(error: ClientError) -> bool:
    """Return whether the same may work a little later, without anything being done about it."""
    if isinstance(error, ProblemError):
        return error.status in _PASSES
    return isinstance(error, UnreachableError)


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        found = response.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
