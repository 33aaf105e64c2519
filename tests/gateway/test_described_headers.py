"""What answers say beside their bodies is what the document says of them."""

from typing import Any

import pytest

from services.gateway.security_headers import SECURITY_HEADERS
from tests.gateway.conftest import Gateway

OF_HTTP = {"content-length", "content-type", "vary"}
OF_EVERY_ANSWER = OF_HTTP | {name.lower() for name in SECURITY_HEADERS}
ANALYSIS = "/v1/analyses/{analysis_id}"
FILES = ("image", "thumbnail.jpeg", "mask.png", "overlay.png", "explanation.png")
PATHS = (
    "/v1/me",
    "/v1/patients",
    "/v1/statistics.csv",
    ANALYSIS,
    *(f"{ANALYSIS}/{name}" for name in FILES),
)


def described(document: dict[str, Any], path: str, status: int) -> set[str]:
    """Names of the headers that an answer has by the document."""
    answer = document["paths"][path]["get"]["responses"][str(status)]
    if "$ref" in answer:
        answer = document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return {name.lower() for name in answer.get("headers", {})}


@pytest.mark.parametrize("path", PATHS)
async def test_every_header_of_an_answer_is_described(gateway: Gateway, path: str) -> None:
    alice, bob = await gateway.signed_in(), await gateway.signed_in("bob")
    analysis = (await alice.analyze()).json()["id"]
    document = gateway.app.openapi()
    url = path.format(analysis_id=analysis)

    answers = [
        await alice("GET", url),
        await alice("GET", f"{url}?surprise=1"),
        await bob("GET", url),
        await gateway.anonymous("GET", url),
    ]
    tag = {"If-None-Match": answers[0].headers.get("etag", "")}
    if tag["If-None-Match"]:
        answers.append(await alice("GET", url, headers=tag))

    for answer in answers:
        told = answer.headers.keys() - OF_EVERY_ANSWER
        assert told <= described(document, path, answer.status_code), answer.status_code
