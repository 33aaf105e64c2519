"""What every path takes, found in the OpenAPI document: HEAD, OPTIONS, and 405 for the rest."""

import re

from tests.gateway.conftest import Client, Gateway
from tests.gateway.walking import operations

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def taken(gateway: Gateway) -> dict[str, set[str]]:
    """The methods of every path, whose parameters are filled in."""
    paths: dict[str, set[str]] = {}
    for operation in operations(gateway):
        path = re.sub(r"{\w+}", "0" * 32, operation.path)
        paths.setdefault(path, set()).add(operation.method)
    return paths


async def everybody(gateway: Gateway) -> list[Client]:
    return [gateway.anonymous, await gateway.admin()]


async def test_a_path_says_all_that_it_takes_and_refuses_the_rest(gateway: Gateway) -> None:
    for client in await everybody(gateway):
        for path, methods in taken(gateway).items():
            expected = methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())

            asked = await client("OPTIONS", path)
            assert (asked.status_code, asked.content) == (204, b""), path
            assert set(asked.headers["Allow"].split(", ")) == expected, path

            for method in {*METHODS, "HEAD", "TRACE", "CONNECT", "BREW"} - expected:
                refused = await client(method, path)
                assert refused.status_code == 405, (method, path)
                assert refused.headers["Allow"] == asked.headers["Allow"]
                assert refused.headers["Content-Type"] == "application/problem+json"


async def test_head_is_answered_as_get_is_but_for_the_body(either: Gateway) -> None:
    for client in await everybody(either):
        for path, methods in taken(either).items():
            if "GET" not in methods:
                continue
            head, get = await client("HEAD", path), await client("GET", path)

            assert (head.status_code, head.content) == (get.status_code, b""), path
            changes = {"x-request-id", "ratelimit", "content-length"}
            assert head.headers.keys() == get.headers.keys(), path
            for name in head.headers.keys() - changes:
                assert head.headers[name] == get.headers[name], (path, name)


async def test_nothing_is_at_paths_that_only_look_like_ours(gateway: Gateway) -> None:
    for client in await everybody(gateway):
        for path in ("/v1", "/v1/", "/v1/me/", "//v1/me", "/V1/me", "/v1/me%2F", "/v1//me"):
            for method in (*METHODS, "HEAD", "OPTIONS"):
                answer = await client(method, f"http://gateway{path}")
                assert answer.status_code == 404, (method, path)
