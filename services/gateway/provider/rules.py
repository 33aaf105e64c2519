"""What an operator makes of what the provider says: a role, an organisation, a name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.gateway.records import Role, is_username

_NAME = "preferred_username"


@dataclass(frozen=True, slots=True)
class Rules:
    """What claims mean here.

    Attributes:
        role_claim: where roles, or groups, are said; empty where they are not.
        roles: what each value makes of somebody; where several hold, the first does.
        default_role: for whom no value does; None for nobody.
        organisation: name of the one that people join, unless a value says another.
        organisation_claim: where it is said; empty where it is not.
        organisations: name of the organisation that each value means.
        create_users: whether accounts are made for people who come for the first time.

    """

    role_claim: str
    roles: Mapping[str, Role]
    default_role: Role | None
    organisation: str
    organisation_claim: str
    organisations: Mapping[str, str]
    create_users: bool

    def role(self, claims: Mapping[str, Any]) -> Role | None:
        """Return what somebody is here, None for nothing."""
        held = _values(claims, self.role_claim)
        return next((r for value, r in self.roles.items() if value in held), self.default_role)

    def organisation_of(self, claims: Mapping[str, Any]) -> str | None:
        """Return the name of somebody's organisation, None where theirs is none of ours."""
        if not self.organisation_claim:
            return self.organisation
        held = _values(claims, self.organisation_claim)
        meant = {name for value, name in self.organisations.items() if value in held}
        # Whose records somebody sees is not to be guessed.
        return meant.pop() if len(meant) == 1 else None


def username(claims: Mapping[str, Any]) -> str | None:
    """Return what somebody is called at the provider, if that can be a username."""
    told = claims.get(_NAME)
    name = told.lower() if isinstance(told, str) else ""
    return name if is_username(name) else None


def _values(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    """Return the texts that a claim holds; ``a.b`` is ``b`` within ``a``, as Keycloak has it."""
    found: Any = claims.get(name)
    if found is None and name:
        found = claims
        for step in name.split("."):
            found = found.get(step) if isinstance(found, dict) else None
    listed = found if isinstance(found, list) else [found]
    return frozenset(value for value in listed if isinstance(value, str))
