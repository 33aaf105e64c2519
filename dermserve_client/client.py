"""The gateway, as programs see it: one object with a part for each resource."""

from datetime import date
from types import TracebackType
from typing import Self

import httpx

from dermserve_client.analyses import Analyses
from dermserve_client.batches import Batches
from dermserve_client.credentials import Bearer, Password
from dermserve_client.events import Events
from dermserve_client.records import Lesions, Patients
from dermserve_client.shapes import Model, Readiness, Statistics, System, User
from dermserve_client.users import ApiKeys, Users
from dermserve_client.webhooks import Webhooks
from dermserve_client.wire import Wire


class Client:
    """A connection to a gateway; threads may share it.

    Attributes:
        analyses: pictures and what was found in them.
        api_keys: of the organisation's services.
        batches: many pictures at once.
        events: what happens to records.
        lesions: of patients.
        patients: of the organisation.
        users: of the organisation.
        webhooks: of the organisation.

    """

    def __init__(
        self,
        address: str,
        auth: Bearer | Password | None = None,
        *,
        timeout_s: float = 60,
        tries: int = 4,
        longest_wait_s: float = 30,
        proxies: bool = True,
    ) -> None:
        """Begin; nothing is sent yet.

        Args:
            address: of the gateway, as in ``https://dermserve.example``.
            auth: who is asking, as ``Bearer`` for an API key or access token, or ``Password`` for
                an account, which then stays signed in (where it has a second factor, ``Password``
                asks for a code); None for a stranger.
            timeout_s: how long any part of a request may stand still.
            tries: how often a request is sent at most, if that makes nothing twice.
            longest_wait_s: between two tries.
            proxies: whether those are used that the environment names.

        """
        self._http = httpx.Client(
            base_url=address,
            auth=auth,
            timeout=timeout_s,
            trust_env=proxies,
        )
        self._wire = Wire(self._http, tries, longest_wait_s)
        self.analyses = Analyses(self._wire)
        self.api_keys = ApiKeys(self._wire)
        self.batches = Batches(self._wire)
        self.events = Events(self._wire)
        self.lesions = Lesions(self._wire)
        self.patients = Patients(self._wire)
        self.users = Users(self._wire)
        self.webhooks = Webhooks(self._wire)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def me(self) -> User:
        """Say who is asking."""
        return User.model_validate_json(self._wire.send("GET", "/v1/me").content)

    def choose_password(self, code: str, new_password: str) -> None:
        """Choose another password with a code of an administrator; all sign-ins end.

        Raises:
            ProblemError: the code is no good, or the password breaks the rules.

        """
        chosen = {"code": code, "new_password": new_password}
        self._wire.send("POST", "/v1/auth/password-reset", json=chosen)

    def models(self) -> list[Model]:
        """List the models that answer now."""
        return list(self._wire.listed(Model, "/v1/models"))

    def ready(self) -> Readiness:
        """Say whether work can be done now.

        Raises:
            ProblemError: it cannot.

        """
        return Readiness.model_validate_json(self._wire.send("GET", "/readyz").content)

    def system(self) -> System:
        """Say how the gateway is, to administrators: version, health, waiting work."""
        return System.model_validate_json(self._wire.send("GET", "/v1/system").content)

    def statistics(
        self, *, since: date | None = None, until: date | None = None, interval: str = "day"
    ) -> Statistics:
        """Count analyses from a day on, until before another, both in UTC.

        ``interval`` is ``"day"``, ``"week"`` or ``"month"``.
        """
        asked = _given(since=since, until=until, interval=interval)
        answer = self._wire.send("GET", "/v1/statistics", params=asked)
        return Statistics.model_validate_json(answer.content)

    def statistics_table(
        self,
        series: str,
        *,
        since: date | None = None,
        until: date | None = None,
        interval: str = "day",
    ) -> str:
        """Return one series of the same figures as comma-separated values."""
        asked = _given(series=series, since=since, until=until, interval=interval)
        return self._wire.send("GET", "/v1/statistics.csv", params=asked).text


def _given(**asked: str | date | None) -> dict[str, str]:
    return {name: str(value) for name, value in asked.items() if value is not None}
