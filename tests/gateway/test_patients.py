"""Patients and lesions: made, found, changed, removed, and what is attached to them."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, union_all
from sqlmodel import col

from services.gateway.boot import open_records
from services.gateway.database import EVERYTHING
from services.gateway.identity import Organisations
from services.gateway.records import Analysis, Lesion, Patient
from tests.gateway.conftest import Client, Gateway

ANN = {
    "identifier": "4711",
    "issuer": "https://hospital.example/numbers",
    "name": "Ann \u202eExample \N{WATER WAVE}",
    "birth_date": "1980-02-29",
    "sex": "female",
}


async def made(client: Client, path: str = "/v1/patients", **body: Any) -> dict[str, Any]:
    answer = await client("POST", path, json=body)
    assert answer.status_code == 201, answer.text
    record: dict[str, Any] = answer.json()
    assert answer.headers["Location"] == f"{path}/{record['id']}"
    assert answer.headers["ETag"] == '"1"'
    return record


async def share(gateway: Gateway, *, shared: bool) -> None:
    async with open_records(gateway.settings) as records:
        await Organisations(records).share("default", shared=shared)


async def everything(gateway: Gateway) -> set[str]:
    """The ids of all that is kept, removed or not."""
    ids = union_all(*(select(col(table.id)) for table in (Patient, Lesion, Analysis)))
    async with open_records(gateway.settings) as records:
        return await records.read(lambda session: set(session.scalars(ids)), EVERYTHING)


async def listed(client: Client, path: str, **query: str) -> list[str]:
    answer = await client("GET", path, params=query)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


async def test_a_patient_is_shown_as_they_were_made(either: Gateway) -> None:
    alice = await either.signed_in()

    patient = await made(alice, **ANN)

    shown = await alice("GET", f"/v1/patients/{patient['id']}")
    assert shown.json() == patient
    assert {name: patient[name] for name in ANN} == ANN


BROKEN: list[dict[str, Any]] = [
    {"identifier": ""},
    {"identifier": "a\0b"},
    {"identifier": None},
    {"identifier": "x" * 65},
    {"birth_date": "1980-02-30"},
    {"birth_date": "1066-10-14"},
    {"birth_date": (datetime.now(UTC) + timedelta(days=3)).date().isoformat()},
    {"birth_date": 0},
    {"birth_date": "1980-02-29T00:00:00"},
    {"sex": "f"},
    {"nickname": "Annie"},
    {"owner_id": "0" * 32},
]


async def test_a_patient_that_breaks_the_rules_is_refused(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    path = f"/v1/patients/{(await made(alice, **ANN))['id']}"
    for change in BROKEN:
        refused = await alice("POST", "/v1/patients", json=ANN | {"identifier": "4712"} | change)
        unchanged = await alice("PATCH", path, json=change, headers={"If-Match": "*"})

        assert (refused.status_code, unchanged.status_code) == (422, 422), change
        assert next(iter(change)) in refused.json()["detail"], change


async def test_there_is_one_patient_of_an_identifier_and_issuer_however_many_ask(
    either: Gateway,
) -> None:
    alice, bob = await either.signed_in(), await either.signed_in("bob")

    answers = await asyncio.gather(*(alice("POST", "/v1/patients", json=ANN) for _ in range(4)))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    await made(alice, **ANN | {"issuer": "another"})
    await made(bob, **ANN)  # who sees none of Alice's, and must not learn of them


async def test_a_change_counts_if_it_is_meant_for_what_is_there(either: Gateway) -> None:
    alice = await either.signed_in()
    path = f"/v1/patients/{(await made(alice, **ANN))['id']}"

    async def change(tag: str | None) -> int:
        headers = {} if tag is None else {"If-Match": tag}
        return (await alice("PATCH", path, json={"name": None}, headers=headers)).status_code

    assert await change(None) == 428
    assert await change('"2"') == 412
    assert await change('W/"1"') == 412
    assert await change("nonsense") == 412
    first, second = await asyncio.gather(change('"1"'), change('"1"'))
    assert sorted((first, second)) == [200, 412]
    assert await change('"1", "2"') == 200
    shown = await alice("GET", path)
    assert shown.headers["ETag"] == '"3"'
    assert (shown.json()["name"], shown.json()["sex"]) == (None, "female")
    assert (await alice("DELETE", path)).status_code == 428
    assert (await alice("DELETE", path, headers={"If-Match": '"1"'})).status_code == 412


async def test_an_analysis_is_attached_to_a_lesion_and_its_patient(either: Gateway) -> None:
    alice, bob = await either.signed_in(), await either.signed_in("bob")
    patient = await made(alice, **ANN)
    lesion = await made(alice, "/v1/lesions", patient=patient["id"], body_site="head/neck")

    analysis = (await alice.analyze(lesion=lesion["id"])).json()
    await alice.analyze()

    assert (analysis["lesion"], analysis["patient"]) == (lesion["id"], patient["id"])
    assert (analysis["patient_id"], analysis["patient_name"]) == (ANN["identifier"], ANN["name"])
    assert analysis["body_site"] == "head/neck"
    assert await listed(alice, "/v1/analyses", lesion=lesion["id"]) == [analysis["id"]]
    assert await listed(alice, "/v1/analyses", patient=patient["id"]) == [analysis["id"]]
    assert await listed(alice, "/v1/lesions", patient=patient["id"]) == [lesion["id"]]
    for theirs in ({"lesion": lesion["id"]}, {"patient": patient["id"]}, {"patient": "x"}):
        assert (await bob.analyze(**theirs)).status_code == 422
    stolen = await bob("POST", "/v1/lesions", json={"patient": patient["id"]})
    assert stolen.status_code == 422
    assert await listed(bob, "/v1/lesions", patient=patient["id"]) == []


async def test_patients_are_found_by_their_number_and_paged(either: Gateway) -> None:
    alice = await either.signed_in()
    patients = [(await made(alice, identifier=str(number)))["id"] for number in range(5)]

    seen, cursor = list[str](), ""
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await alice("GET", "/v1/patients", params=query)).json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = page["next_cursor"]

    assert seen == patients[::-1]
    assert await listed(alice, "/v1/patients", identifier="3", issuer="") == [patients[3]]
    assert await listed(alice, "/v1/patients", identifier="3", issuer="other") == []


async def test_a_removed_patient_goes_with_all_that_is_theirs_and_a_purge_forgets_them(
    either: Gateway,
) -> None:
    alice = await either.signed_in()
    patient = await made(alice, **ANN)
    lesion = await made(alice, "/v1/lesions", patient=patient["id"])
    analysis = (await alice.analyze(lesion=lesion["id"])).headers["Location"]
    paths = [f"/v1/patients/{patient['id']}", f"/v1/lesions/{lesion['id']}", analysis]

    removed = await alice("DELETE", paths[0], headers={"If-Match": '"1"'})

    assert removed.status_code == 204
    for path in paths:
        assert (await alice("GET", path)).status_code == 404
    assert await listed(alice, "/v1/patients") == await listed(alice, "/v1/lesions") == []
    again = await made(alice, **ANN)
    assert await either.purge() == 1
    assert either.kept_files() == []
    assert await everything(either) == {again["id"]}


async def test_what_others_keep_of_a_removed_patient_or_lesion_stays_as_it_is(
    either: Gateway,
) -> None:
    """Whoever removes takes what is in sight; an organisation that shares no more has others."""
    alice, bob = await either.signed_in(), await either.signed_in("bob")
    await share(either, shared=True)
    patients = [await made(alice, identifier=str(number)) for number in range(3)]
    of_alice = await made(alice, "/v1/lesions", patient=patients[0]["id"])
    of_bob = await made(bob, "/v1/lesions", patient=patients[1]["id"])
    attached = ({"lesion": of_alice["id"]}, {"patient": patients[2]["id"]})
    analyses = [(await bob.analyze(**to)).json() for to in attached]
    await share(either, shared=False)
    for patient in patients:
        path = f"/v1/patients/{patient['id']}"
        assert (await alice("DELETE", path, headers={"If-Match": "*"})).status_code == 204

    await either.purge()

    assert (await bob("GET", f"/v1/lesions/{of_bob['id']}")).json() == of_bob
    for analysis in analyses:
        kept = (await bob("GET", f"/v1/analyses/{analysis['id']}")).json()
        assert (kept["lesion"], kept["patient"]) == (analysis["lesion"], analysis["patient"])
    await bob("DELETE", f"/v1/lesions/{of_bob['id']}", headers={"If-Match": "*"})
    for analysis in analyses:
        await bob("DELETE", f"/v1/analyses/{analysis['id']}")
    assert await either.purge() == 2
    assert await everything(either) == set()


async def test_what_keeps_its_number_is_changed_though_another_has_the_same(
    either: Gateway,
) -> None:
    """Who kept to themselves may have given one number twice; sharing shows it."""
    alice, bob = await either.signed_in(), await either.signed_in("bob")
    paths = [f"/v1/patients/{(await made(client, **ANN))['id']}" for client in (alice, bob)]
    await share(either, shared=True)

    async def change(path: str, **values: str) -> int:
        return (await alice("PATCH", path, json=values, headers={"If-Match": "*"})).status_code

    assert [await change(path, name="Ann") for path in paths] == [200, 200]
    assert await change(paths[1], identifier=ANN["identifier"], issuer=ANN["issuer"]) == 200
    assert await change(paths[1], identifier="4712") == 200
    assert await change(paths[1], identifier=ANN["identifier"]) == 409


async def test_an_analysis_is_not_kept_for_a_patient_who_is_removed_meanwhile(
    either: Gateway,
) -> None:
    alice = await either.signed_in()
    patient = await made(alice, **ANN)
    either.inference.may_answer.clear()

    analysis = asyncio.create_task(alice.analyze(patient=patient["id"]))
    await either.inference.arrived()
    await alice("DELETE", f"/v1/patients/{patient['id']}", headers={"If-Match": "*"})
    either.inference.may_answer.set()

    refused = await analysis
    assert (refused.status_code, either.kept_files()) == (422, [])
    assert await listed(alice, "/v1/analyses") == []
