"""The forms in which pictures come, and the text beside them."""

import httpx
import pytest

from tests.gateway.conftest import Client, Gateway
from tests.gateway.test_uploads import JPEG, alice, is_nothing_kept

__all__ = ["alice"]


async def test_the_wrong_field_name_is_told_the_right_one(gateway: Gateway, alice: Client) -> None:
    for form in (
        {"files": {"picture": JPEG}},
        {"files": {"file": JPEG}, "data": {"image": "not a file"}},
    ):
        answer = await alice("POST", "/v1/analyses", **form)

        assert answer.status_code == 422
        assert "'image'" in answer.json()["detail"]
    assert await is_nothing_kept(gateway, alice)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"patient_id": "x" * 65}, "patient_id"),
        ({"note": "x" * 2001}, "note"),
        ({"lesion_id": "L\0"}, "lesion_id"),
        ({"body_sight": "arm"}, "body_sight"),
    ],
)
async def test_text_that_does_not_keep_the_rules_is_named(
    gateway: Gateway, alice: Client, fields: dict[str, str], words: str
) -> None:
    answer = await alice.analyze(**fields)

    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert gateway.inference.requests == []
    assert await is_nothing_kept(gateway, alice)


@pytest.mark.parametrize(("path", "field"), [("/v1/analyses", "image"), ("/v1/batches", "images")])
@pytest.mark.parametrize(
    "again", ["Content-Type: image/png", 'content-disposition: form-data; name="note"']
)
async def test_a_part_that_says_twice_what_it_is_is_refused_whichever_way_it_comes(
    gateway: Gateway, alice: Client, path: str, field: str, again: str
) -> None:
    head = (
        f'Content-Disposition: form-data; name="{field}"; filename="a.jpg"\r\n'
        f"Content-Type: image/jpeg\r\nX-Else: 1\r\nX-Else: 2\r\n"
    )
    kind = {"Content-Type": "multipart/form-data; boundary=x"}

    async def sent(said: str) -> httpx.Response:
        body = f"--x\r\n{said}\r\n".encode() + JPEG + b"\r\n--x--\r\n"
        return await alice("POST", path, content=body, headers=kind)

    refused = await sent(f"{head}{again}\r\n")
    nothing_kept = await is_nothing_kept(gateway, alice)
    taken = await sent(head)

    named = again.partition(":")[0].title()
    assert refused.status_code == 422, refused.text
    assert f"a part has {named} twice" in refused.json()["detail"]
    assert nothing_kept
    # Whatever else it says, nobody reads.
    assert taken.is_success, taken.text


async def test_text_comes_back_as_it_was_sent_and_blank_is_nothing(alice: Client) -> None:
    answer = await alice.analyze(
        patient_id="P 7", patient_name="Zoë Ångström 山田", lesion_id="  ", note="two\nlines"
    )

    analysis = answer.json()
    assert analysis["patient_name"] == "Zoë Ångström 山田"
    assert (analysis["lesion_id"], analysis["note"]) == (None, "two\nlines")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("image/gif", b"GIF89a"),
        ("", JPEG),
        ("application/x-www-form-urlencoded", b"image=x"),
    ],
)
async def test_other_kinds_of_body_are_refused(alice: Client, kind: str, body: bytes) -> None:
    answer = await alice("POST", "/v1/analyses", content=body, headers={"Content-Type": kind})

    assert answer.status_code == 415
    assert "multipart/form-data" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"no boundary here"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n' + JPEG,
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\nA\r\n' * 2
            + b"--x--\r\n",
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\nA\r\n' * 20 + b"--x--\r\n",
        ),
        (
            "multipart/form-data; boundary=x; charset=undefined",
            b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\nA\r\n--x--\r\n',
        ),
    ],
    ids=[
        "no boundary named",
        "no boundary",
        "broken off",
        "two pictures",
        "many fields",
        "no such charset",
    ],
)
async def test_a_form_that_cannot_be_read_is_refused(
    gateway: Gateway, alice: Client, kind: str, body: bytes
) -> None:
    answer = await alice("POST", "/v1/analyses", content=body, headers={"Content-Type": kind})

    assert answer.status_code == 422, answer.text
    assert "image" in answer.json()["detail"]
    assert await is_nothing_kept(gateway, alice)
