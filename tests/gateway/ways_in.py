"""The ways in which pictures come: each is sent the same ones, and says what became of them."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from tests.gateway.conftest import Client
from tests.gateway.test_batches import PNG, finished, sent_zip, zipped

LATER = {"Prefer": "respond-async"}


@dataclass(frozen=True)
class Picture:
    """A file as somebody sends it.

    Attributes:
        name: of the file.
        content: its bytes.
        kind: the type that is said of it; what the name says, if None.

    """

    name: str
    content: bytes
    kind: str | None = None

    @property
    def part(self) -> tuple[str, bytes] | tuple[str, bytes, str]:
        """It, as a part of a form."""
        said = (self.name, self.content)
        return said if self.kind is None else (*said, self.kind)


@dataclass(frozen=True)
class Outcome:
    """What became of a picture.

    Attributes:
        status: of the answer, or of its problem in a batch.
        detail: of the problem, if there is one.
        path: where its analysis is, if there is one.

    """

    status: int
    detail: str
    path: str | None


Outcomes = Mapping[str, Outcome]
Way = Callable[[Client, Iterable[Picture]], Awaitable[Outcomes]]


async def by_form(client: Client, pictures: Iterable[Picture], **headers: str) -> Outcomes:
    """Send each in a form of its own."""
    return {
        each.name: _outcome(
            await client("POST", "/v1/analyses", files={"image": each.part}, headers=headers)
        )
        for each in pictures
    }


async def later(client: Client, pictures: Iterable[Picture]) -> Outcomes:
    """Send each in a form of its own, to be analyzed later, as scripts of pages do."""
    return await by_form(client, pictures, **LATER)


async def as_body(client: Client, pictures: Iterable[Picture]) -> Outcomes:
    """Send each as it is, under the type of what it begins with: a body has no name."""
    outcomes = {}
    for each in pictures:
        kind = {"Content-Type": "image/png" if each.content.startswith(PNG) else "image/jpeg"}
        answer = await client("POST", "/v1/analyses", content=each.content, headers=kind)
        outcomes[each.name] = _outcome(answer)
    return outcomes


async def by_batch(client: Client, pictures: Iterable[Picture]) -> Outcomes:
    """Send all in one form."""
    files = [("images", each.part) for each in pictures]
    return await _outcomes(client, await client("POST", "/v1/batches", files=files))


async def by_zip(client: Client, pictures: Iterable[Picture]) -> Outcomes:
    """Send all in one archive, as they are: what packs too well is refused with the whole."""
    files = {each.name: each.content for each in pictures}
    return await _outcomes(client, await sent_zip(client, zipped(files, packed=False)))


NAMED: Mapping[str, Way] = {
    "a form": by_form,
    "a form for later": later,
    "a batch": by_batch,
    "a zip": by_zip,
}
"""Those that tell a file's name."""

ALL: Mapping[str, Way] = {"the body": as_body, **NAMED}


async def listed(client: Client) -> list[dict[str, Any]]:
    """All analyses that there are."""
    found = await client("GET", "/v1/analyses", params={"limit": 100})
    items: list[dict[str, Any]] = found.json()["items"]
    return items


def at(analysis: Mapping[str, Any]) -> str:
    """Where an analysis is."""
    return f"/v1/analyses/{analysis['id']}"


def _outcome(answer: httpx.Response) -> Outcome:
    if answer.is_success:
        return Outcome(answer.status_code, "", answer.headers["Location"])
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    return Outcome(answer.status_code, answer.json()["detail"], None)


async def _outcomes(client: Client, answer: httpx.Response) -> Outcomes:
    assert answer.status_code == 202, answer.text
    await finished(client, answer.headers["Location"])
    outcomes = {}
    for each in await listed(client):
        problem = each["problem"] or {"status": 202, "detail": ""}
        outcomes[each["file_name"]] = Outcome(problem["status"], problem["detail"], at(each))
    return outcomes
