"""Accounts and sign-ins under contention, on both databases."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from services.gateway import errors
from services.gateway.database import EVERYTHING, Database
from services.gateway.identity import (
    Access,
    Accounts,
    Attempts,
    FactorCodes,
    Idleness,
    LastUse,
    Origin,
    Passwords,
    PasswordSignIns,
    SecondFactors,
    SignIns,
    TokenPair,
)
from services.gateway.identity.sign_ins import GRACE
from services.gateway.records import Role, User
from services.gateway.security import passwords, tokens
from services.gateway.security.key_ring import KeyRing
from services.gateway.security.sealing import Seal
from tests.gateway.conftest import PASSWORD

IDLENESS = Idleness.of(3600, 900)


@pytest.fixture
def accounts(records: Database) -> Accounts:
    return Accounts(records, Passwords(records, Attempts(records)))


@pytest.fixture
def access_tokens(tmp_path_factory: pytest.TempPathFactory) -> tokens.AccessTokens:
    return tokens.AccessTokens(KeyRing(tmp_path_factory.mktemp("keys") / "key.pem"), 900)


def sign_ins_of(
    records: Database, access_tokens: tokens.AccessTokens, grace: timedelta = GRACE
) -> SignIns:
    return SignIns(records, access_tokens, 3600, IDLENESS, grace)


@pytest.fixture
def sign_ins(records: Database, access_tokens: tokens.AccessTokens) -> SignIns:
    return sign_ins_of(records, access_tokens)


@pytest.fixture
def by_password(records: Database, sign_ins: SignIns) -> PasswordSignIns:
    attempts = Attempts(records)
    passwords = Passwords(records, attempts)
    codes = FactorCodes(Seal(bytes(32)))
    factors = SecondFactors(records, passwords, attempts, codes, "dermserve")
    return PasswordSignIns(records, passwords, attempts, sign_ins, codes, factors)


async def test_of_many_who_want_a_name_one_gets_it(accounts: Accounts) -> None:
    outcomes = await asyncio.gather(
        *(accounts.create("alice", PASSWORD) for _ in range(3)), return_exceptions=True
    )

    assert sum(isinstance(outcome, errors.ConflictError) for outcome in outcomes) == 2


async def test_the_first_administrator_is_made_once_however_many_boot(accounts: Accounts) -> None:
    shown = await asyncio.gather(*(accounts.ensure_admin(None) for _ in range(3)))

    assert sum(password is not None for password in shown) == 1
    assert [user.username for user in (await accounts.page(EVERYTHING, 10, None)).items] == [
        "admin"
    ]


async def test_administrators_who_remove_each_other_at_once_leave_one(accounts: Accounts) -> None:
    names = ["ann", "ben"]
    for name in names:
        await accounts.create(name, PASSWORD, Role.ADMIN)

    # Both have a connection already, so that neither is done before the other begins.
    await asyncio.gather(*(accounts.page(EVERYTHING, 1, None) for _ in names))
    await asyncio.gather(*(accounts.disable(name) for name in names), return_exceptions=True)

    left = [user for user in (await accounts.page(EVERYTHING, 10, None)).items if not user.disabled]
    assert len(left) == 1


async def test_a_user_disabled_by_whatever_means_is_out_at_once(
    records: Database,
    accounts: Accounts,
    sign_ins: SignIns,
    by_password: PasswordSignIns,
    access_tokens: tokens.AccessTokens,
) -> None:
    access = Access(records, access_tokens, LastUse(records), IDLENESS)
    pair = await by_password.begin_for(await accounts.create("alice", PASSWORD))
    assert (await access.identify(pair.access_token)).user.username == "alice"

    await records.write(lambda session: session.execute(update(User).values(disabled=True)))

    for attempt in (
        access.identify(pair.access_token),
        sign_ins.refresh(pair.refresh_token),
        by_password.begin("alice", PASSWORD, Origin()),
    ):
        with pytest.raises(errors.UnauthenticatedError):
            await attempt


@pytest.mark.parametrize("name", ["nobody", "no\0body"])
async def test_unknown_users_are_named(accounts: Accounts, name: str) -> None:
    for look_for in (accounts.promote, accounts.disable):
        with pytest.raises(errors.NotFoundError) as told:
            await look_for(name)
        assert repr(name) in str(told.value)


async def test_of_many_who_hold_a_refresh_token_none_or_one_stays_signed_in(
    accounts: Accounts, sign_ins: SignIns, by_password: PasswordSignIns
) -> None:
    first = await by_password.begin_for(await accounts.create("alice", PASSWORD))

    pairs = await asyncio.gather(
        *(sign_ins.refresh(first.refresh_token) for _ in range(4)), return_exceptions=True
    )

    assert any(isinstance(pair, TokenPair) for pair in pairs)
    alive = 0
    for pair in pairs:
        if not isinstance(pair, BaseException):
            try:
                await sign_ins.refresh(pair.refresh_token)
            except errors.UnauthenticatedError:
                continue
            alive += 1
    assert alive <= 1


async def test_without_grace_the_second_use_ends_the_sign_in(
    records: Database,
    accounts: Accounts,
    by_password: PasswordSignIns,
    access_tokens: tokens.AccessTokens,
) -> None:
    strict = sign_ins_of(records, access_tokens, grace=timedelta(0))
    access = Access(records, access_tokens, LastUse(records), IDLENESS)
    first = await by_password.begin_for(await accounts.create("alice", PASSWORD))
    second = await strict.refresh(first.refresh_token)
    assert (await access.identify(second.access_token)).user.username == "alice"

    with pytest.raises(errors.UnauthenticatedError):
        await strict.refresh(first.refresh_token)

    with pytest.raises(errors.UnauthenticatedError):
        await access.identify(second.access_token)


def test_passwords_are_kept_as_argon2id_at_owasps_floor_or_above() -> None:
    stored = passwords.hashed(PASSWORD)

    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert stored != passwords.hashed(PASSWORD)
    assert passwords.matches(PASSWORD, stored)
    assert not passwords.matches(PASSWORD + " ", stored)
    assert not passwords.matches(PASSWORD, "not a hash")
    assert not passwords.matches("anything", None)
    assert passwords.MIN_LENGTH <= len(passwords.invented()) <= passwords.MAX_LENGTH
