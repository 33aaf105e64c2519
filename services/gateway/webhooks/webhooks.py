"""Receivers of an organisation: made, found, changed, removed, and given new secrets."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import errors, paging
from services.gateway.database import Database, Scope
from services.gateway.records import (
    Disabled,
    Organisation,
    Webhook,
    WebhookSecret,
    now,
)
from services.gateway.security import webhook_signatures
from services.gateway.security.sealing import Seal
from services.gateway.shelf import Revisions, Shelf, change
from services.gateway.webhooks.dialling import ForbiddenTargetError, Resolver
from services.gateway.webhooks.fan_out import newest
from services.gateway.webhooks.targets import Rules

MOST = 20
"""Webhooks of an organisation; with two attempts each they leave room for others."""

MOST_SECRETS = 5
"""Secrets that sign at the same time."""

_NOT_NOW = "No name server said in time where this url leads. Try again later."
_NOT_NOW_RETRY_S = 30.0
_NO_WAY = "url: this does not lead to an address that webhooks may go to."


class Webhooks:
    """The webhooks within a scope."""

    def __init__(self, database: Database, rules: Rules, resolver: Resolver, seal: Seal) -> None:
        """Build over the database.

        Args:
            database: has them.
            rules: where they may go.
            resolver: finds out where they go.
            seal: keeps their secrets.

        """
        self._database = database
        self._rules = rules
        self._resolver = resolver
        self._seal = seal
        self._shelf = Shelf(database, Webhook, "There is no webhook of this id among yours.")

    async def create(
        self, scope: Scope, webhook_id: str, values: Mapping[str, Any]
    ) -> tuple[Webhook, str]:
        """Make a webhook; return it, and its secret, which is not shown again.

        Raises:
            InvalidRequestError: it may not go where it is to go.
            ConflictError: the organisation has too many.
            UnavailableError: where it goes is not known in time.

        """
        webhook = Webhook(id=webhook_id, **await self._checked(scope, values))
        secret, sealed = self._new_secret(webhook_id)
        first = WebhookSecret(webhook_id=webhook_id, sealed=sealed)

        def work(session: Session) -> None:
            _see_that_there_is_room(session, scope)
            webhook.told = newest(session, scope.organisation_id)
            session.add(webhook)
            session.flush()
            session.add(first)

        # All that its administrators made count, whether they see each other's or not.
        await self._database.write(work, replace(scope, shared=True))
        return webhook, secret

    async def get(self, scope: Scope, webhook_id: str) -> Webhook:
        """Return one.

        Raises:
            NotFoundError: there is none of this id within the scope.

        """
        return await self._shelf.get(scope, webhook_id)

    async def page(self, scope: Scope, limit: int, cursor: str | None) -> paging.Page[Webhook]:
        """List webhooks, newest first.

        Raises:
            InvalidRequestError: the cursor is not one of ours.

        """
        return await self._shelf.page(scope, [], limit, cursor)

    async def change(
        self, scope: Scope, webhook_id: str, revisions: Revisions, values: Mapping[str, Any]
    ) -> Webhook:
        """Change a webhook. Elsewhere, or enabled again, its failures do not count any more.

        Raises:
            InvalidRequestError: it may not go where it is to go.
            NotFoundError: there is none of this id within the scope.
            ChangedMeanwhileError: it is of another revision by now.

        """
        await self._shelf.get(scope, webhook_id)
        checked = await self._checked(scope, values)

        def work(session: Session) -> Webhook:
            webhook = self._shelf.meant(session, webhook_id, revisions)
            disabled = webhook.disabled is not None
            change(webhook, checked)
            if checked.keys() & {"url", "disabled"}:
                webhook.failing_since = webhook.resting_until = None
            if disabled and webhook.disabled is None:
                # What happened meanwhile it is not told.
                webhook.told = newest(session, scope.organisation_id)
            return webhook

        return await self._database.write(work, scope)

    async def remove(self, scope: Scope, webhook_id: str, revisions: Revisions) -> None:
        """Remove a webhook for good, with its secrets and deliveries.

        Raises:
            NotFoundError: there is none of this id within the scope.
            ChangedMeanwhileError: it is of another revision by now.

        """

        def work(session: Session) -> None:
            session.delete(self._shelf.meant(session, webhook_id, revisions))

        await self._database.write(work, scope)

    async def renew_secret(
        self, scope: Scope, webhook_id: str, secret_id: str, overlap: timedelta
    ) -> tuple[WebhookSecret, str]:
        """Give a webhook a new secret; return it, as it is not shown again.

        Args:
            scope: of who asks.
            webhook_id: of the webhook.
            secret_id: that the secret is to have.
            overlap: how long the former ones sign too.

        Raises:
            NotFoundError: there is no such webhook within the scope.
            ConflictError: too many sign already.

        """
        secret, sealed = self._new_secret(webhook_id)
        new = WebhookSecret(id=secret_id, webhook_id=webhook_id, sealed=sealed)

        def work(session: Session) -> WebhookSecret:
            self._shelf.found(session, webhook_id, held=True)
            _retire(session, new, overlap)
            session.add(new)
            return new

        return await self._database.write(work, scope), secret

    async def secret(self, scope: Scope, webhook_id: str, secret_id: str) -> WebhookSecret:
        """Return what is known of a secret.

        Raises:
            NotFoundError: there is none of this id.

        """
        asked = select(WebhookSecret).where(
            col(WebhookSecret.id) == secret_id, col(WebhookSecret.webhook_id) == webhook_id
        )
        found: WebhookSecret | None = await self._database.read(
            lambda session: session.scalar(asked), scope
        )
        if found is None:
            raise errors.NotFoundError("There is no such secret of this webhook.")
        return found

    def _new_secret(self, webhook_id: str) -> tuple[str, str]:
        """Return a secret as it is shown, and as it is kept."""
        secret = webhook_signatures.new_secret()
        return webhook_signatures.shown(secret), self._seal.close(secret, webhook_id)

    async def _checked(self, scope: Scope, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return values as they are kept; where an address leads is looked up."""
        checked = dict(values)
        if "url" in values:
            checked["url"] = await self._reachable(scope, values["url"])
        if "disabled" in values:
            checked["disabled"] = Disabled.BY_USER if values["disabled"] else None
        return checked

    async def _reachable(self, scope: Scope, url: str) -> str:
        """Return an address in its normal form, if it leads to where webhooks may go.

        What a name leads to inside is nobody's business: all that is wrong sounds the same.
        """
        target = self._rules.target(url)
        try:
            await self._resolver.addresses(target.host, target.port, scope.organisation_id)
        except TimeoutError:
            raise errors.UnavailableError(_NOT_NOW, _NOT_NOW_RETRY_S) from None
        except (ForbiddenTargetError, OSError, UnicodeError):
            raise errors.InvalidRequestError(_NO_WAY) from None
        return target.url


