"""The machine that writes summaries: a language model behind an OpenAI-compatible endpoint.

Importing this needs the extra ``narrative``, so it is done only where an endpoint is set.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Self

import httpx2
from openai import APIStatusError, AsyncOpenAI, OpenAIError
from pydantic import BaseModel, Field, ValidationError

from services.gateway import errors
from services.gateway.narrative.facts import Facts
from services.gateway.narrative.wording import Wording

_MOST_BYTES = 64 * 1024
_SENT = frozenset({b"authorization", b"content-length", b"content-type", b"host", b"user-agent"})


class Author:
    """Asks for summaries; it knows of an analysis what ``Facts`` has."""

    def __init__(self, client: AsyncOpenAI, model: str, timeout_s: float) -> None:
        """Build over a client of an endpoint.

        Args:
            client: asks once, and follows no redirect.
            model: to ask for.
            timeout_s: seconds that an answer may take from its first byte to its last.

        """
        self._client = client
        self._model = model
        self._timeout_s = timeout_s

    async def write(self, facts: Facts, wording: Wording) -> str:
        """Return what the machine answers, in one paragraph; nobody has looked at it yet.

        Raises:
            DeadlinePassedError: no answer in time.
            UnavailableError: the endpoint does not answer, or refuses to.
            UpstreamError: its answer is none of a chat, or too large.

        """
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._client.chat.completions.with_raw_response.create(
                    model=self._model,
                    messages=[
                        {"role": "system", "content": wording.instructions},
                        {"role": "user", "content": facts.model_dump_json()},
                    ],
                )
            said = _Completion.model_validate_json(answer.content)
        except TimeoutError as error:
            raise errors.DeadlinePassedError("no summary in time") from error
        except APIStatusError as error:
            # What it says beyond that may be anything, and would stand in the log.
            raise errors.UnavailableError(f"the endpoint answers {error.status_code}") from None
        except (OpenAIError, httpx2.HTTPError):
            raise errors.UnavailableError("the endpoint does not answer as HTTP has it") from None
        except ValidationError:
            raise errors.UpstreamError("the endpoint's answer is none of a chat") from None
        return " ".join(said.choices[0].message.content.split())


class _Message(BaseModel):
    content: str


class _Choice(BaseModel):
    message: _Message


class _Completion(BaseModel):
    """What is read of an answer; the client's own shapes are not checked."""

    choices: list[_Choice] = Field(min_length=1)


@asynccontextmanager
async def writing(url: str, key: str, model: str, timeout_s: float) -> AsyncIterator[Author]:
    """Open what asks an endpoint.

    Args:
        url: of the endpoint.
        key: for it.
        model: to ask for.
        timeout_s: seconds that an answer may take.

    """
    async with AsyncExitStack() as stack:
        tls = ssl.create_default_context()
        transport = _Narrow(httpx2.AsyncHTTPTransport(verify=tls))
        http = await stack.enter_async_context(
            httpx2.AsyncClient(transport=transport, follow_redirects=False, trust_env=False)
        )
        client = AsyncOpenAI(
            base_url=url, api_key=key, max_retries=0, timeout=timeout_s, http_client=http
        )
        yield Author(client, model, timeout_s)


class _Narrow(httpx2.AsyncBaseTransport):
    """Lets out the headers that a request needs, and in no more than an answer can be.

    The client would tell of this machine, and add headers that the environment names.
    """

    def __init__(self, within: httpx2.AsyncBaseTransport) -> None:
        self._within = within

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        kept = [(name, value) for name, value in request.headers.raw if name.lower() in _SENT]
        sent = httpx2.Request(
            request.method,
            request.url,
            headers=[*kept, (b"accept-encoding", b"identity")],
            stream=request.stream,
            extensions=request.extensions,
        )
        response = await self._within.handle_async_request(sent)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise httpx2.DecodingError("an answer that was packed though nobody asked for it")
        return httpx2.Response(
            response.status_code, headers=response.headers, stream=_Bounded(response)
        )

    async def __aenter__(self) -> Self:
        await self._within.__aenter__()
        return self

    async def aclose(self) -> None:
        await self._within.aclose()


class _Bounded(httpx2.AsyncByteStream):
    """A body that ends in an error where it grows too large."""

    def __init__(self, within: httpx2.Response) -> None:
        self._within = within

    async def __aiter__(self) -> AsyncIterator[bytes]:
        length = 0
        async for part in self._within.aiter_raw():
            length += len(part)
            if length > _MOST_BYTES:
                raise httpx2.DecodingError("an answer too large for a summary")
            yield part

    async def aclose(self) -> None:
        await self._within.aclose()
