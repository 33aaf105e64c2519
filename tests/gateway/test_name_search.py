"""Patients are found by their names, however these are written, and by nobody else."""

from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway.boot import open_records
from services.gateway.clinical import NameArrears, Patients
from services.gateway.database import EVERYTHING, Database, Scope, migrate
from services.gateway.records import Patient, PatientWord, User, new_id
from tests.gateway.audited import rows
from tests.gateway.conftest import Client, Gateway
from tests.gateway.statements import heard, rows_read
from tests.gateway.test_database import a_user, add
from tests.gateway.test_migrations import MIGRATIONS
from tests.gateway.test_patients import made, share

INDEX = "ix_patient_words_organisation_id_word_patient"
SEARCH = "/v1/patient-search"
PEOPLE = {
    "Anna Müller": ("mull", "MÜLLER", "anna mull", "müller, ann", "mu\u0308ll", "anna  anna"),
    "Groß-Gerau, Jörg": ("gross", "GROẞ", "ger", "jorg gro"),
    "Zoe\u0308 O\u2019Brien": ("zoe", "zoë", "O'Brien", "obri", "bri"),
    "שָׁלוֹם כהן": ("שלום", "כה"),
    "محمّد": ("محمد",),
    "Łukasz Ørsted": ("luk", "ørs", "orsted"),
    "Wave \N{WATER WAVE}\N{VARIATION SELECTOR-16}\N{WATER WAVE}": ("\N{WATER WAVE}" * 2,),
    "\u202e100% _sure\\": ("100%", "_s", "_sure\\"),
    "김민준": ("김", "김민준"),
    "王小明": ("王", "王小"),
    "がくと": ("が", "がく"),
    "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 200: ("صلى",),
}
NOBODY = (
    "uller",
    "かく",
    "an%a",
    "mu_l",
    "%%",
    "__",
    "annamull",
    "anna zoe",
    "\\\\",
    "\U0010ffff" * 2,
)


async def found(client: Client, name: str, **query: str) -> list[str]:
    answer = await client("POST", SEARCH, json={"name": name}, params=query)
    assert answer.status_code == 200, (name, answer.text)
    return [item["name"] for item in answer.json()["items"]]


async def words(records: Database) -> set[tuple[str, str]]:
    kept = select(col(PatientWord.patient), col(PatientWord.word))
    return await records.read(
        lambda session: {(each, word) for each, word in session.execute(kept)}, EVERYTHING
    )


def people_of(owner: User, count: int) -> list[Patient]:
    """Patients as a version before wrote them."""
    whose: dict[str, Any] = {"organisation_id": owner.organisation_id, "owner_id": owner.id}
    return [
        Patient(id=new_id(), identifier=str(n), name=f"Ann{n} Müller", **whose)
        for n in range(count)
    ]


async def test_patients_are_found_by_the_beginning_of_any_word_of_their_names(
    either: Gateway,
) -> None:
    alice = await either.signed_in()
    await made(alice, identifier="nameless")
    for number, name in enumerate(PEOPLE):
        await made(alice, identifier=str(number), name=name)

    for name, asked in PEOPLE.items():
        for each in asked:
            assert await found(alice, each) == [name], each
    for each in NOBODY:
        assert await found(alice, each) == [], each


async def test_what_is_found_is_shown_as_lists_show_it_in_pages(either: Gateway) -> None:
    alice = await either.signed_in()
    patients = [await made(alice, identifier=str(n), name=f"Ann {n}") for n in range(5)]
    await made(alice, identifier="another", name="Bob")

    seen, query = list[Any](), {"limit": "2"}
    while True:
        page = (await alice("POST", SEARCH, json={"name": "ann"}, params=query)).json()
        seen += page["items"]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]

    assert seen == patients[::-1]


async def test_whoever_is_named_anew_is_found_by_the_new_name_alone(either: Gateway) -> None:
    alice = await either.signed_in()
    path = f"/v1/patients/{(await made(alice, identifier='1', name='Anna Alt'))['id']}"

    async def named(**values: str | None) -> None:
        changed = await alice("PATCH", path, json=values, headers={"If-Match": "*"})
        assert changed.status_code == 200, changed.text

    await named(name="Anna Neu")
    assert (await found(alice, "alt"), await found(alice, "anna neu")) == ([], ["Anna Neu"])
    await named(identifier="2")
    assert await found(alice, "neu") == ["Anna Neu"]
    await named(name=None)
    async with open_records(either.settings) as records:
        assert await words(records) == set()


