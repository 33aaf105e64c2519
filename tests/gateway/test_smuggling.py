"""Bytes that two who read HTTP might read differently: refused, alike, and nothing follows them."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.gateway.security_headers import SECURITY_HEADERS
from tests.gateway.processes import Running, running, told

GET = b"GET /livez HTTP/1.1\r\n"
HOST = b"Host: x\r\n"
END = b"\r\n"
POST = b"POST /v1/auth/refresh HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
SMUGGLED = GET + HOST + END

MALFORMED = {
    "both lengths": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "both lengths, turned": POST
    + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "the same length twice": POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a list of lengths": POST + b"Content-Length: 2, 2\r\n\r\n{}",
    "a signed length": POST + b"Content-Length: +2\r\n\r\n{}",
    "a negative length": POST + b"Content-Length: -2\r\n\r\n{}",
    "a length in hexadecimal": POST + b"Content-Length: 0x2\r\n\r\n{}",
    "a length beyond numbers": POST + b"Content-Length: 99999999999999999999999\r\n\r\n{}",
    "no length": POST + b"Content-Length: \r\n\r\n{}",
    "an unknown coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a coding before": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a coding after": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n",
    "chunked in 1.0": CHUNKED.replace(b"1.1", b"1.0") + b"0\r\n\r\n",
    "a coding behind a tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "a space before the colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a folded line": GET + HOST + b"X-A: a\r\n b\r\n\r\n",
    "a folded coding": POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "bare line feeds": b"GET /livez HTTP/1.1\nHost: x\n\n",
    "one bare line feed": GET + b"Host: x\nX-A: b\r\n\r\n",
    "a bare carriage return": GET + b"Host: x\rX-A: b\r\n\r\n",
    "a carriage return in a value": GET + HOST + b"X-A: a\rb\r\n\r\n",
    "a NUL in a value": GET + HOST + b"X-A: a\x00b\r\n\r\n",
    "a control character in a value": GET + HOST + b"X-A: a\x01b\r\n\r\n",
    "a NUL in a name": GET + HOST + b"X\x00A: a\r\n\r\n",
    "a space in a name": GET + HOST + b"X A: b\r\n\r\n",
    "no name": GET + HOST + b": b\r\n\r\n",
    "no colon": GET + HOST + b"X-A\r\n\r\n",
    "a space before the first name": GET + b" " + HOST + END,
    "no host": GET + END,
    "two hosts": GET + HOST + b"Host: y\r\n\r\n",
    "no name of a host": GET + b"Host: a b/c\r\n\r\n",
    "two proofs": GET + HOST + b"Authorization: Bearer a\r\n" * 2 + END,
    "a NUL in the path": b"GET /liv\x00ez HTTP/1.1\r\nHost: x\r\n\r\n",
    "a control character in the query": b"GET /livez?a=\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes beyond ASCII in the path": b"GET /liv\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n",
    "tabs between the words": b"GET\t/livez\tHTTP/1.1\r\nHost: x\r\n\r\n",
    "a version to come": b"GET /livez HTTP/2.0\r\nHost: x\r\n\r\n",
    "no version": b"GET /livez\r\n\r\n",
    "an unknown method": b"BREW /livez HTTP/1.1\r\nHost: x\r\n\r\n",
    "a handshake of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + END,
    "a line feed in a chunk's extension": CHUNKED + b"2;a\nb\r\n{}\r\n0\r\n\r\n",
    "chunks with bare line feeds": CHUNKED + b"2\n{}\n0\n\n",
    "a negative chunk": CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n",
    "a chunk in another notation": CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n",
    "a chunk beyond numbers": CHUNKED + b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    "a space behind a chunk's size": CHUNKED + b"2 \r\n{}\r\n0\r\n\r\n",
    "a chunk that is longer than it says": CHUNKED + b"2\r\n{}x\r\n0\r\n\r\n",
    "a length in a trailer": CHUNKED + b"2\r\n{}\r\n0\r\nContent-Length: 5\r\n\r\n",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async with running(tmp_path_factory.mktemp("smuggling")) as gateway:
        yield gateway


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", MALFORMED)
async def test_what_can_be_read_in_two_ways_is_refused_and_ends_the_connection(
    served: Running, case: str
) -> None:
    answer = await told(served, MALFORMED[case] + SMUGGLED)

    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert lines[0] == "http/1.1 400 bad request"
    assert answer.count(b"HTTP/1.1 ") == 1
    headers = dict(line.split(": ", 1) for line in lines[1:])
    assert headers["connection"] == "close"
    assert headers["content-type"] == "application/problem+json"
    assert headers.keys() >= {name.lower() for name in SECURITY_HEADERS}
    problem = json.loads(body)
    assert problem["type"] == "/docs/problems#malformed"
    assert problem["request_id"] == headers["x-request-id"]


@pytest.mark.asyncio(loop_scope="module")
async def test_bytes_behind_a_request_that_waits_are_no_answer_to_it(served: Running) -> None:
    sign_in = b"username=admin&password=not+the+password"
    head = b"POST /v1/auth/token HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n" % len(sign_in)
    form = b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"

    answer = await told(served, head + form + sign_in + b"\x00\x00\r\n\r\n")

    assert b"malformed" not in answer


@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_plain_is_answered_however_it_is_written(served: Running) -> None:
    plain = {
        GET + b"hOST:x\r\nCONNECTION:close\r\n\r\n": b"200",
        GET + b"Host: [::1]:80\r\nConnection: close\r\n\r\n": b"200",
        b"\r\n" + GET + HOST + b"Connection: close\r\n\r\n": b"200",
        b"GET /livez HTTP/1.0\r\n\r\n": b"200",
        GET + HOST + b"X-A: \xff\r\nConnection: close\r\n\r\n": b"200",
        CHUNKED.replace(b"chunked", b"Chunked\r\nConnection: close")
        + b"2;a=b\r\n{}\r\n0\r\n\r\n": b"422",
        POST
        + b"Content-Encoding: gzip\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}": b"415",
    }
    for sent, status in plain.items():
        assert (await told(served, sent)).split()[1] == status, sent


@pytest.mark.asyncio(loop_scope="module")
async def test_extensions_of_chunks_do_not_go_on_for_ever(served: Running) -> None:
    answer = await told(served, CHUNKED + b"2;" + b"a" * 8_000_000)

    # A reset may overtake the answer; what counts is that nobody goes on reading.
    assert answer == b"" or (answer.startswith(b"HTTP/1.1 431 ") and b"#head-too-large" in answer)
