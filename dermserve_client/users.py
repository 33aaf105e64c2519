"""The users of an organisation and the keys of its services, for its administrators."""

from collections.abc import Iterator, Sequence

from dermserve_client.shapes import ApiKey, ResetCode, User
from dermserve_client.wire import Wire


class Users:
    """The users of the own organisation."""

    def __init__(self, wire: Wire) -> None:
        """Build over the wire."""
        self._wire = wire

    def create(self, username: str, password: str, role: str = "clinician") -> User:
        """Make an account."""
        account = {"username": username, "password": password, "role": role}
        return User.read(self._wire.make("/v1/users", json=account))

    def get(self, user_id: str) -> User:
        """Show one, with the ``etag`` that a change needs."""
        return User.read(self._wire.send("GET", f"/v1/users/{user_id}"))

    def list(self) -> Iterator[User]:
        """Yield users, newest first."""
        return self._wire.listed(User, "/v1/users")

    def change(self, user: User, *, role: str | None = None, disabled: bool | None = None) -> User:
        """Change a user's role, or keep them out; what is None stays.

        Raises:
            ProblemError: ``changed-meanwhile``, where somebody else did since they were seen.
            ValueError: they are from a list, which does not tell the revision.

        """
        change = {"role": role, "disabled": disabled}
        path = f"/v1/users/{user.id}"
        return User.read(self._wire.send("PATCH", path, json=change, headers=user.if_match()))

    def reset_password(self, user_id: str) -> ResetCode:
        """Let a user who forgot their password choose another one; earlier codes are no good.

        The code is told only now. Hand it to nobody but them, and make sure that it is they who
        ask. Until it is used, the password stays what it is.
        """
        answer = self._wire.send("PUT", f"/v1/users/{user_id}/password-reset")
        return ResetCode.model_validate_json(answer.content)

    def remove_second_factor(self, user_id: str) -> None:
        """Take the second factor away of a user who has lost it; all their sign-ins end.

        Make sure that it is they who ask.
        """
        self._wire.send("DELETE", f"/v1/users/{user_id}/second-factor")


class ApiKeys:
    """The API keys of the own organisation's services."""

    def __init__(self, wire: Wire) -> None:
        """Build over the wire."""
        self._wire = wire

    def create(
        self, user_id: str, name: str, permissions: Sequence[str], days: int = 365
    ) -> ApiKey:
        """Make a key for a service; its ``key`` is told only now."""
        new = {"user_id": user_id, "name": name, "permissions": [*permissions], "days": days}
        return ApiKey.model_validate_json(self._wire.make("/v1/api-keys", json=new).content)

    def list(self) -> Iterator[ApiKey]:
        """Yield keys, newest first, without the keys themselves."""
        return self._wire.listed(ApiKey, "/v1/api-keys")

    def revoke(self, key_id: str) -> None:
        """Revoke a key."""
        self._wire.send("DELETE", f"/v1/api-keys/{key_id}")
