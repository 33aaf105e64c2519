"""Many pictures in one request: each analyzed once, each with a result or a problem of its own."""

import asyncio
import io
import zipfile
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from PIL import Image

from services.gateway.analyses import Subject
from services.gateway.analyses.files import Files
from services.gateway.database import Scope
from tests import specimens
from tests.gateway.conftest import Client, Gateway, Start
from tests.gateway.test_storage_quotas import usage

PNG = b"\x89PNG"
PICTURES = [specimens.encoded(specimens.lesion(size)) for size in ((120, 90), (96, 96), (90, 120))]


def zipped(files: Mapping[str, bytes], *, packed: bool = True) -> bytes:
    file = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


async def sent(
    client: Client, *pictures: bytes, headers: Mapping[str, str] | None = None, **fields: Any
) -> httpx.Response:
    """Send pictures as a form, each numbered and named as what it is."""
    files = [
        ("images", (f"{number}.{'png' if each.startswith(PNG) else 'jpg'}", each))
        for number, each in enumerate(pictures)
    ]
    return await client("POST", "/v1/batches", files=files, data=fields, headers=headers or {})


async def sent_zip(client: Client, content: bytes, **headers: str) -> httpx.Response:
    kind = {"Content-Type": "application/zip"}
    return await client("POST", "/v1/batches", content=content, headers=kind | headers)


async def finished(client: Client, path: str) -> dict[str, Any]:
    """Ask for a batch until each of its pictures has a result."""
    async with asyncio.timeout(60):
        while True:
            shown: dict[str, Any] = (await client("GET", path)).json()
            if shown["finished"]:
                return shown
            await asyncio.sleep(0.03)


async def analyses(client: Client, path: str, **filters: str) -> dict[str, Any]:
    """The analyses of a batch, by the names of their files."""
    asked = {"batch": path.rpartition("/")[2], "limit": "100", **filters}
    items = (await client("GET", "/v1/analyses", params=asked)).json()["items"]
    return {item["file_name"]: item for item in items}


@pytest.mark.parametrize("packed", [False, True])
async def test_each_picture_of_a_batch_is_analyzed_once(either: Gateway, packed: bool) -> None:  # noqa: FBT001 - a parameter of the test
    alice = await either.signed_in()
    names = ["0.jpg", "1.jpg", "2.jpg"]

    if packed:
        answer = await sent_zip(alice, zipped(dict(zip(names, PICTURES, strict=True))))
    else:
        answer = await sent(alice, *PICTURES, note="series")
    path = answer.headers["Location"]
    done = await finished(alice, path)

    assert answer.status_code == 202, answer.text
    assert answer.json()["pictures"] == 3
    assert (done["succeeded"], done["failed"]) == (3, 0)
    made = await analyses(alice, path)
    assert sorted(made) == names
    assert {each["status"] for each in made.values()} == {"succeeded"}
    assert {each["note"] for each in made.values()} == {None if packed else "series"}
    assert [each.options.priority for each in either.inference.requests] == [2, 2, 2]
    assert (await alice("GET", "/v1/batches")).json()["items"] == [done]


@pytest.mark.parametrize("packed", [False, True])
async def test_one_picture_that_cannot_be_used_fails_alone(either: Gateway, packed: bool) -> None:  # noqa: FBT001 - a parameter of the test
    alice = await either.signed_in()
    files = {"0.jpg": PICTURES[0], "1.jpg": b"no picture", "2.jpg": PICTURES[2][:500]}

    answer = await (sent_zip(alice, zipped(files)) if packed else sent(alice, *files.values()))
    path = answer.headers["Location"]
    done = await finished(alice, path)

    assert (done["succeeded"], done["failed"]) == (1, 2)
    failed = await analyses(alice, path, status="failed")
    assert sorted(failed) == ["1.jpg", "2.jpg"]
    assert {each["problem"]["status"] for each in failed.values()} == {422}
    assert failed["1.jpg"]["image"] is None
    at = f"/v1/analyses/{failed['1.jpg']['id']}"
    assert (await alice("GET", f"{at}/image")).status_code == 404
    assert (await alice("DELETE", at)).status_code == 204


