"""What forms for signing in and up say, and where they lead."""

import ipaddress
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Form, Query, Request

from services.gateway.parts import Parts
from services.gateway.routes.oidc import LONGEST_RETURN

HOME = "/sign-in"
"""Where people go who wanted nothing else: who is signed in is led on to what they may do."""

# A path of ours: two slashes, or one and a backslash, would be another host.
_PATH = r"^/([^/\\\x00-\x20\x7f-\U0010ffff][!-\[\]-~]*)?$"

Onward = Annotated[str, Query(alias="next", max_length=2048, pattern=_PATH)]
OnwardField = Annotated[str, Form(alias="next", max_length=2048, pattern=_PATH)]


def sign_in_form(
    request: Request, parts: Parts, username: str = "", refusal: str = "", onward: str = HOME
) -> dict[str, Any]:
    """Say how one can sign in or up here, what somebody wrote, and why it was refused."""
    return {
        "onward": onward,
        "done": None,
        "return_to": _return_to(onward),
        "username": username,
        "refusal": refusal,
        "by_password": parts.password_sign_ins.are_taken,
        "by_provider": parts.vouched_sign_ins is not None,
        "registration_open": parts.registration_open,
        "keeps_cookies": request.url.scheme == "https" or _is_this_machine(request.url.hostname),
    }


def _return_to(onward: str) -> str:
    """Return where the provider's way ends: as near to where somebody wanted to go as it can."""
    ways = [
        f"/sign-in/vouched?next={quote(each)}" for each in (onward, onward.partition("?")[0], HOME)
    ]
    return next((each for each in ways if len(each) <= LONGEST_RETURN), ways[-1])


def _is_this_machine(host: str | None) -> bool:
    """Say whether browsers trust a host without TLS (https://www.w3.org/TR/secure-contexts/)."""
    if host == "localhost" or (host or "").endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