def _see_that_there_is_room(session: Session, scope: Scope) -> None:
    """See that an organisation has not too many webhooks; others who make one wait meanwhile."""
    ours = col(Organisation.id) == scope.organisation_id
    # Not its key, which whoever writes an event of it refers to.
    session.execute(select(col(Organisation.id)).where(ours).with_for_update(key_share=True))
    count = session.scalar(select(func.count()).select_from(Webhook))
    if count is not None and count >= MOST:
        raise errors.ConflictError(f"There are {MOST} webhooks already. Remove one first.")


def _retire(session: Session, new: WebhookSecret, overlap: timedelta) -> None:
    """Have the former secrets of a webhook sign for a while, and no longer."""
    moment = now()
    until = col(WebhookSecret.expires_at)
    theirs = col(WebhookSecret.webhook_id) == new.webhook_id
    session.execute(
        delete(WebhookSecret).where(theirs, until <= moment),
        execution_options={"synchronize_session": False},
    )
    count = session.scalar(select(func.count()).select_from(WebhookSecret).where(theirs))
    if overlap and count is not None and count >= MOST_SECRETS:
        raise errors.ConflictError(
            f"{MOST_SECRETS} secrets sign already. Wait until one expires, or let none overlap."
        )
    # None signs for longer than was said before.
    longer = theirs & or_(until.is_(None), until > moment + overlap)
    session.execute(
        update(WebhookSecret).where(longer).values(expires_at=moment + overlap),
        execution_options={"synchronize_session": False},
    )
