"""The part of the composition root that builds where pictures are kept, and how many."""

from typing import NamedTuple

from services.gateway.analyses import Files, Leftovers
from services.gateway.boot import picture_store
from services.gateway.database import Database
from services.gateway.metrics import Metrics
from services.gateway.settings import Settings
from services.gateway.space import Space, Watermark
from services.gateway.storage_quotas import StorageQuota, StorageQuotas
from services.gateway.store import Store


class Keeping(NamedTuple):
    """What keeps pictures."""

    store: Store
    leftovers: Leftovers
    quotas: StorageQuotas
    space: Space
    files: Files


def keeping(records: Database, settings: Settings, metrics: Metrics) -> Keeping:
    """Build what keeps pictures.

    Args:
        records: say which are kept.
        settings: of the gateway.
        metrics: show how much room there is.

    Raises:
        BootError: the bucket's address cannot be used.

    """
    store = picture_store(settings)
    leftovers = Leftovers(records, store)
    quotas = _quotas(records, settings, metrics)
    space = _space(settings, metrics)
    files = Files(records, store, leftovers, quotas, space)
    return Keeping(store, leftovers, quotas, space, files)


def _quotas(records: Database, settings: Settings, metrics: Metrics) -> StorageQuotas:
    user = StorageQuota(settings.user_quota_bytes, settings.user_quota_pictures)
    organisation = StorageQuota(
        settings.organisation_quota_bytes, settings.organisation_quota_pictures
    )
    return StorageQuotas(records, user, organisation, metrics)


def _space(settings: Settings, metrics: Metrics) -> Space:
    folders = {} if settings.s3_bucket else {"pictures": settings.data_dir}
    if settings.sqlite_file is not None:
        folders["database"] = settings.sqlite_file.parent
    return Space(folders, Watermark(settings.min_free_bytes, settings.min_free_percent), metrics)
