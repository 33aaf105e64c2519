"""Administration of users over HTTP."""

import asyncio

import pytest

from tests.gateway.conftest import PASSWORD, Client, Gateway


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
    changed = await alice(
        "PATCH",
        f"/v1/users/{await id_of(alice)}",
        json={"role": "admin"},
        headers={"If-Match": "*"},
    )

    assert (listed.status_code, changed.status_code) == (403, 403)
    assert (await either.anonymous("GET", "/v1/users")).status_code == 401
    assert (await alice("GET", "/v1/me")).json()["role"] == "clinician"


async def test_a_changed_role_counts_from_the_next_request_on(either: Gateway) -> None:
    alice, admin = await either.signed_in(), await either.admin()
    path = f"/v1/users/{await id_of(alice)}"

    promoted = await admin("PATCH", path, json={"role": "admin"}, headers={"If-Match": "*"})

    assert promoted.json()["role"] == "admin"
    assert (await alice("GET", "/v1/users")).status_code == 200
    await admin("PATCH", path, json={"role": "viewer"}, headers={"If-Match": "*"})
    assert (await alice("GET", "/v1/users")).status_code == 403


async def test_of_two_administrators_who_change_a_user_the_later_is_told(either: Gateway) -> None:
    admin = await either.admin()
    path = f"/v1/users/{await id_of(await either.signed_in())}"
    seen = {"If-Match": (await admin("GET", path)).headers["ETag"]}

    changes: list[dict[str, object]] = [{"role": "viewer"}, {"disabled": True}]
    answers = await asyncio.gather(
        *(admin("PATCH", path, json=change, headers=seen) for change in changes)
    )

    done, refused = sorted(answers, key=lambda answer: answer.status_code)
    assert (done.status_code, refused.status_code) == (200, 412)
    shown = await admin("GET", path)
    assert (shown.json(), shown.headers["ETag"]) == (done.json(), done.headers["ETag"])
    assert (shown.json()["role"] == "viewer") is not shown.json()["disabled"]


async def test_a_user_who_was_just_made_can_be_changed_by_the_tag_that_was_told(
    either: Gateway,
) -> None:
    admin = await either.admin()
    new = {"username": "nurse", "password": "a password of nurse", "role": "viewer"}

    made = await admin("POST", "/v1/users", json=new)

    path, seen = made.headers["Location"], {"If-Match": made.headers["ETag"]}
    assert (await admin("GET", path)).json() == made.json()
    assert (await admin("PATCH", path, json={}, headers=seen)).status_code == 200


async def test_to_sign_in_and_to_choose_another_password_is_no_change_of_a_user(
    either: Gateway,
) -> None:
    admin, alice = await either.admin(), await either.signed_in()
    path = f"/v1/users/{await id_of(alice)}"
    before = (await admin("GET", path)).headers["ETag"]
    words = {"current_password": PASSWORD, "new_password": "another password"}

    assert (await alice("PUT", "/v1/me/password", json=words)).status_code == 204
    form = {"username": "alice", "password": "another password"}
    assert (await either.anonymous("POST", "/v1/auth/token", data=form)).status_code == 200

    assert (await admin("GET", path)).headers["ETag"] == before


async def test_a_form_of_users_is_refused_where_somebody_changed_them_meanwhile(
    either: Gateway,
) -> None:
    admin = await either.admin()
    user_id = await id_of(await either.signed_in())
    path, form = f"/v1/users/{user_id}", f"/admin/users/{user_id}?page_of={await id_of(admin)}"
    seen = {"revision": "1"}

    saved = [await admin("POST", form, data={"role": "viewer", **seen}) for _ in range(2)]
    late = await admin("POST", form, data={"disabled": "yes", **seen})

    # The same form sent twice has done what it was for.
    assert [answer.status_code for answer in saved] == [303, 303]
    assert late.status_code == 412
    assert "changed since you saw it" in late.text
    assert (await admin("GET", path)).json()["disabled"] is False


async def test_a_disabled_user_is_out_at_once_and_stays_signed_out_when_let_in_again(
    either: Gateway,
) -> None:
    alice, admin = await either.signed_in(), await either.admin()
    path = f"/v1/users/{await id_of(alice)}"
    credentials = {"username": "alice", "password": "a password of alice"}

    disabled = await admin("PATCH", path, json={"disabled": True}, headers={"If-Match": "*"})

    assert disabled.json()["disabled"] is True
    assert (await alice("GET", "/v1/me")).status_code == 401
    refused = await either.anonymous("POST", "/v1/auth/token", data=credentials)
    assert refused.status_code == 401
    await admin("PATCH", path, json={"disabled": False}, headers={"If-Match": "*"})
    assert (await alice("GET", "/v1/me")).status_code == 401
    again = await either.anonymous("POST", "/v1/auth/token", data=credentials)
    assert again.status_code == 200


@pytest.mark.parametrize("change", [{"disabled": True}, {"role": "viewer"}])
async def test_the_last_administrator_cannot_be_removed(
    either: Gateway, change: dict[str, object]
) -> None:
    admin = await either.admin()

    answer = await admin(
        "PATCH", f"/v1/users/{await id_of(admin)}", json=change, headers={"If-Match": "*"}
    )

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
        answer = await admin(
            "PATCH", f"/v1/users/{user_id}", json=change, headers={"If-Match": "*"}
        )

        assert answer.status_code == status, change