async def test_a_removed_patient_is_not_found_and_a_purge_forgets_the_words(
    either: Gateway,
) -> None:
    alice = await either.signed_in()
    kept = await made(alice, identifier="1", name="Ann Kept")
    gone = await made(alice, identifier="2", name="Ann Gone")

    await alice("DELETE", f"/v1/patients/{gone['id']}", headers={"If-Match": "*"})
    assert await found(alice, "ann") == ["Ann Kept"]
    await either.purge()

    async with open_records(either.settings) as records:
        assert await words(records) == {(kept["id"], word) for word in ("ann", "kept")}


async def test_names_find_whom_a_list_would_show_and_nobody_else(either: Gateway) -> None:
    alice, bob = await either.signed_in(), await either.signed_in("bob")
    await made(alice, identifier="1", name="Ann")

    assert (await found(alice, "ann"), await found(bob, "ann")) == (["Ann"], [])
    await share(either, shared=True)
    assert await found(bob, "ann") == ["Ann"]


REFUSED = {
    "a": "body.name: Must have at least 2 characters",
    "\u0301 - '": "body.name: Must have at least 2 characters",
    " ": "body.name: String should have at least 1 character",
    "x" * 201: "body.name: String should have at most 200 characters",
    "ab cd ef gh ij kl mn op qr st uv": "body.name: Must have at most 10 words",
    "\x07an": "body.name: Has control characters",
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_name_that_says_too_little_or_too_much_is_refused(
    gateway: Gateway, name: str
) -> None:
    alice = await gateway.signed_in()

    refused = await alice("POST", SEARCH, json={"name": name})

    assert refused.status_code == 422
    assert refused.json()["detail"].startswith(REFUSED[name])
    assert (await alice("GET", SEARCH, params={"name": "Anna"})).status_code == 405


async def test_the_audit_has_who_was_shown_and_nothing_of_what_was_asked(
    either: Gateway,
) -> None:
    alice = await either.signed_in()
    ann = await made(alice, identifier="1", name="Planted Somebody")

    await found(alice, "planted some")

    (row,) = [each for each in await rows(either) if each["operation"] == "search_patients"]
    assert (row["action"], row["outcome"]) == ("patients.search", "done")
    assert row["subject_ids"] == ann["id"]
    assert "planted" not in str(row).lower()


async def test_names_of_a_version_before_are_found_once_their_words_are_kept(
    records: Database,
) -> None:
    owner = a_user()
    scope = Scope(owner.organisation_id, owner.id)
    await add(records, owner)
    people = people_of(owner, 450)
    await add(records, *people)
    await records.write(partial(migrate, revision=f"-{len(MIGRATIONS) - 31}"), EVERYTHING)
    await records.write(migrate, EVERYTHING)
    patients = Patients(records)
    assert (await patients.named(scope, 9, None, "mull")).items == []

    await NameArrears(records).do()

    assert len(await words(records)) == 2 * len(people)
    (ann,) = (await patients.named(scope, 9, None, "ann449 mull")).items
    before = update(Patient).where(col(Patient.id) == ann.id).values(name="Zoë")
    await records.write(lambda session: session.execute(before), EVERYTHING)
    await NameArrears(records).do()
    assert (await patients.named(scope, 9, None, "ann449 mull")).items == []
    (zoe,) = (await patients.named(scope, 9, None, "zoe")).items
    assert (zoe.id, zoe.revision) == (ann.id, ann.revision)


def see_that_indexes_find_it(asked: list[Any], session: Session) -> None:
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[0]}", asked[1])
        way = "\n".join(row.detail for row in plan)
        assert way.count(f"{INDEX} (organisation_id=? AND word>? AND word<?)") == 2, way
        return
    found = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {asked[0]}", asked[1])
    plan = found.scalar_one()[0]["Plan"]
    assert INDEX in str(plan)
    assert rows_read(plan) <= 100, plan


async def test_who_has_a_rare_name_is_found_without_reading_all_others(records: Database) -> None:
    owner = a_user()
    await add(records, owner)
    await add(records, *people_of(owner, 4000))
    await NameArrears(records).do()
    await records.write(lambda session: session.execute(text("ANALYZE")), EVERYTHING)

    with heard("FROM patients", "FROM patient_words") as asked:
        scope = Scope(owner.organisation_id, owner.id)
        page = await Patients(records).named(scope, 20, None, "ann123 mull")

    assert len(page.items) == 11
    await records.read(partial(see_that_indexes_find_it, asked), EVERYTHING)
