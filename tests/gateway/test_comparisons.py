"""Two analyses beside each other, and a lesion over time."""

import html
import re
from typing import Any

import pytest

from services.pb import inference_pb2 as pb
from tests.gateway.conftest import Client, Gateway
from tests.gateway.counterparts import assessed, cannot_assess
from tests.gateway.test_alignment import lesion
from tests.gateway.test_analyses import analyzed
from tests.gateway.test_analysis_lists import suspicious
from tests.gateway.test_jobs import submitted
from tests.gateway.test_patients import made
from tests.specimens import encoded


def found(probability: float, area: float, **mask: Any) -> pb.AnalyzeResponse:
    answer = suspicious(probability)
    answer.segmentation.area_fraction = area
    answer.segmentation.mask_png = encoded(lesion(**mask), "PNG")
    return answer


async def compared(client: Client, first: str, second: str) -> dict[str, Any]:
    answer = await client("GET", f"/v1/analyses/{first}/comparison/{second}")
    assert answer.status_code == 200, answer.text
    comparison: dict[str, Any] = answer.json()
    return comparison


async def test_a_comparison_says_what_has_changed_and_lays_one_over_the_other(
    either: Gateway,
) -> None:
    alice = await either.signed_in()
    patient = await made(alice, identifier="1")
    of = {"lesion": (await made(alice, "/v1/lesions", patient=patient["id"]))["id"]}
    either.inference.answer = found(0.2, 0.1)
    first = await analyzed(alice, **of)
    either.inference.answer = found(0.6, 0.125, x=320, y=200, scale=1.1, degrees=30)
    second = await analyzed(alice, **of)

    shown = await compared(alice, first["id"], second["id"])

    assert (shown["first"], shown["second"]) == (first["id"], second["id"])
    assert (shown["same_lesion"], shown["same_models"]) == (True, True)
    assert shown["area_fraction"]["relative"] == pytest.approx(0.25, abs=1e-6)
    assert shown["malignant_probability"]["difference"] == pytest.approx(0.4)
    assert shown["probabilities"]["mel"]["second"] == pytest.approx(0.6)
    assert shown["alignment"]["scale"] == pytest.approx(1 / 1.1, rel=0.03)
    assert shown["alignment"]["rotation_degrees"] == pytest.approx(-30, abs=3)
    assert shown["alignment"]["overlap"] > 0.93


async def test_what_one_of_two_does_not_have_is_null_in_their_comparison(
    either: Gateway,
) -> None:
    alice = await either.signed_in()
    first = await analyzed(alice)
    either.inference.answer = cannot_assess()
    second = await analyzed(alice)

    shown = await compared(alice, first["id"], second["id"])

    assert shown["area_fraction"]["first"] == 0.0625
    assert [shown["area_fraction"][each] for each in ("second", "difference", "relative")] == [
        None
    ] * 3
    assert shown["probabilities"]["nv"] == {
        "first": 0.9,
        "second": None,
        "difference": None,
        "relative": None,
    }
    assert (shown["alignment"], shown["same_lesion"], shown["same_models"]) == (None, False, False)


async def test_the_page_shows_as_a_change_what_lies_between_the_shown_figures(
    gateway: Gateway,
) -> None:
    alice = await gateway.signed_in()
    gateway.inference.answer = found(0.1004, 0.1)
    first = await analyzed(alice)
    gateway.inference.answer = found(0.1016, 0.1)
    second = await analyzed(alice)

    page = await alice("GET", f"/comparison?first={first['id']}&second={second['id']}")

    shown = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text)).split())
    assert "Malignant probability 10.0 % 10.2 % +0.2 points" in shown
    assert "Melanocytic nevus (nv) 90.0 % 89.8 % \N{MINUS SIGN}0.2 points" in shown
    assert "Variety of colours 30.0 % 30.0 % 0.0 points" in shown


async def test_nobody_compares_with_what_they_may_not_see_or_what_has_no_answer(
    either: Gateway,
) -> None:
    alice, bob = await either.signed_in(), await either.signed_in("bob")
    hers, his = (await analyzed(alice))["id"], (await analyzed(bob))["id"]
    either.inference.may_answer.clear()
    waiting = (await submitted(alice)).rpartition("/")[2]

    for first, second, status in ((hers, his, 404), (his, hers, 404), (hers, waiting, 409)):
        answer = await alice("GET", f"/v1/analyses/{first}/comparison/{second}")
        assert answer.status_code == status, (first, second)
    either.inference.may_answer.set()


async def test_a_timeline_has_the_answers_about_a_lesion_oldest_first(either: Gateway) -> None:
    alice = await either.signed_in()
    patient = await made(alice, identifier="1")
    of = {"lesion": (await made(alice, "/v1/lesions", patient=patient["id"]))["id"]}
    ids = []
    for answer in (found(0.2, 0.1), cannot_assess(), assessed()):
        either.inference.answer = answer
        ids.append((await analyzed(alice, **of))["id"])
    await analyzed(alice)
    said = {"verdict": "nv"}
    path = f"/v1/analyses/{ids[2]}/assessment"
    await alice("PUT", path, json=said, headers={"If-None-Match": "*"})

    where = f"/v1/lesions/{of['lesion']}/timeline"
    first = (await alice("GET", where, params={"limit": "2"})).json()
    rest = (await alice("GET", where, params={"cursor": first["next_cursor"]})).json()

    moments = [*first["items"], *rest["items"]]
    assert [each["analysis"] for each in moments] == ids
    assert [each["area_fraction"] for each in moments] == [pytest.approx(0.1), None, 0.0625]
    assert [each["malignant_probability"] for each in moments] == [0.2, None, 0.06]
    assert [each["verdict"] for each in moments] == [None, None, "nv"]
    assert rest["next_cursor"] is None
