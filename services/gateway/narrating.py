"""The part of the composition root that builds how findings are told in plain language."""

from contextlib import AsyncExitStack

from services.gateway.analyses import Author, Narratives
from services.gateway.boot import BootError
from services.gateway.database import Database
from services.gateway.metrics import Metrics
from services.gateway.places import Places
from services.gateway.settings import Settings

# Summaries are a courtesy: whoever comes while so many are written gets the template.
_AT_ONCE = 16
_NO_EXTRA = "DERMSERVE_GATEWAY_NARRATIVE_URL needs the extra: pip install dermserve[narrative]."


async def narratives(
    records: Database, settings: Settings, metrics: Metrics, stack: AsyncExitStack
) -> Narratives:
    """Return what tells findings; without an endpoint the template does.

    Args:
        records: keep what a machine wrote.
        settings: of the gateway.
        metrics: count and time it.
        stack: closes what is opened.

    Raises:
        BootError: an endpoint is set and its client is not installed.

    """
    if not settings.narrative_url:
        return Narratives(records, None, metrics)
    try:
        # Most gateways have none: they need neither the package nor the second that it loads.
        from services.gateway.narrative.author import writing  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise BootError(_NO_EXTRA) from error
    key = settings.narrative_key
    machine = await stack.enter_async_context(
        writing(
            settings.narrative_url,
            key.get_secret_value() if key else "none",
            settings.narrative_model,
            settings.narrative_timeout_s,
        )
    )
    places = Places(_AT_ONCE, "Too many summaries are being written.")
    return Narratives(records, Author(settings.narrative_model, machine, places), metrics)
