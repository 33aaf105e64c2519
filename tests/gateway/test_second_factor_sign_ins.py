"""Sign-ins with a second factor over REST: which codes are good, once, and what the others cost."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.gateway.identity import SignIns, TokenPair, attempts
from services.gateway.records import now
from tests.gateway.conftest import PASSWORD, Client, Gateway, Start
from tests.gateway.telephones import Clock, set_up, standing
from tests.gateway.test_passwords import NEW, change

WAITING = "services.gateway.identity.attempts.moment_of"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    # Nobody's wait is over because the machine was slow.
    moment = now()
    monkeypatch.setattr(WAITING, lambda _: moment)
    return Clock.standing(monkeypatch)


async def sign_in(
    gateway: Gateway, code: str | None = None, password: str = PASSWORD, username: str = "alice"
) -> httpx.Response:
    form = {"username": username, "password": password}
    shown = form if code is None else form | {"code": code}
    return await gateway.anonymous("POST", "/v1/auth/token", data=shown)


def kind(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, str(answer.json().get("type", "")).rpartition("#")[2]


async def test_the_right_password_alone_is_answered_with_a_problem_of_its_own(
    either: Gateway, clock: Clock
) -> None:
    alice = await either.signed_in()
    telephone = await set_up(alice, clock)

    assert kind(await sign_in(either)) == (401, "second-factor-needed")
    assert kind(await sign_in(either, telephone.wrong())) == (401, "code-refused")
    answer = await sign_in(either, telephone.code())
    again = Client(either.http, answer.json()["access_token"])
    assert (await again("GET", "/v1/me")).json()["username"] == "alice"


@pytest.mark.parametrize(("steps", "status"), [(-2, 401), (-1, 200), (0, 200), (1, 200), (2, 401)])
async def test_codes_of_one_step_before_and_after_are_good(
    either: Gateway, clock: Clock, steps: int, status: int
) -> None:
    telephone = await set_up(await either.signed_in(), clock)
    clock.go(5)

    assert (await sign_in(either, telephone.code(steps))).status_code == status


async def test_a_code_is_good_once_and_those_before_it_never_again(
    either: Gateway, clock: Clock
) -> None:
    telephone = await set_up(await either.signed_in(), clock)
    clock.go(5)
    statuses = [
        (await sign_in(either, telephone.code(steps))).status_code for steps in (0, 0, -1, 1)
    ]

    assert statuses == [200, 401, 401, 200]


async def test_the_code_that_confirmed_it_signs_nobody_in(either: Gateway, clock: Clock) -> None:
    telephone = await set_up(await either.signed_in(), clock)

    assert kind(await sign_in(either, telephone.code(-1))) == (401, "code-refused")


async def test_a_recovery_code_is_good_once_however_it_is_typed(
    either: Gateway, clock: Clock
) -> None:
    alice = await either.signed_in()
    first, second, *_ = (await set_up(alice, clock)).recovery_codes
    typed = second.replace("-", " ").upper()
    statuses = [(await sign_in(either, code)).status_code for code in (first, first, typed)]

    assert statuses == [200, 401, 200]
    assert await standing(alice) == (True, 8)


async def test_a_code_of_somebody_else_is_no_good(either: Gateway, clock: Clock) -> None:
    await set_up(await either.signed_in(), clock)
    of_bob = await set_up(await either.signed_in("bob"), clock)

    assert kind(await sign_in(either, of_bob.recovery_codes[0])) == (401, "code-refused")
    answer = await sign_in(either, of_bob.recovery_codes[0], username="bob")
    assert answer.status_code == 200


@pytest.mark.parametrize("recovery", [False, True])
async def test_a_code_is_not_used_up_by_a_sign_in_that_is_refused_for_another_reason(
    either: Gateway, clock: Clock, monkeypatch: pytest.MonkeyPatch, *, recovery: bool
) -> None:
    alice = await either.signed_in()
    telephone = await set_up(alice, clock)
    code = telephone.recovery_codes[0] if recovery else telephone.code()
    begin = SignIns.begin_by_password

    async def overtaken(sign_ins: SignIns, *shown: Any) -> TokenPair | None:
        assert (await change(alice, PASSWORD, NEW)).status_code == 204
        return await begin(sign_ins, *shown)

    monkeypatch.setattr(SignIns, "begin_by_password", overtaken)
    refused = await sign_in(either, code)
    monkeypatch.setattr(SignIns, "begin_by_password", begin)

    assert kind(refused) == (401, "unauthenticated")
    assert await standing(alice) == (True, 10)
    assert (await sign_in(either, code, NEW)).status_code == 200


@pytest.mark.parametrize("recovery", [False, True])
async def test_of_many_with_one_code_at_two_replicas_one_is_let_in(
    start: Start, database_url: str, clock: Clock, *, recovery: bool
) -> None:
    async with start(database_url=database_url) as one, start(database_url=database_url) as other:
        telephone = await set_up(await one.signed_in(), clock)
        code = telephone.recovery_codes[0] if recovery else telephone.code()

        answers = await asyncio.gather(*(sign_in(each, code) for each in (one, other) * 3))

    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 5


@pytest.mark.parametrize("code", [None, "123456", "mzxw-6ytb-oi4d-gnrv-pjqw-ezlt"])
async def test_nobody_learns_from_a_wrong_password_whether_there_is_a_second_factor(
    either: Gateway, clock: Clock, code: str | None
) -> None:
    telephone = await set_up(await either.signed_in(), clock)
    await either.signed_in("bob")

    wrong = "not the password"
    answers = [
        await sign_in(either, code, wrong, "alice"),
        await sign_in(either, telephone.code(), wrong, "alice"),
        await sign_in(either, code, wrong, "bob"),
        await sign_in(either, code, wrong, "nobody"),
    ]

    assert {answer.status_code for answer in answers} == {401}
    told = [{**answer.json(), "request_id": None} for answer in answers]
    assert all(each == told[0] for each in told)
    heads = [answer.headers.keys() for answer in answers]
    assert all(each == heads[0] for each in heads)
    assert (await sign_in(either, telephone.code())).status_code == 200


async def test_wrong_codes_make_wait_as_wrong_passwords_do(either: Gateway, clock: Clock) -> None:
    telephone = await set_up(await either.signed_in(), clock)
    half = attempts.FREE // 2
    guesses = [await sign_in(either, telephone.wrong()) for _ in range(half)]
    guesses += [await sign_in(either, None, "a guess") for _ in range(attempts.FREE + 1 - half)]
    refused = await sign_in(either, telephone.code())

    assert {answer.status_code for answer in guesses} == {401}
    assert kind(refused) == (429, "too-many-attempts")
    assert refused.headers["Retry-After"] == "1"


async def test_to_be_asked_for_a_code_neither_counts_as_a_guess_nor_forgives_one(
    either: Gateway, clock: Clock
) -> None:
    telephone = await set_up(await either.signed_in(), clock)
    asked = [await sign_in(either) for _ in range(2 * attempts.FREE)]
    for _ in range(attempts.FREE):
        assert kind(await sign_in(either, telephone.wrong())) == (401, "code-refused")
        asked.append(await sign_in(either))
    one_more = kind(await sign_in(either, telephone.wrong()))

    assert {kind(answer) for answer in asked} == {(401, "second-factor-needed")}
    assert one_more == (401, "code-refused")
    assert kind(await sign_in(either, telephone.code())) == (429, "too-many-attempts")
    assert kind(await sign_in(either)) == (429, "too-many-attempts")


async def test_the_right_code_ends_the_count(either: Gateway, clock: Clock) -> None:
    telephone = await set_up(await either.signed_in(), clock)
    for _ in range(2):
        for _ in range(attempts.FREE):
            await sign_in(either, telephone.wrong())
        assert (await sign_in(either, telephone.code())).status_code == 200
        clock.go()


async def test_a_refresh_token_needs_no_code(either: Gateway, clock: Clock) -> None:
    telephone = await set_up(await either.signed_in(), clock)
    pair = (await sign_in(either, telephone.code())).json()
    body = {"refresh_token": pair["refresh_token"]}

    assert (await either.anonymous("POST", "/v1/auth/refresh", json=body)).status_code == 200


async def test_a_code_is_no_matter_where_there_is_no_second_factor(either: Gateway) -> None:
    await either.signed_in()

    assert (await sign_in(either, "123456")).status_code == 200


async def test_with_another_sealing_key_recovery_codes_are_good_and_others_not_checked(
    start: Start, database_url: str, clock: Clock, tmp_path: Path
) -> None:
    async with start(database_url=database_url) as gateway:
        telephone = await set_up(await gateway.signed_in(), clock)
    elsewhere = {"database_url": database_url, "DERMSERVE_DATA_DIR": tmp_path / "other"}
    async with start(**elsewhere) as gateway:
        unchecked = [await sign_in(gateway, telephone.code()) for _ in range(attempts.FREE + 2)]
        recovered = await sign_in(gateway, telephone.recovery_codes[0])

    # Nobody looked at those, so they count as no guesses that a recovery code would wait with.
    assert {kind(answer) for answer in unchecked} == {(503, "unavailable")}
    assert recovered.status_code == 200
