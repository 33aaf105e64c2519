"""Pictures at rest: objects named by the SHA-256 of their content, each organisation's apart.

Equal content of one organisation is kept once, and of two organisations twice: whether another
one has the same picture cannot be told. An object appears whole or not at all.
"""

from services.gateway.store.address import Address
from services.gateway.store.bucket import Bucket
from services.gateway.store.disk import told
from services.gateway.store.folder import CHANGED_WITHIN_S, Folder
from services.gateway.store.intact import digest
from services.gateway.store.stage import Stage
from services.gateway.store.store import SETTLED_AFTER_S, Store

__all__ = [
    "CHANGED_WITHIN_S",
    "SETTLED_AFTER_S",
    "Address",
    "Bucket",
    "Folder",
    "Stage",
    "Store",
    "digest",
    "told",
]
