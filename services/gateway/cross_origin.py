"""Web pages of other origins: which may read answers, and that none acts for who is signed in.

Reading follows the Fetch standard (https://fetch.spec.whatwg.org/#http-cors-protocol), and is for
origins that are listed, without cookies. That no page misuses a cookie is seen from what browsers
say of themselves, as OWASP's Cross-Site Request Forgery Prevention Cheat Sheet has it: from
Sec-Fetch-Site, and where that is missing from Origin.
"""

from starlette.datastructures import Headers

from services.gateway import errors

COOKIES = ("__Host-dermserve-", "__Secure-dermserve-")
"""How the names of our cookies begin."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OURS = frozenset({"same-origin", "none"})

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key, If-Match, "
    "If-None-Match, Last-Event-ID, Prefer, Traceparent, X-Request-Id",
    "Access-Control-Max-Age": "600",
}
_EXPOSED = (
    "Allow, Content-Disposition, Content-Language, ETag, Location, Preference-Applied, RateLimit, "
    "RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id"
)


class CrossOrigin:
    """Tells what pages of other origins may do."""

    def __init__(self, origins: frozenset[str]) -> None:
        """Build with the origins whose pages may read answers, as browsers write them."""
        self._origins = origins

    @property
    def varies(self) -> bool:
        """Whether answers depend on who asks, which caches must know."""
        return bool(self._origins)

    def headers(self, asked: Headers) -> dict[str, str]:
        """Return what every answer to a page says."""
        if asked.get("origin") not in self._origins:
            return {}
        return {
            "Access-Control-Allow-Origin": asked["origin"],
            "Access-Control-Expose-Headers": _EXPOSED,
        }

    def preflight(self, method: str, asked: Headers) -> dict[str, str] | None:
        """Return what a browser is told that asks before it sends; None for any other request."""
        if method != "OPTIONS" or "access-control-request-method" not in asked:
            return None
        return _PREFLIGHT if asked.get("origin") in self._origins else None

    @staticmethod
    def check(method: str, asked: Headers) -> None:
        """Refuse a change that a page of another origin asks for with a cookie of ours.

        Raises:
            CrossOriginError: a browser says that it is one.

        """
        if method not in _SAFE and _has_cookie(asked) and not is_ours(asked):
            raise errors.CrossOriginError(
                "A page of another origin asked for this with a cookie. Ask without cookies."
            )


def is_ours(asked: Headers) -> bool:
    """Say whether a page of ours asks, or nothing that is a page."""
    site = asked.get("sec-fetch-site")
    if site is not None:
        return site in _OURS
    origin = asked.get("origin")
    # Who sends neither is no browser, and sends cookies as it likes.
    return origin is None or origin.partition("://")[2] == asked.get("host")


def _has_cookie(asked: Headers) -> bool:
    return any(
        cookie.strip().startswith(COOKIES)
        for line in asked.getlist("cookie")
        for cookie in line.split(";")
    )
