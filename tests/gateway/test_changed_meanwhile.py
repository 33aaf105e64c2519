"""Where somebody else changed it meanwhile, pages say so in words for people."""

import re

import pytest

from tests.gateway.conftest import Gateway
from tests.gateway.test_forms_in_work import boss
from tests.gateway.test_forms_twice import form_of, removable
from tests.gateway.test_pages_on_their_way import said
from tests.gateway.test_users import id_of

OF_THE_API = re.compile(r"Get it again|ETag|If-Match|revision")
WHATEVER_IT_IS = {"If-Match": "*"}


async def test_the_page_of_users_shows_what_somebody_changed_and_takes_the_form_then(
    gateway: Gateway,
) -> None:
    browser, admin = await boss(gateway), await gateway.admin()
    user_id = await id_of(await gateway.signed_in())
    change, path = {"role": "viewer"}, f"/admin/users/{user_id}"
    seen = await revision(gateway, path, browser)
    await admin("PATCH", f"/v1/users/{user_id}", json=change, headers=WHATEVER_IT_IS)

    refused = await gateway.http.post(
        path, data={"disabled": "yes", "revision": seen}, headers=browser
    )
    now = await revision(gateway, path, browser)
    again = await gateway.http.post(
        path, data={"disabled": "yes", "revision": now}, headers=browser
    )

    assert refused.status_code == 412
    assert "It was changed since you saw it, and is shown as it is now" in said(refused.text)
    assert not OF_THE_API.search(said(refused.text))
    assert f'action="{path}?' in refused.text
    # Nothing that was written is wrong.
    assert "aria-invalid" not in refused.text
    assert (again.status_code, again.headers["Location"]) == (303, "/admin/users?done=changed")


async def revision(gateway: Gateway, path: str, browser: dict[str, str]) -> str:
    """Return which revision the forms of a user are meant for."""
    page = await gateway.http.get("/admin/users", headers=browser)
    form = page.text.partition(f'action="{path}?')[2].partition("</form>")[0]
    (seen,) = re.findall(r'name="revision" value="(\d+)"', form)
    return str(seen)


@pytest.mark.parametrize("kind", ["patients", "lesions"])
async def test_what_was_changed_since_is_not_removed_and_the_page_says_so(
    gateway: Gateway, kind: str
) -> None:
    browser, admin = await boss(gateway), await gateway.admin()
    page, _ = await removable(gateway, kind)
    form = await form_of(gateway, f"{page}/remove", browser)
    await admin("PATCH", f"/v1{page}", json={}, headers=WHATEVER_IT_IS)

    refused = await gateway.http.post(f"{page}/remove", data=form, headers=browser)

    assert refused.status_code == 412
    assert "It was changed since you saw it, and nothing was done" in said(refused.text)
    assert not OF_THE_API.search(said(refused.text))
    assert (await gateway.http.get(page, headers=browser)).status_code == 200
