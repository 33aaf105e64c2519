"""All three services as real processes, with the models that the project ships."""

from collections.abc import Iterator

import httpx
import pytest

from tests import stack, watched
from tests.stack import Stack


@pytest.fixture(scope="module")
def services() -> Iterator[Stack]:
    with watched.running(**stack.UNHURRIED) as running:
        yield running


@pytest.fixture(scope="module")
def rest(services: Stack) -> Iterator[httpx.Client]:
    """A signed-in client."""
    with httpx.Client(base_url=services.rest, timeout=60) as client:
        client.headers["Authorization"] = f"Bearer {stack.signed_in(client)}"
        yield client
