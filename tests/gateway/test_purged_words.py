"""What was purged is gone: no table and no file of the gateway has a word of it any more."""

from pathlib import Path
from typing import Any

from sqlalchemy import select

from services.gateway.boot import open_records
from services.gateway.database import EVERYTHING, unscoped
from services.gateway.records import Record
from tests import specimens
from tests.gateway.conftest import Client, Gateway

WORDS = {
    "identifier": "number-of-xylophanes",
    "issuer": "https://issuer-of-xylophanes.example",
    "name": "Xylophanes Qwertznaut",
}
"""Of a patient; none is part of anything else."""

_KEY = {"Idempotency-Key": "the-key"}
_ANY = {"If-Match": "*"}


async def told(client: Client, method: str, path: str, **options: Any) -> Any:
    answer = await client(method, path, **options)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


async def make(client: Client) -> tuple[str, str]:
    """Make a patient with all that one can have in words; return where they and a rest are."""
    patient = await told(client, "POST", "/v1/patients", json=WORDS, headers=_KEY)
    path = f"/v1/patients/{patient['id']}"
    later = {"name": "Xylophanes Asdfjklm"}
    await told(client, "PATCH", path, json=later, headers=_ANY)
    lesion = {"patient": patient["id"], "note": "a note of Xylophanes"}
    lesion = await told(client, "POST", "/v1/lesions", json=lesion, headers=_KEY)
    analysis = await told(
        client,
        "POST",
        "/v1/analyses",
        files={"image": ("xylophanes.jpg", specimens.lesion_jpeg())},
        data={"lesion": lesion["id"], "note": "Xylophanes said so"},
        headers=_KEY,
    )
    verdict = {"verdict": "nv", "reason": "as with Xylophanes before"}
    there = f"/v1/analyses/{analysis['id']}"
    await told(client, "PUT", f"{there}/assessment", json=verdict, headers={"If-None-Match": "*"})
    await client("GET", f"{there}/report.pdf")
    await told(client, "POST", "/v1/patient-search", json={"name": "xylophanes"})
    alone = {"patient_name": "Xylophanes", "patient_id": "xylophanes-2", "note": "xylophanes"}
    unattached = await client.analyze(**alone)
    return path, unattached.headers["Location"]


async def rows(gateway: Gateway) -> str:
    """All that all tables hold."""
    async with open_records(gateway.settings) as records:
        return await records.read(
            lambda session: "\n".join(
                str(tuple(row))
                for table in Record.metadata.sorted_tables
                for row in unscoped(session).execute(select(table))
            ),
            EVERYTHING,
        )


def where(folder: Path, word: bytes) -> list[str]:
    """The files that have a word in any case."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return [path.name for path in files if word in path.read_bytes().lower()]


async def test_no_table_and_no_file_has_a_word_of_who_was_purged(
    either: Gateway, tmp_path: Path
) -> None:
    alice = await either.signed_in()
    patient, analysis = await make(alice)
    assert "xylophanes" in (await rows(either)).lower()

    await told(alice, "DELETE", patient, headers=_ANY)
    await told(alice, "DELETE", analysis)
    assert await either.purge() == 2

    assert "xylophanes" not in (await rows(either)).lower()
    # The gateway still has its database open.
    assert where(tmp_path, b"xylophanes") == []
    assert either.kept_files() == []
