"""Identity providers on real sockets: one that others wrote, and one that does as a test says."""

import asyncio
import base64
import contextlib
import hashlib
import json
import re
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

import httpx
import uvicorn
from fastapi import FastAPI
from joserfc import jws
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.gateway.leaks import WATCH

CLIENT_ID = "dermserve"
CLIENT_SECRET = "a secret: of 100 % +"
PUBLIC_URL = "https://gateway"

Claims = dict[str, Any]


def settings(issuer: str, **changes: Any) -> dict[str, Any]:
    """What a gateway needs to know of a provider."""
    known = {
        "oidc_issuer": issuer,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": CLIENT_SECRET,
        "public_url": PUBLIC_URL,
        "oidc_create_users": True,
        "oidc_default_role": "viewer",
    }
    return known | changes


@contextlib.contextmanager
def mock_provider() -> Iterator[str]:
    """Run ``oidc-provider-mock`` as a process; yields its issuer."""
    command = (sys.executable, "-m", "oidc_provider_mock", "--port", "0", "--require-nonce", "true")
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            lines = map(re.compile(r"running on (http://[\d.]+:\d+)").search, process.stderr)
            issuer = next(filter(None, lines)).group(1)
            # It goes on writing, and must not wait for a reader.
            threading.Thread(target=process.stderr.read, daemon=True).start()
            yield issuer
        finally:
            process.terminate()


async def signed_in_there(address: str, sub: str, **claims: Any) -> str:
    """Sign in at the mock's page; return where it sends the browser."""
    async with httpx.AsyncClient(timeout=60) as http:
        issuer = "{0.scheme}://{0.netloc}".format(urlsplit(address))
        await http.put(f"{issuer}/users/{sub}", json=claims)
        answer = await http.post(address, data={"sub": sub})
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


@dataclass
class ScriptedProvider:
    """A provider that keeps the rules, but for what a test changes."""

    issuer: str = ""
    says_issuer: bool = True
    keys: list[RSAKey] = field(default_factory=lambda: [new_key()])
    claims: Claims = field(default_factory=dict)
    """What is said of the person; over what is said by the rules."""
    sign: Callable[[Claims], str] | None = None
    asked: list[str] = field(default_factory=list)
    """Paths that the gateway asked for."""
    encodings: list[str | None] = field(default_factory=list)
    """How it would have each answer packed."""
    down: bool = False
    instead_of_keys: Callable[[], Response] | None = None
    auth_methods: list[str] = field(default_factory=lambda: ["client_secret_basic"])
    metadata: Claims = field(default_factory=dict)
    """What it says of itself; over what it says by the rules."""
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def authorize(self, address: str, **changes: str) -> str:
        """Sign somebody in; return where the browser goes, path and query."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe()
        self._codes[code] = asked
        WATCH.plant(CLIENT_SECRET, code, asked["state"])
        answer = {"code": code, "state": asked["state"]}
        if self.says_issuer:
            answer["iss"] = self.issuer
        back = urlsplit(asked["redirect_uri"])
        return f"{back.path}?{urlencode(answer | changes)}"

    async def sign_in(self, visitor: "Browser", **changes: str) -> httpx.Response:
        """Have somebody go there and come back; return the gateway's answer."""
        return await visitor.http.get(self.authorize(await visitor.begin(), **changes))

    def app(self) -> Starlette:
        """What answers over HTTP."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._metadata),
                Route("/keys", self._keys),
                Route("/token", self._token, methods=["POST"]),
            ]
        )

    def _note(self, request: Request) -> None:
        self.asked.append(request.url.path)
        self.encodings.append(request.headers.get("accept-encoding"))

    async def _metadata(self, request: Request) -> JSONResponse:
        self._note(request)
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "authorization_response_iss_parameter_supported": self.says_issuer,
            "token_endpoint_auth_methods_supported": self.auth_methods,
        }
        return JSONResponse(told | self.metadata, 503 if self.down else 200)

    async def _keys(self, request: Request) -> Response:
        self._note(request)
        if self.instead_of_keys is not None:
            return self.instead_of_keys()
        unknown = {"kty": "of another day", "kid": "unknown"}
        listed = [unknown, *KeySet(list(self.keys)).as_dict()["keys"]]
        return JSONResponse({"keys": listed}, 503 if self.down else 200)

    async def _token(self, request: Request) -> JSONResponse:
        self._note(request)
        if self.down:
            return JSONResponse({}, 503)
        form = {name: str(value) for name, value in (await request.form()).items()}
        if not self._knows(request, form):
            return JSONResponse({"error": "invalid_client"}, 401)
        asked = self._codes.pop(form["code"], None)
        if asked is None or asked["redirect_uri"] != form["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        assert asked["code_challenge"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return JSONResponse(
            {
                "access_token": "an access token",
                "token_type": "Bearer",
                "id_token": self._id_token(asked["nonce"]),
            }
        )

    def _knows(self, request: Request, form: dict[str, str]) -> bool:
        if self.auth_methods == ["none"]:
            return form.get("client_id") == CLIENT_ID
        if self.auth_methods == ["client_secret_post"]:
            return (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
        sent = base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
        name, _, secret = sent.partition(":")
        return (unquote_plus(name), unquote_plus(secret)) == (CLIENT_ID, CLIENT_SECRET)

    def _id_token(self, nonce: str) -> str:
        moment = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": "of alice",
            "aud": CLIENT_ID,
            "iat": moment,
            "exp": moment + 300,
            "nonce": nonce,
        } | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.sign is not None:
            return self.sign(claims)
        return signed(claims, self.keys[-1])


def new_key() -> RSAKey:
    """A key of the provider."""
    return RSAKey.generate_key(2048, auto_kid=True)


def signed(claims: Claims, key: RSAKey) -> str:
    """An ID token, whatever its claims are."""
    return jws.serialize_compact({"alg": "RS256", "kid": key.kid}, json.dumps(claims).encode(), key)


@contextlib.asynccontextmanager
async def scripted_provider() -> AsyncIterator[ScriptedProvider]:
    """Run a provider that does as a test says."""
    provider = ScriptedProvider()
    config = uvicorn.Config(provider.app(), port=0, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    listener = config.bind_socket()
    provider.issuer = f"http://127.0.0.1:{listener.getsockname()[1]}"
    serving = asyncio.create_task(server._serve([listener]))
    try:
        yield provider
    finally:
        server.should_exit = True
        await serving
        listener.close()


@dataclass
class Browser:
    """Keeps cookies, and goes where it is sent."""

    app: FastAPI
    http: httpx.AsyncClient

    async def begin(self, **query: str) -> str:
        """Begin to sign in; return where the provider is asked."""
        answer = await self.http.get("/v1/auth/oidc", params=query)
        assert answer.status_code == 302, answer.text
        WATCH.see({}, answer)
        return str(answer.headers["Location"])

    async def kept_out(self, answer: httpx.Response) -> bool:
        """Say whether nobody came in with an answer of the provider."""
        assert answer.json()["type"] == "/docs/problems#sign-in-failed", answer.text
        return answer.status_code == 401 and (await self.tokens()).status_code == 401

    async def tokens(self) -> httpx.Response:
        """Fetch the tokens that wait for it."""
        answer = await self.http.post("/v1/auth/oidc/token")
        WATCH.see({}, answer)
        return answer


@contextlib.asynccontextmanager
async def browser(app: FastAPI) -> AsyncIterator[Browser]:
    """A browser at the gateway."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as http:
        yield Browser(app, http)
