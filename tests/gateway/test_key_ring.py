"""The signing key is changed while the gateway serves, and nobody is signed out."""

import asyncio
import os
import time
from pathlib import Path

import jwt
import pytest
from typer.testing import CliRunner

from services.cli import keys as command
from services.gateway.boot import SIGNING_KEY
from services.gateway.security import key_ring
from services.gateway.security.key_ring import KeyRing, former_folder, rotate
from services.gateway.security.tokens import AUDIENCE, AccessTokens, Claims, InvalidTokenError
from tests.gateway.conftest import PASSWORD, Client, Gateway, Start
from tests.gateway.leaks import WATCH

LONGEST_S = 15 * 60
"""How long an access token lives at most."""

CLAIMS = Claims("a user", "a sign-in")


@pytest.fixture(autouse=True)
def look_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are looked at whenever a key is asked for, not only once a second."""
    monkeypatch.setattr(key_ring, "_LOOK_S", 0)


async def token_of(gateway: Gateway) -> str:
    form = {"username": "admin", "password": "correct horse battery"}
    answer = await gateway.anonymous("POST", "/v1/auth/token", data=form)
    return str(answer.json()["access_token"])


async def test_after_a_rotation_the_new_key_signs_and_older_tokens_are_good(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DERMSERVE_DATA_DIR", str(either.settings.data_dir))
    before = await either.signed_in("alice")

    done = await asyncio.to_thread(CliRunner().invoke, command.app, ["rotate"])

    assert done.exit_code == 0, done.output
    after = await token_of(either)
    published = (await either.anonymous("GET", "/.well-known/jwks.json")).json()
    names = [key["kid"] for key in published["keys"]]
    assert before.token is not None
    assert names == [
        jwt.get_unverified_header(after)["kid"],
        jwt.get_unverified_header(before.token)["kid"],
    ]
    assert done.output.startswith(names[0])
    for token in (before.token, after):
        assert (await Client(either.http, token)("GET", "/v1/me")).status_code == 200
        key = jwt.PyJWKSet.from_dict(published)[jwt.get_unverified_header(token)["kid"]]
        assert jwt.decode(token, key, ["EdDSA"], audience=AUDIENCE)
    assert not any("d" in key for key in published["keys"])


def retired_before(path: Path, seconds: float) -> None:
    """Have all former keys been retired so long ago."""
    then = time.time() - seconds
    for kept in (*former_folder(path).iterdir(), former_folder(path)):
        os.utime(kept, (then, then))


async def pair_of(gateway: Gateway) -> dict[str, str]:
    form = {"username": "alice", "password": PASSWORD}
    pair: dict[str, str] = (await gateway.anonymous("POST", "/v1/auth/token", data=form)).json()
    return pair


async def test_a_rotation_signs_nobody_out_at_any_replica(start: Start, database_url: str) -> None:
    async with start(database_url=database_url) as one, start(database_url=database_url) as other:
        path = one.settings.data_dir / SIGNING_KEY
        await one.signed_in("alice")
        before, later = await pair_of(one), await pair_of(other)
        rotate(path)
        after = await pair_of(one)
        rotate(path)  # once more, while tokens of both that were before are good

        async def welcome(pair: dict[str, str]) -> list[int]:
            callers = [Client(each.http, pair["access_token"]) for each in (one, other)]
            return [(await caller("GET", "/v1/me")).status_code for caller in callers]

        assert [await welcome(each) for each in (before, later, after)] == [[200, 200]] * 3
        published = [
            (await each.anonymous("GET", "/.well-known/jwks.json")).json() for each in (one, other)
        ]
        assert published[0] == published[1]
        assert len(published[0]["keys"]) == 3

        # As long as the last lives: it was signed a second later, and clocks differ by five.
        retired_before(path, LONGEST_S + 6)
        assert [await welcome(each) for each in (before, later, after)] == [[200, 200]] * 3
        # Until no key is believed any more that signed one of these.
        retired_before(path, key_ring.BELIEVED_S)
        assert [await welcome(each) for each in (before, later, after)] == [[401, 401]] * 3
        for pair, replica in ((before, other), (later, one), (after, other)):
            body = {"refresh_token": pair["refresh_token"]}
            answer = await replica.anonymous("POST", "/v1/auth/refresh", json=body)
            assert await welcome(answer.json()) == [200, 200]


async def test_a_key_in_wrong_hands_is_believed_no_more_and_refreshing_goes_on(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DERMSERVE_DATA_DIR", str(either.settings.data_dir))
    await either.signed_in("alice")
    pair = await pair_of(either)
    old = Client(either.http, pair["access_token"])
    assert (await old("GET", "/v1/me")).status_code == 200

    done = await asyncio.to_thread(CliRunner().invoke, command.app, ["rotate", "--at-once"])
    assert done.exit_code == 0, done.output

    assert (await old("GET", "/v1/me")).status_code == 401
    body = {"refresh_token": pair["refresh_token"]}
    fresh = (await either.anonymous("POST", "/v1/auth/refresh", json=body)).json()
    assert (await Client(either.http, fresh["access_token"])("GET", "/v1/me")).status_code == 200


async def test_a_former_key_is_believed_as_long_as_its_tokens_live_and_then_removed(
    tmp_path: Path,
) -> None:
    path = tmp_path / SIGNING_KEY
    ring = KeyRing(path)
    tokens = AccessTokens(ring, 900)
    former, old = await ring.newest(), await tokens.issue(CLAIMS)
    rotate(path)
    assert await tokens.read(old) == CLAIMS

    retired = time.time() - key_ring.BELIEVED_S - 1
    kept = former_folder(path) / f"{former.id}.pem"
    os.utime(kept, (retired, retired))
    os.utime(kept.parent, (retired, retired))

    with pytest.raises(InvalidTokenError):
        await tokens.read(old)
    assert [key["kid"] for key in await ring.jwks()] == [(await ring.newest()).id]
    second = await ring.newest()
    rotate(path)
    assert [file.stem for file in kept.parent.iterdir()] == [second.id]


async def test_replicas_that_share_the_folder_believe_each_others_newest_key(
    tmp_path: Path,
) -> None:
    path = tmp_path / SIGNING_KEY
    one, other = (AccessTokens(KeyRing(path), 900) for _ in range(2))
    before = await other.issue(CLAIMS)

    rotate(path)

    assert await other.read(await one.issue(CLAIMS)) == CLAIMS
    assert await one.read(before) == CLAIMS


def test_keys_are_for_their_owner_only_and_nothing_is_left_behind(tmp_path: Path) -> None:
    path = tmp_path / SIGNING_KEY
    KeyRing(path)
    rotate(path)

    assert path.stat().st_mode & 0o077 == 0
    assert {file.name for file in tmp_path.iterdir()} == {SIGNING_KEY, "former-keys"}
    (former,) = former_folder(path).iterdir()
    assert b"PRIVATE" not in former.read_bytes()


async def test_a_ring_whose_files_are_spoilt_goes_on_with_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / SIGNING_KEY
    tokens = AccessTokens(KeyRing(path), 900)
    token = await tokens.issue(CLAIMS)

    path.write_text("spoilt")

    assert await tokens.read(token) == CLAIMS
    assert await tokens.read(await tokens.issue(CLAIMS)) == CLAIMS


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PUBLIC KEY-----\n"])
async def test_a_spoilt_former_key_is_skipped_and_the_others_are_believed(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / SIGNING_KEY
    tokens = AccessTokens(KeyRing(path), 900)
    token = await tokens.issue(CLAIMS)
    rotate(path)

    with WATCH.captured() as lines:
        (former_folder(path) / "spoilt.pem").write_bytes(content)
        assert await tokens.read(token) == CLAIMS
        assert await AccessTokens(KeyRing(path), 900).read(token) == CLAIMS

    assert {line["file"] for line in lines} == {"spoilt.pem"}
    assert str(tmp_path) not in str(lines)


def test_a_former_key_appears_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / SIGNING_KEY
    KeyRing(path)

    def fail(_: int) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="full"):
            rotate(path)

    assert list(former_folder(path).iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_root_rotates_belongs_to_whom_the_key_belonged(tmp_path: Path) -> None:
    path = tmp_path / SIGNING_KEY
    KeyRing(path)
    os.chown(path, 12345, 12346)

    rotate(path)

    for made in (path, former_folder(path), *former_folder(path).iterdir()):
        assert (made.stat().st_uid, made.stat().st_gid) == (12345, 12346)


async def test_a_ring_that_cannot_be_read_is_logged_once(tmp_path: Path) -> None:
    path = tmp_path / SIGNING_KEY
    ring = KeyRing(path)

    with WATCH.captured() as lines:
        path.write_text("spoilt")
        for _ in range(3):
            await ring.newest()

    assert [(line["log_level"], line["file"]) for line in lines] == [("error", SIGNING_KEY)]


async def test_a_token_of_a_key_that_is_a_moment_old_is_good_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / SIGNING_KEY
    other = AccessTokens(KeyRing(path), 900)
    await other.read(await other.issue(CLAIMS))
    monkeypatch.setattr(key_ring, "_LOOK_S", 3600)

    rotate(path)

    assert await other.read(await AccessTokens(KeyRing(path), 900).issue(CLAIMS)) == CLAIMS
