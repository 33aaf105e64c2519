"""How requests are read: what two readers could read differently is refused, not guessed.

Unknown and repeated names are refused: who misspells a filter would be shown all.
"""

import json
from collections import Counter
from collections.abc import Container, Iterable, Iterator
from typing import Any, get_args, get_origin

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from services.gateway import errors

TOLERANT = {"x-further-parameters": "ignored"}
"""What the document says of an operation that others call with more than is ours."""

_JSON = "application/json"
_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_SEVERAL = (list, tuple, set, frozenset)
_SHOWN = 64
_NOT_UTF_8 = "Send JSON in UTF-8."


def is_json(kind: str) -> bool:
    """Say whether a media type is JSON (RFC 6839, section 3.1)."""
    return kind == _JSON or (kind.startswith("application/") and kind.endswith("+json"))


def kind_of(asked: Headers) -> str:
    """Return the media type of a request's body, without its parameters."""
    return asked.get("content-type", "").partition(";")[0].strip().lower()


def check_json(content: bytes | bytearray) -> None:
    """Refuse JSON that is read differently elsewhere; what is no JSON at all is left to others.

    Raises:
        InvalidRequestError: a name is there twice, a number is none, it is nested too deep or not
            in UTF-8 (RFC 8259, sections 4, 6, 8.1 and 9).

    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise errors.InvalidRequestError(_NOT_UTF_8) from error
    if "\0" in text:
        # UTF-16 and UTF-32 of ASCII are UTF-8 too, and the framework would guess them by this.
        raise errors.InvalidRequestError(_NOT_UTF_8)
    try:
        json.loads(text, object_pairs_hook=_each_once, parse_constant=_no_number)
    except RecursionError as error:
        raise errors.InvalidRequestError("The JSON is nested too deep.") from error
    except ValueError:
        return


async def plain(asked: HTTPConnection) -> None:
    """See that a request has what its operation takes, each thing once.

    A WebSocket's operation sees to that itself: its parameters are declared nowhere.

    Raises:
        InvalidFieldError: a parameter or a field is unknown or there twice.
        UnsupportedMediaTypeError: the body is of another kind.

    """
    if not isinstance(asked, Request):
        return
    route: APIRoute = asked.scope["route"]
    tolerant = TOLERANT.items() <= (route.openapi_extra or {}).items()
    if asked.scope["query_string"]:
        known = dict(_parameters(route.dependant, "query_params"))
        several = {name for name, kind in known.items() if _is_several(kind)}
        check_query(asked, known, several, tolerant=tolerant)
    if route.body_field is None or not _has_content(asked.headers):
        return
    kind = kind_of(asked.headers)
    if getattr(route.body_field.field_info, "media_type", _JSON) == _JSON:
        if not is_json(kind):
            raise errors.UnsupportedMediaTypeError(f"Send {_JSON}.")
    elif kind not in _FORMS:
        raise errors.UnsupportedMediaTypeError("Send a form.")
    else:
        form = await asked.form()
        ours = dict(_parameters(route.dependant, "body_params"))
        several = {name for name, kind in ours.items() if _is_several(kind)}
        names = (name for name, _ in form.multi_items() if name in ours or not tolerant)
        check_once(name for name in names if name not in several)


def check_query(
    asked: HTTPConnection,
    known: Container[str],
    several: Container[str] = (),
    *,
    tolerant: bool = False,
) -> None:
    """Refuse parameters that there are not, or that are there twice.

    Args:
        asked: has them.
        known: names of those that there are.
        several: of those, which may be there more than once.
        tolerant: whether those that there are not are no matter.

    Raises:
        InvalidFieldError: names one.

    """
    for name, times in Counter(name for name, _ in asked.query_params.multi_items()).items():
        if name not in known:
            if not tolerant:
                field = f"query.{name[:_SHOWN]}"
                raise errors.InvalidFieldError(field, "There is no such parameter")
        elif times > 1 and name not in several:
            raise errors.InvalidFieldError(f"query.{name}", "It is there twice")


def check_once(fields: Iterable[str]) -> None:
    """Refuse the fields of a form if one is there twice.

    Raises:
        InvalidFieldError: names it.

    """
    for name, times in Counter(fields).items():
        if times > 1:
            raise errors.InvalidFieldError(f"body.{name[:_SHOWN]}", "It is there twice")


def _parameters(dependant: Dependant, where: str) -> Iterator[tuple[str, Any]]:
    """Find the names and types of the parameters of an operation, of the query or of a form."""
    for each in getattr(dependant, where):
        yield each.alias, each.field_info.annotation
    for needed in dependant.dependencies:
        yield from _parameters(needed, where)


def _is_several(kind: Any) -> bool:
    return get_origin(kind) in _SEVERAL or any(map(_is_several, get_args(kind)))


def _has_content(asked: Headers) -> bool:
    return "transfer-encoding" in asked or asked.get("content-length", "0") != "0"


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):  # to count them all would hold the loop ten times as long
        check_once(name for name, _ in pairs)
    return found


def _no_number(name: str) -> None:
    raise errors.InvalidRequestError(f"{name} is no number in JSON.")
