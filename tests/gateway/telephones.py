"""Second factors in tests: an app on a telephone, and a clock that goes only when it is told to."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import pyotp
import pytest

from tests.gateway.conftest import PASSWORD, Client
from tests.gateway.leaks import WATCH

STEP = timedelta(seconds=30)
CLOCK = "services.gateway.identity.factor_codes.now"


@dataclass
class Clock:
    """What the gateway takes for the time of codes."""

    moment: datetime = field(default_factory=lambda: datetime.now(UTC))

    @classmethod
    def standing(cls, monkeypatch: pytest.MonkeyPatch) -> "Clock":
        """One that stands still."""
        clock = cls()
        monkeypatch.setattr(CLOCK, lambda: clock.moment)
        return clock

    def go(self, steps: int = 1) -> None:
        """Let so many codes pass."""
        self.moment += steps * STEP


@dataclass
class Telephone:
    """Has the secret of one account."""

    secret: str
    clock: Clock
    recovery_codes: list[str] = field(default_factory=list)

    def code(self, steps: int = 0) -> str:
        """The code of this moment, or of so many steps later."""
        step = int(self.clock.moment.timestamp()) // 30 + steps
        code = pyotp.HOTP(self.secret).at(step)
        WATCH.plant(code)
        return code

    def wrong(self) -> str:
        """A code of no moment about now."""
        right = {self.code(steps) for steps in (-1, 0, 1)}
        return next(code for n in range(4) if (code := f"12345{n}") not in right)


async def begun(client: Client, clock: Clock) -> Telephone:
    """Begin to set one up."""
    answer = await client("PUT", "/v1/me/second-factor", json={"current_password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return Telephone(answer.json()["secret"], clock)


async def confirmed(client: Client, code: str) -> httpx.Response:
    return await client("POST", "/v1/me/second-factor/confirmation", json={"code": code})


async def set_up(client: Client, clock: Clock) -> Telephone:
    """Have one in force, with a code that nobody has used yet."""
    telephone = await begun(client, clock)
    answer = await confirmed(client, telephone.code())
    assert answer.status_code == 200, answer.text
    telephone.recovery_codes = answer.json()["recovery_codes"]
    clock.go()
    return telephone


async def removed(client: Client, code: str, password: str = PASSWORD) -> int:
    body = {"current_password": password, "code": code}
    return (await client("POST", "/v1/me/second-factor/removal", json=body)).status_code


async def standing(client: Client) -> tuple[bool, int]:
    """Whether it is in force, and how many recovery codes are left."""
    said = (await client("GET", "/v1/me/second-factor")).json()
    return said["in_force"], said["recovery_codes_left"]
