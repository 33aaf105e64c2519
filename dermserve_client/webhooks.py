"""Webhooks: receivers that are told what happens, and what was sent to them."""

from collections.abc import Iterator, Sequence

from dermserve_client.records import Records
from dermserve_client.shapes import Delivery, Webhook, WebhookSecret


class Webhooks(Records[Webhook]):
    """The webhooks of the own organisation, for those who may manage them."""

    _shape = Webhook
    _path = "/v1/webhooks"

    def create(self, url: str, *, description: str = "", kinds: Sequence[str] = ()) -> Webhook:
        """Make a webhook; its ``secret`` is told only now.

        Args:
            url: where messages go.
            description: for people.
            kinds: of events that it is told of; all where there is none.

        """
        return self._made({"url": url, "description": description, "kinds": [*kinds]})

    def list(self) -> Iterator[Webhook]:
        """Yield webhooks, newest first."""
        return self._wire.listed(Webhook, self._path)

    def renew_secret(self, webhook_id: str, overlap_hours: int = 24) -> WebhookSecret:
        """Give a webhook a new secret; the former one signs beside it for so many hours."""
        wish = {"overlap_hours": overlap_hours}
        answer = self._wire.make(f"{self._path}/{webhook_id}/secrets", json=wish)
        return WebhookSecret.model_validate_json(answer.content)

    def test(self, webhook_id: str) -> Delivery:
        """Send a message that says nothing but that messages arrive."""
        answer = self._wire.make(f"{self._path}/{webhook_id}/test")
        return Delivery.model_validate_json(answer.content)

    def deliveries(self, webhook_id: str, *, state: str | None = None) -> Iterator[Delivery]:
        """Yield what was sent to a webhook, or is to be, newest first."""
        path = f"{self._path}/{webhook_id}/deliveries"
        return self._wire.listed(Delivery, path, {"state": state})

    def delivery(self, webhook_id: str, delivery_id: str) -> Delivery:
        """Show a delivery."""
        path = f"{self._path}/{webhook_id}/deliveries/{delivery_id}"
        return Delivery.model_validate_json(self._wire.send("GET", path).content)

    def replay(self, webhook_id: str, delivery_id: str) -> Delivery:
        """Send a message again, whatever became of it."""
        path = f"{self._path}/{webhook_id}/deliveries/{delivery_id}/replay"
        return Delivery.model_validate_json(self._wire.send("POST", path).content)
