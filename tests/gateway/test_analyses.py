"""Analyses over HTTP: what comes back, what is kept, who may see it."""

from tests.gateway.conftest import Gateway


async def test_a_picture_becomes_an_analysis(gateway: Gateway) -> None:
    alice = await gateway.signed_in()

    answer = await alice.analyze(patient_id="P-1", body_site="left forearm")

    assert answer.status_code == 201, answer.text
    analysis = answer.json()
    assert answer.headers["Location"] == f"/v1/analyses/{analysis['id']}"
    print(analysis)
