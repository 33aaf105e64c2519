"""A gateway of its own process for clients, and scripted services behind it."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests import stack
from tests.gateway.counterparts import ScriptedInference, ScriptedReports, serving
from tests.gateway.processes import Running, running
from tests.watched import Search

ADMIN = ("admin", "correct horse battery")


@contextlib.asynccontextmanager
async def gateway_in(folder: Path, **changes: str) -> AsyncIterator[Running]:
    """Start it with variables of the test's choice."""
    async with serving(ScriptedInference()) as asked, serving(ScriptedReports()) as rendered:
        settings = {
            **stack.UNHURRIED,
            "DERMSERVE_GATEWAY_INFERENCE_ADDRESS": asked,
            "DERMSERVE_GATEWAY_REPORTS_ADDRESS": rendered,
            "DERMSERVE_GATEWAY_ADMIN_PASSWORD": ADMIN[1],
            "DERMSERVE_GATEWAY_WEBHOOK_NETWORKS": "127.0.0.1",
            "DERMSERVE_GATEWAY_WEBHOOK_PORTS": "1-65535",
            "DERMSERVE_GATEWAY_WEBHOOK_PLAIN_HTTP": "true",
            **changes,
        }
        search = Search()
        with search.to_the_end():
            async with running(folder, **settings) as served:
                yield served
                search.know(folder, settings)
            search.written += served.written


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """One for all tests, which keep apart by what they make."""
    async with gateway_in(tmp_path_factory.mktemp("client")) as served:
        yield served