async def test_a_file_that_begins_with_another_name_than_the_directory_has_fails_alone(
    gateway: Gateway,
) -> None:
    alice = await gateway.signed_in()
    files = {"lésion.jpg": PICTURES[0], "sound.jpg": PICTURES[1]}
    # Where the file begins, and not in the directory: Latin-1 that says it is UTF-8.
    garbled = zipped(files).replace("lésion".encode(), b"l\xe9\xe9sion", 1)

    answer = await sent_zip(alice, garbled)

    assert answer.status_code == 202, answer.text
    done = await finished(alice, answer.headers["Location"])
    assert (done["succeeded"], done["failed"]) == (1, 1)
    failed = await analyses(alice, answer.headers["Location"], status="failed")
    assert failed["lésion.jpg"]["problem"]["detail"].startswith("The picture is damaged")


async def test_a_picture_that_is_too_large_fails_alone(start: Start, database_url: str) -> None:
    async with start(database_url=database_url, max_upload_bytes=20_000) as gateway:
        alice = await gateway.signed_in()
        large = specimens.encoded(Image.effect_noise((400, 400), 90).convert("RGB"), "PNG")

        answer = await sent(alice, PICTURES[0], large)
        packed = await sent_zip(alice, zipped({"0.png": large, "1.jpg": PICTURES[0]}))

        for each in (answer, packed):
            done = await finished(alice, each.headers["Location"])
            assert (done["succeeded"], done["failed"]) == (1, 1)
        failed = await analyses(alice, answer.headers["Location"], status="failed")
        assert failed["1.png"]["problem"]["status"] == 413


async def test_a_batch_that_breaks_off_leaves_nothing(either: Gateway) -> None:
    alice = await either.signed_in()
    form = httpx.Request("POST", "http://x", files=[("images", each) for each in PICTURES])
    whole = form.read()

    answer = await alice(
        "POST",
        "/v1/batches",
        content=whole[: -len(PICTURES[2])],
        headers={"Content-Type": form.headers["Content-Type"]},
    )

    assert answer.status_code == 422, answer.text
    assert (await alice("GET", "/v1/batches")).json()["items"] == []
    assert (await alice("GET", "/v1/analyses")).json()["items"] == []
    assert either.inference.requests == []
    assert (await usage(alice))["user"]["pictures"] == 0
    assert either.kept_files() == []


@pytest.mark.parametrize(
    "fields",
    [{"note": "\x00"}, {"pateint": "4711"}, {"patient": "0" * 32}, {"note": ["grown", "grown"]}],
)
async def test_fields_that_break_the_rules_refuse_the_whole(
    gateway: Gateway, fields: dict[str, Any]
) -> None:
    alice = await gateway.signed_in()

    answer = await sent(alice, *PICTURES, **fields)

    assert answer.status_code == 422
    assert answer.json()["type"].endswith("#invalid-request")
    assert (await alice("GET", "/v1/analyses")).json()["items"] == []
    assert gateway.kept_files() == []


