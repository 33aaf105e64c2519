"""Styles, scripts and icons of pages: read once, kept by browsers until they change."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

from fastapi import Request, Response

from services.gateway import errors
from services.gateway.web.routing import pages_router

router = pages_router()

_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
_PACKED = frozenset({".css", ".js", ".svg", ".txt", ".webmanifest"})

_FOR_EVER = "public, max-age=31536000, immutable"
_WORKER = "service-worker.js"
# It works for all pages, not only for those below its own address, and may ask for what is ours.
_OF_THE_WORKER = {
    "Service-Worker-Allowed": "/",
    "Content-Security-Policy": "default-src 'none'; connect-src 'self'",
}
# Asked for by a page from before an upgrade.
_ONLY_NOW = "no-cache"


class Asset(NamedTuple):
    """A file as it is sent."""

    kind: str
    content: bytes
    packed: bytes | None
    """The same with gzip, where that makes it smaller."""


@dataclass(frozen=True, slots=True)
class Assets:
    """All files, under addresses that change whenever one of them does.

    The address names all of them together, because scripts name each other.
    """

    version: str
    files: Mapping[str, Asset]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read a folder."""
        paths = sorted(path for path in folder.rglob("*") if path.suffix in _KINDS)
        files = {path.relative_to(folder).as_posix(): _asset(path) for path in paths}
        told = hashlib.sha256()
        for name, file in files.items():
            told.update(f"{name}\n{len(file.content)}\n".encode())
            told.update(file.content)
        return cls(told.hexdigest()[:16], files)

    def address(self, name: str) -> str:
        """Return where a file is found.

        Raises:
            KeyError: there is none of this name.

        """
        if name not in self.files:
            raise KeyError(name)
        return f"/assets/{self.version}/{name}"


@router.get("/assets/{version}/{name:path}")
async def page_asset(version: str, name: str, request: Request) -> Response:
    """Give a file."""
    assets: Assets = request.app.state.pages.assets
    file = assets.files.get(name)
    if file is None:
        raise errors.NotFoundError("There is no such file. Load the page again.")
    headers = {
        "Cache-Control": _FOR_EVER if version == assets.version else _ONLY_NOW,
        "Vary": "Accept-Encoding",
    }
    if name == _WORKER:
        headers |= _OF_THE_WORKER
    if file.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(file.packed, media_type=file.kind, headers=headers)
    return Response(file.content, media_type=file.kind, headers=headers)


def _asset(path: Path) -> Asset:
    content = path.read_bytes()
    packed = gzip.compress(content, mtime=0) if path.suffix in _PACKED else content
    return Asset(_KINDS[path.suffix], content, packed if len(packed) < len(content) else None)
