"""What each role may do: the one table that says so. ``docs/access.md`` is rendered from it."""

from collections.abc import Mapping
from enum import StrEnum

from services.gateway.records import Role


class Permission(StrEnum):
    """What an operation asks of its caller; OpenAPI shows it as the operation's scope."""

    READ = "records:read"
    WRITE = "records:write"
    DELETE = "records:delete"
    ASSESS = "records:assess"
    MANAGE = "users:manage"
    WEBHOOKS = "webhooks:manage"


MEANING: Mapping[Permission, str] = {
    Permission.READ: "See records, their pictures and reports.",
    Permission.WRITE: "Send pictures to be analyzed; make and change records.",
    Permission.DELETE: "Remove records.",
    Permission.ASSESS: "Say as a clinician what a lesion is taken for, and take it back.",
    Permission.MANAGE: "See, make and change the users and API keys of the own organisation; "
    "see who did what in it.",
    Permission.WEBHOOKS: "See, make and change webhooks, and what was sent to them.",
}

ALLOWED: Mapping[Role, frozenset[Permission]] = {
    Role.ADMIN: frozenset(Permission),
    Role.CLINICIAN: frozenset(
        {Permission.READ, Permission.WRITE, Permission.DELETE, Permission.ASSESS}
    ),
    # No program speaks for a clinician: what services may not, no API key can.
    Role.SERVICE: frozenset({Permission.READ, Permission.WRITE}),
    Role.VIEWER: frozenset({Permission.READ}),
}


def roles_with(permission: Permission) -> frozenset[Role]:
    """Return the roles that may do something."""
    return frozenset(role for role, allowed in ALLOWED.items() if permission in allowed)