async def test_a_batch_is_not_attached_to_a_patient_who_is_removed_meanwhile(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await either.signed_in()
    ann = {"identifier": "4711", "issuer": "ward", "name": "Ann"}
    patient = (await alice("POST", "/v1/patients", json=ann)).json()["id"]
    attached = Files.attached

    async def slowly(files: Files, subject: Subject, scope: Scope) -> Subject:
        found = await attached(files, subject, scope)
        path = f"/v1/patients/{patient}"
        gone = await alice("DELETE", path, headers={"If-Match": "*"})
        assert gone.status_code == 204
        return found

    monkeypatch.setattr(Files, "attached", slowly)
    refused = await sent(alice, *PICTURES, patient=patient)

    assert (refused.status_code, refused.json()["detail"][:8]) == (422, "patient:")
    assert (await alice("GET", "/v1/analyses")).json()["items"] == []


async def test_bodies_that_are_no_batch_are_refused(start: Start) -> None:
    async with start(max_batch_pictures=2, max_batch_bytes=100_000) as gateway:
        alice = await gateway.signed_in()
        post = ("POST", "/v1/batches")
        form = {"Content-Type": "multipart/form-data"}
        endless = {"Content-Type": f"multipart/form-data; boundary={'x' * 257}"}

        assert (await alice(*post, json={})).status_code == 415
        assert (await alice(*post, content=b"x", headers=form)).status_code == 422
        assert (await alice(*post, content=b"x", headers=endless)).status_code == 422
        assert (await alice(*post, files={"other": b"x"})).status_code == 422
        assert (await alice(*post, files={"images": b""})).status_code == 202
        assert (await sent(alice, *PICTURES)).status_code == 413
        assert (await sent(alice, bytes(200_000))).status_code == 413
        assert (await sent_zip(alice, bytes(200_000))).status_code == 413
        assert (await sent_zip(alice, zipped(dict.fromkeys("abc", b"x")))).status_code == 413
        assert (await sent_zip(alice, zipped({}))).status_code == 422


async def test_a_batch_waits_only_where_there_is_room(start: Start, database_url: str) -> None:
    line = {"max_queued_pictures": 5, "max_batch_pictures": 3, "job_workers": 0}
    async with start(**line, database_url=database_url) as gateway:
        alice, bob = await gateway.signed_in(), await gateway.signed_in("bob")

        first, second = await sent(alice, *PICTURES), await sent(bob, *PICTURES)

        assert (first.status_code, second.status_code) == (202, 503)
        assert int(second.headers["Retry-After"]) >= 1
        assert len((await alice("GET", "/v1/analyses")).json()["items"]) == 3
        assert (await bob("GET", "/v1/analyses")).json()["items"] == []


async def test_a_cancelled_batch_keeps_what_it_has_and_says_so_of_the_rest(
    start: Start, database_url: str
) -> None:
    async with start(job_workers=1, database_url=database_url) as gateway:
        alice = await gateway.signed_in()
        gateway.inference.may_answer.clear()
        path = (await sent(alice, *PICTURES)).headers["Location"]
        await gateway.inference.arrived()

        cancelled = await alice("POST", f"{path}/cancel")
        gateway.inference.may_answer.set()
        done = await finished(alice, path)

        assert (cancelled.json()["running"], cancelled.json()["failed"]) == (1, 2)
        assert (done["succeeded"], done["failed"]) == (1, 2)
        failed = await analyses(alice, path, status="failed")
        assert {each["problem"]["type"] for each in failed.values()} == {"/docs/problems#withdrawn"}
        assert (await alice("POST", f"{path}/cancel")).json() == done
        assert len(gateway.inference.requests) == 1


async def test_a_removed_batch_is_gone_with_its_analyses_and_its_pictures(either: Gateway) -> None:
    alice, bob = await either.signed_in(), await either.signed_in("bob")
    path = (await sent(alice, *PICTURES)).headers["Location"]
    await finished(alice, path)

    assert (await bob("DELETE", path)).status_code == 404
    assert (await alice("DELETE", path)).status_code == 204

    assert (await alice("GET", path)).status_code == 404
    assert (await alice("GET", "/v1/analyses")).json()["items"] == []
    assert await either.purge() == 3
    assert either.kept_files() == []


async def test_a_single_picture_need_not_wait_for_a_whole_batch(
    start: Start, database_url: str
) -> None:
    async with start(job_workers=0, database_url=database_url) as gateway:
        alice = await gateway.signed_in()
        await sent(alice, *PICTURES)
        later = {"Prefer": "respond-async"}
        single = specimens.encoded(specimens.lesion((64, 64)))
        await alice("POST", "/v1/analyses", files={"image": single}, headers=later)

    async with start(job_workers=1, database_url=database_url) as gateway:
        async with asyncio.timeout(60):
            await gateway.inference.arrived(4)

    priorities = [each.options.priority for each in gateway.inference.requests]
    assert priorities == [2, 1, 2, 2]
