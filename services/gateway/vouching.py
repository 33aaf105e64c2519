"""The part of the composition root that builds how people come from an identity provider."""

from contextlib import AsyncExitStack
from datetime import timedelta

from services.gateway.database import Database
from services.gateway.identity import PasswordsFor, SignIns, VouchedSignIns
from services.gateway.provider import Discovery, Provider, Rules, wire
from services.gateway.records import Role
from services.gateway.settings import Settings


def passwords_for(settings: Settings) -> PasswordsFor:
    """Return whose passwords are good; without a provider, everybody's."""
    return PasswordsFor(settings.password_sign_in) if settings.oidc_issuer else PasswordsFor.ALL


async def vouched_sign_ins(
    records: Database,
    sign_ins: SignIns,
    settings: Settings,
    callback: str,
    stack: AsyncExitStack,
) -> VouchedSignIns | None:
    """Return how people come from the identity provider, None where there is none.

    Args:
        records: across organisations.
        sign_ins: begins theirs.
        settings: of the gateway.
        callback: path that browsers come back to.
        stack: closes what is opened.

    """
    if not settings.oidc_issuer:
        return None
    http = await stack.enter_async_context(wire.client())
    secret = settings.oidc_client_secret
    provider = Provider(
        http,
        Discovery(http, settings.oidc_issuer),
        settings.oidc_issuer,
        (settings.oidc_client_id, secret.get_secret_value() if secret else None),
        settings.public_url.rstrip("/") + callback,
        settings.oidc_scopes,
    )
    rules = Rules(
        role_claim=settings.oidc_role_claim,
        roles={value: Role(role) for value, role in settings.oidc_roles.items()},
        default_role=Role(settings.oidc_default_role) if settings.oidc_default_role else None,
        organisation=settings.oidc_organisation,
        organisation_claim=settings.oidc_organisation_claim,
        organisations=settings.oidc_organisations,
        create_users=settings.oidc_create_users,
    )
    lifetime = timedelta(seconds=settings.oidc_sign_in_s)
    return VouchedSignIns(records, provider, rules, sign_ins, lifetime)
