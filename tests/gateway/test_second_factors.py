"""Second factors: set up, confirmed, kept, renewed and removed."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col

from services.gateway.boot import open_records
from services.gateway.identity.second_factors import CONFIRMED_WITHIN
from services.gateway.records import FamiliarPlace, RecoveryCode, SecondFactor, now
from tests.gateway.audited import Row, rows
from tests.gateway.conftest import PASSWORD, Client, Gateway
from tests.gateway.telephones import Clock, begun, confirmed, removed, set_up, standing
from tests.gateway.test_password_resets import issued, redeemed
from tests.gateway.test_passwords import NEW, sign_in

RECOVERY_CODES = 10


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock.standing(monkeypatch)


def said(row: Row) -> object:
    return json.loads(row["detail"] or "null")


async def id_of(client: Client) -> str:
    return str((await client("GET", "/v1/me")).json()["id"])


async def test_a_second_factor_is_in_force_when_a_code_confirms_it_and_not_before(
    either: Gateway, clock: Clock
) -> None:
    alice = await either.signed_in()
    before = await standing(alice)
    telephone = await begun(alice, clock)
    meanwhile = await standing(alice), (await sign_in(either, "alice", PASSWORD)).status_code
    wrong = await confirmed(alice, telephone.wrong())
    right = await confirmed(alice, telephone.code())

    assert (before, meanwhile) == ((False, 0), ((False, 0), 200))
    assert (wrong.status_code, right.status_code) == (403, 200)
    assert len(set(right.json()["recovery_codes"])) == RECOVERY_CODES
    assert await standing(alice) == (True, RECOVERY_CODES)
    assert (await sign_in(either, "alice", PASSWORD)).status_code == 401


async def test_who_does_not_know_the_password_begins_none(either: Gateway) -> None:
    alice = await either.signed_in()
    wrong = {"current_password": "not the password"}

    assert (await alice("PUT", "/v1/me/second-factor", json=wrong)).status_code == 403
    assert (await confirmed(alice, "123456")).status_code == 409


async def test_what_was_begun_can_be_confirmed_for_a_quarter_of_an_hour(
    either: Gateway, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await either.signed_in()
    telephone = await begun(alice, clock)
    later = now() + CONFIRMED_WITHIN + timedelta(seconds=1)
    monkeypatch.setattr("services.gateway.identity.second_factors.now", lambda: later)

    assert (await confirmed(alice, telephone.code())).status_code == 409
    assert await standing(alice) == (False, 0)


async def test_to_begin_anew_makes_another_secret_and_nothing_while_one_is_in_force(
    either: Gateway, clock: Clock
) -> None:
    alice = await either.signed_in()
    first, second = [await begun(alice, clock) for _ in range(2)]
    refused = (await confirmed(alice, first.code())).status_code
    taken = (await confirmed(alice, second.code())).status_code
    again = await alice("PUT", "/v1/me/second-factor", json={"current_password": PASSWORD})

    assert first.secret != second.secret
    assert (refused, taken, again.status_code) == (403, 200, 409)


async def test_secrets_are_kept_sealed_and_recovery_codes_as_digests(
    either: Gateway, clock: Clock
) -> None:
    alice, bob = await either.signed_in(), await either.signed_in("bob")
    telephones = [await set_up(each, clock) for each in (alice, bob)]
    async with open_records(either.settings) as records:
        kept = await records.read(lambda s: list(s.scalars(select(col(SecondFactor.sealed)))))
        digests = await records.read(lambda s: list(s.scalars(select(col(RecoveryCode.digest)))))

    assert len(set(kept)) == 2
    assert len(set(digests)) == 2 * RECOVERY_CODES
    for telephone in telephones:
        assert not any(telephone.secret in each for each in kept)
        assert not {code.replace("-", "") for code in telephone.recovery_codes} & set(digests)


async def test_what_is_set_up_or_removed_ends_all_other_sign_ins(
    either: Gateway, clock: Clock
) -> None:
    alice, other, bob = [await either.signed_in(name) for name in ("alice", "carol", "bob")]
    other.token = (await sign_in(either, "alice", PASSWORD)).json()["access_token"]

    telephone = await set_up(alice, clock)
    ended = [(await each("GET", "/v1/me")).status_code for each in (alice, other, bob)]
    body = {"username": "alice", "password": PASSWORD, "code": telephone.code()}
    other.token = (await either.anonymous("POST", "/v1/auth/token", data=body)).json()[
        "access_token"
    ]
    assert (await other("GET", "/v1/me")).status_code == 200
    assert await removed(alice, telephone.recovery_codes[0]) == 204

    assert ended == [200, 401, 200]
    assert [(await each("GET", "/v1/me")).status_code for each in (alice, other)] == [200, 401]


async def test_to_remove_it_takes_the_password_and_a_code(either: Gateway, clock: Clock) -> None:
    alice = await either.signed_in()
    telephone = await set_up(alice, clock)
    refused = [
        await removed(alice, telephone.wrong()),
        await removed(alice, telephone.code(), "not the password"),
    ]
    kept = await standing(alice)

    assert (refused, kept) == ([403, 403], (True, RECOVERY_CODES))
    assert await removed(alice, telephone.code()) == 204
    assert await standing(alice) == (False, 0)
    assert (await sign_in(either, "alice", PASSWORD)).status_code == 200
    assert await removed(alice, telephone.code(1)) == 409


async def test_wrong_codes_within_a_sign_in_count_as_wrong_passwords_do(
    either: Gateway, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = now()
    monkeypatch.setattr("services.gateway.identity.attempts.moment_of", lambda _: moment)
    alice = await either.signed_in()
    telephone = await set_up(alice, clock)

    statuses = [await removed(alice, telephone.wrong()) for _ in range(11)]

    assert statuses == [403] * 11
    assert await removed(alice, telephone.code()) == 429


async def test_wrong_codes_that_would_confirm_it_count_too(
    either: Gateway, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = now()
    monkeypatch.setattr("services.gateway.identity.attempts.moment_of", lambda _: moment)
    alice = await either.signed_in()
    telephone = await begun(alice, clock)

    statuses = [(await confirmed(alice, telephone.wrong())).status_code for _ in range(11)]

    assert statuses == [403] * 11
    assert (await confirmed(alice, telephone.code())).status_code == 429


async def test_a_code_that_nobody_looked_at_counts_as_no_guess(
    either: Gateway, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = now()
    monkeypatch.setattr("services.gateway.identity.attempts.moment_of", lambda _: moment)
    alice = await either.signed_in()

    for _ in range(6):
        assert (await confirmed(alice, "123456")).status_code == 409
        assert await removed(alice, "123456") == 409

    await set_up(alice, clock)


async def test_a_device_that_was_known_by_the_password_alone_is_strange_again(
    either: Gateway, clock: Clock
) -> None:
    alice = await either.signed_in()
    await sign_in(either, "alice", PASSWORD)
    known = await _places(either)
    await set_up(alice, clock)

    assert (bool(known), await _places(either)) == (True, [])


async def _places(gateway: Gateway) -> list[str]:
    async with open_records(gateway.settings) as records:
        return await records.read(lambda s: list(s.scalars(select(col(FamiliarPlace.digest)))))


async def test_new_recovery_codes_take_the_place_of_those_before(
    either: Gateway, clock: Clock
) -> None:
    alice = await either.signed_in()
    telephone = await set_up(alice, clock)
    body = {"current_password": PASSWORD, "code": telephone.recovery_codes[0]}
    path = "/v1/me/second-factor/recovery-codes"

    renewed = await alice("PUT", path, json=body)
    again = await alice("PUT", path, json=body)

    codes = renewed.json()["recovery_codes"]
    assert (renewed.status_code, again.status_code) == (200, 403)
    assert not set(codes) & set(telephone.recovery_codes)
    assert await standing(alice) == (True, RECOVERY_CODES)
    assert await removed(alice, telephone.recovery_codes[1]) == 403
    assert await removed(alice, codes[0]) == 204


async def test_an_administrator_removes_that_of_another_and_ends_their_sign_ins(
    either: Gateway, clock: Clock
) -> None:
    admin, alice = await either.admin(), await either.signed_in()
    await set_up(alice, clock)
    path = f"/v1/users/{await id_of(alice)}/second-factor"
    done, again = [(await admin("DELETE", path)).status_code for _ in range(2)]

    assert (done, again) == (204, 409)
    assert (await alice("GET", "/v1/me")).status_code == 401
    assert (await sign_in(either, "alice", PASSWORD)).status_code == 200


async def test_an_administrator_removes_their_own_with_a_code_only(
    either: Gateway,
) -> None:
    admin = await either.admin()
    body = {"current_password": "correct horse battery"}
    begun_ = await admin("PUT", "/v1/me/second-factor", json=body)
    path = f"/v1/users/{await id_of(admin)}/second-factor"

    assert begun_.status_code == 200
    assert (await admin("DELETE", path)).status_code == 403


async def test_a_forgotten_password_does_not_take_the_second_factor_away(
    either: Gateway, clock: Clock
) -> None:
    admin, alice = await either.admin(), await either.signed_in()
    telephone = await set_up(alice, clock)
    code = (await issued(admin, alice)).json()["code"]
    assert await redeemed(either, code) == 204

    alone = await sign_in(either, "alice", NEW)
    form = {"username": "alice", "password": NEW, "code": telephone.code()}
    both = await either.anonymous("POST", "/v1/auth/token", data=form)

    assert alone.json()["type"] == "/docs/problems#second-factor-needed"
    assert (alone.status_code, both.status_code) == (401, 200)


async def test_the_audit_says_what_became_of_a_second_factor_and_has_no_code(
    either: Gateway, clock: Clock
) -> None:
    admin, alice = await either.admin(), await either.signed_in()
    ids = await id_of(admin), await id_of(alice)
    telephone = await set_up(alice, clock)
    form = {"username": "alice", "password": PASSWORD}
    for code in (telephone.wrong(), telephone.code(), telephone.recovery_codes[0]):
        await either.anonymous("POST", "/v1/auth/token", data=form | {"code": code})
    await removed(alice, telephone.wrong())
    await admin("DELETE", f"/v1/users/{ids[1]}/second-factor")

    found = [
        (row["action"], row["outcome"], row["user_id"] == ids[0], said(row))
        for row in sorted(await rows(either), key=lambda row: str(row["at"]))
        if row["outcome"] != "begun" and "second_factor" in f"{row['action']} {row['detail']}"
    ]
    assert found == [
        ("second_factor.begin", "done", False, None),
        ("second_factor.confirm", "done", False, None),
        ("sign_ins.begin", "refused", False, {"second_factor": "refused"}),
        ("sign_ins.begin", "done", False, {"second_factor": "code"}),
        ("sign_ins.begin", "done", False, {"second_factor": "recovery_code"}),
        ("second_factor.remove", "refused", False, {"second_factor": "refused"}),
        ("second_factor.remove", "done", True, None),
    ]
    for row in await rows(either, action="second_factor.remove", outcome="done"):
        assert row["subject_ids"] == ids[1]
