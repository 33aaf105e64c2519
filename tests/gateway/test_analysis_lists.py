"""Lists of analyses: their order, their pages and what narrows them."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from services.gateway.analyses import SORTS
from services.pb import inference_pb2 as pb
from tests.gateway.conftest import Gateway
from tests.gateway.counterparts import assessed, cannot_assess
from tests.gateway.test_analyses import analyzed


async def test_the_list_is_newest_first_and_pages_neither_repeat_nor_skip(
    either: Gateway,
) -> None:
    alice = await either.signed_in()
    made = [(await analyzed(alice))["id"] for _ in range(5)]

    seen: list[str] = []
    cursor: str | None = None
    pages = 0
    while True:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await alice("GET", "/v1/analyses", params=query)).json()
        assert page.keys() == {"items", "next_cursor"}
        seen += [item["id"] for item in page["items"]]
        pages += 1
        cursor = page["next_cursor"]
        if cursor is None:
            break
        # One that comes meanwhile is newer than the page: it moves nothing.
        await analyzed(alice)

    assert seen == made[::-1]
    assert pages == 3


async def test_the_list_can_be_narrowed(either: Gateway) -> None:
    alice = await either.signed_in()
    first = await analyzed(alice, patient_id="P-1")
    melanoma = assessed()
    melanoma.classification.label = pb.LABEL_MEL
    either.inference.answer = melanoma
    second = await analyzed(alice, patient_id="P-2")

    async def listed(**query: str) -> list[str]:
        answer = await alice("GET", "/v1/analyses", params=query)
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]

    assert await listed(label="mel") == [second["id"]]
    assert await listed(label="nv") == [first["id"]]
    assert await listed(patient_id="P-1") == [first["id"]]
    assert await listed(patient_id="P-1", label="mel") == []
    assert await listed(since=second["created_at"]) == [second["id"]]
    assert await listed(until=second["created_at"]) == [first["id"]]
    elsewhere = datetime.fromisoformat(second["created_at"]).astimezone()
    assert await listed(since=elsewhere.isoformat()) == [second["id"]]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(tzinfo=None)
    assert await listed(since=tomorrow.isoformat()) == []


async def test_the_list_is_narrowed_by_what_was_found(either: Gateway) -> None:
    alice = await either.signed_in()
    plain = await analyzed(alice, body_site="left arm \u202e")
    either.inference.answer = suspicious(0.8)
    found = await analyzed(alice, body_site="palms/soles")
    either.inference.answer = cannot_assess()
    blurred = await analyzed(alice)

    async def listed(**query: str) -> list[str]:
        answer = await alice("GET", "/v1/analyses", params=query)
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]

    assert await listed(suspicious="true") == [found["id"]]
    assert await listed(suspicious="false") == [plain["id"]]
    assert await listed(outcome="cannot_assess") == [blurred["id"]]
    assert await listed(outcome="assessed") == [found["id"], plain["id"]]
    assert await listed(body_site="palms/soles") == [found["id"]]
    assert await listed(body_site="left arm \u202e") == [plain["id"]]
    assert await listed(body_site="palms") == []


async def test_pages_keep_their_order_whatever_they_are_sorted_by(either: Gateway) -> None:
    alice = await either.signed_in()
    made = []
    for probability in (0.3, 0.9, 0.3, 0.1 + 0.2, None):
        either.inference.answer = suspicious(probability) if probability else cannot_assess()
        made.append(await analyzed(alice))

    for sort in SORTS:
        by = sort.removeprefix("-")
        seen: list[str] = []
        query: dict[str, str] | None = {"sort": sort, "limit": "2"}
        while query is not None:
            page = (await alice("GET", "/v1/analyses", params=query)).json()
            seen += [item["id"] for item in page["items"]]
            query = page["next_cursor"] and {**query, "cursor": page["next_cursor"]}

        expected = [each for each in made if value(each, by) is not None]
        expected.sort(key=lambda each: (value(each, by), each["id"]), reverse=sort.startswith("-"))
        assert seen == [each["id"] for each in expected], sort


def value(analysis: dict[str, Any], by: str) -> Any:
    if by == "created_at":
        return analysis[by]
    return analysis["classification"] and analysis["classification"][by]


def suspicious(probability: float) -> pb.AnalyzeResponse:
    """An answer with so much melanoma in it; the rest is the likeliest label."""
    answer = assessed()
    for each in answer.classification.probabilities:
        melanoma = each.label == pb.LABEL_MEL
        each.probability = probability if melanoma else 0.0
        if each.label == pb.LABEL_NV:
            each.probability = 1 - probability
    answer.classification.label = pb.LABEL_MEL if probability > 0.5 else pb.LABEL_NV
    answer.classification.malignant_probability = probability
    answer.classification.suspicious = probability > 0.5
    return answer


async def test_a_cursor_is_good_for_the_order_that_gave_it(either: Gateway) -> None:
    alice = await either.signed_in()
    for _ in range(2):
        await analyzed(alice)

    given = {}
    for sort in SORTS:
        page = await alice("GET", "/v1/analyses", params={"sort": sort, "limit": "1"})
        given[sort] = page.json()["next_cursor"]
    for sort, other in itertools.product(SORTS, SORTS):
        query = {"sort": sort, "cursor": given[other]}
        answer = await alice("GET", "/v1/analyses", params=query)
        assert answer.status_code == (200 if sort == other else 422), (sort, other)


WRONG = [
    {"limit": "0"},
    {"limit": "101"},
    {"limit": "many"},
    {"cursor": "nonsense"},
    {"cursor": "AAAA"},
    {"label": "melanoma"},
    {"since": "yesterday"},
    {"since": "1700000000"},
    {"until": "-1"},
    {"since": "0001-01-01T00:00:00+14:00"},
    {"until": "9999-12-31T23:59:59-14:00"},
    {"patient_id": "a\0b"},
    {"outcome": "unclear"},
    {"suspicious": "perhaps"},
    {"body_site": "x" * 101},
    {"sort": "note"},
]


async def test_a_list_asked_for_wrongly_is_refused(either: Gateway) -> None:
    alice = await either.signed_in()
    for query in WRONG:
        answer = await alice("GET", "/v1/analyses", params=query)

        assert answer.status_code == 422, query
        assert answer.headers["Content-Type"] == "application/problem+json", query
        assert next(iter(query)) in answer.json()["detail"], query
