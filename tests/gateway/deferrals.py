"""How often pictures in the line are put off: what need not be their own fault."""

import pytest

from services.gateway.jobs import Queue
from services.gateway.jobs.held import Held


class Deferrals:
    """Those of the picture that is put off most often.

    Attributes:
        most: how many they are.

    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Count what goes back into the line."""
        self.most = 0
        give_back = Queue.give_back

        async def given_back(queue: Queue, held: Held, delay_s: float) -> None:
            self.most = max(self.most, held.deferrals)
            await give_back(queue, held, delay_s)

        monkeypatch.setattr(Queue, "give_back", given_back)
