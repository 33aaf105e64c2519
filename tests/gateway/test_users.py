"""Administration of users over HTTP."""

import pytest

from tests.gateway.conftest import Client, Gateway


async def id_of(client: Client) -> str:
    return str((await client("GET", "/v1/me")).json()["id"])


async def test_administrators_see_all_users_newest_first_in_pages(either: Gateway) -> None:
    for name in ("alice", "bob"):
        await either.signed_in(name)
    admin = await either.admin()

    first = (await admin("GET", "/v1/users", params={"limit": 2})).json()
    rest = (await admin("GET", "/v1/users", params={"cursor": first["next_cursor"]})).json()

    assert [user["username"] for user in first["items"]] == ["bob", "alice"]
    assert [user["username"] for user in rest["items"]] == ["admin"]
    assert rest["next_cursor"] is None
    assert first["items"][0].keys() == {
        "id",
        "organisation_id",
        "username",
        "role",
        "roles",
        "disabled",
        "created_at",
    }


async def test_others_see_no_users_and_change_none(either: Gateway) -> None:
    alice = await either.signed_in()

    listed = await alice("GET", "/v1/users")
    changed = await alice("PATCH", f"/v1/users/{await id_of(alice)}", json={"role": "admin"})

    assert (listed.status_code, changed.status_code) == (403, 403)
    assert (await either.anonymous("GET", "/v1/users")).status_code == 401
    assert (await alice("GET", "/v1/me")).json()["role"] == "clinician"


async def test_a_changed_role_counts_from_the_next_request_on(either: Gateway) -> None:
    alice, admin = await either.signed_in(), await either.admin()
    path = f"/v1/users/{await id_of(alice)}"

    promoted = await admin("PATCH", path, json={"role": "admin"})

    assert promoted.json()["role"] == "admin"
    assert (await alice("GET", "/v1/users")).status_code == 200
    await admin("PATCH", path, json={"role": "viewer"})
    assert (await alice("GET", "/v1/users")).status_code == 403


async def test_a_disabled_user_is_out_at_once_and_stays_signed_out_when_let_in_again(
    either: Gateway,
) -> None:
    alice, admin = await either.signed_in(), await either.admin()
    path = f"/v1/users/{await id_of(alice)}"
    credentials = {"username": "alice", "password": "a password of alice"}

    disabled = await admin("PATCH", path, json={"disabled": True})

    assert disabled.json()["disabled"] is True
    assert (await alice("GET", "/v1/me")).status_code == 401
    refused = await either.anonymous("POST", "/v1/auth/token", data=credentials)
    assert refused.status_code == 401
    await admin("PATCH", path, json={"disabled": False})
    assert (await alice("GET", "/v1/me")).status_code == 401
    again = await either.anonymous("POST", "/v1/auth/token", data=credentials)
    assert again.status_code == 200


@pytest.mark.parametrize("change", [{"disabled": True}, {"role": "viewer"}])
async def test_the_last_administrator_cannot_be_removed(
    either: Gateway, change: dict[str, object]
) -> None:
    admin = await either.admin()

    answer = await admin("PATCH", f"/v1/users/{await id_of(admin)}", json=change)

    assert answer.status_code == 409
    assert (await admin("GET", "/v1/users")).status_code == 200


SENSELESS: list[tuple[str, dict[str, object], int]] = [
    ("0" * 32, {"disabled": True}, 404),
    ("no-such-id", {"disabled": True}, 404),
    ("%00", {"disabled": True}, 404),
    ("0" * 32, {"role": "emperor"}, 422),
    ("0" * 32, {"rolle": "admin"}, 422),
    ("0" * 32, {"disabled": 0}, 422),
    ("0" * 32, {"disabled": "yes"}, 422),
]


async def test_changes_that_make_no_sense_are_refused(either: Gateway) -> None:
    admin = await either.admin()
    for user_id, change, status in SENSELESS:
        answer = await admin("PATCH", f"/v1/users/{user_id}", json=change)

        assert answer.status_code == status, change
