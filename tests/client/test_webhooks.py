"""Webhooks, as a program keeps them."""

import asyncio

import pytest

from dermserve_client import Client, Password, ProblemError
from tests.client.conftest import ADMIN
from tests.gateway.processes import Running

pytestmark = pytest.mark.asyncio(loop_scope="package")

URL = "http://127.0.0.1:9/hooks"
"""Nobody listens there."""


async def test_a_webhook_is_made_changed_and_removed(gateway: Running) -> None:
    def work() -> None:
        with Client(gateway.url, Password(*ADMIN)) as client:
            made = client.webhooks.create(URL, description="RIS", kinds=["analysis.succeeded"])
            assert made.secret is not None
            assert made.secret.startswith("whsec_")
            seen = client.webhooks.get(made.id)
            assert (seen.secret, seen.etag) == (None, made.etag)
            assert [each.id for each in client.webhooks.list()] == [made.id]
            changed = client.webhooks.change(seen, disabled=True)
            assert (changed.disabled, changed.disabled_because) == (True, "by_user")
            with pytest.raises(ProblemError) as refused:
                client.webhooks.remove(seen)
            assert refused.value.type == "changed-meanwhile"
            assert client.webhooks.renew_secret(made.id).secret != made.secret
            client.webhooks.remove(changed)
            assert list(client.webhooks.list()) == []

    await asyncio.to_thread(work)


async def test_what_was_sent_to_a_webhook_is_listed_and_sent_again(gateway: Running) -> None:
    def work() -> None:
        with Client(gateway.url, Password(*ADMIN)) as client:
            webhook = client.webhooks.create(URL)
            tried = client.webhooks.test(webhook.id)
            assert tried.kind == "webhook.test"
            again = client.webhooks.replay(webhook.id, tried.id)
            assert again.message_id == tried.message_id
            assert client.webhooks.delivery(webhook.id, tried.id).id == tried.id
            assert [each.id for each in client.webhooks.deliveries(webhook.id)] == [tried.id]
            assert list(client.webhooks.deliveries(webhook.id, state="delivered")) == []
            client.webhooks.remove(webhook)

    await asyncio.to_thread(work)
