"""What the client takes answers for is what the OpenAPI document says they are."""

import json

import pytest
from pydantic import BaseModel

from deploy import openapi
from dermserve_client import shapes

DOCUMENT = json.loads(openapi.PAGE.read_text(encoding="utf-8"))

NAMED: dict[str, type[BaseModel]] = {
    "AlignmentView": shapes.Alignment,
    "AnalysisView": shapes.Analysis,
    "AssessmentStepView": shapes.AssessmentStep,
    "AssessmentView": shapes.Assessment,
    "BatchView": shapes.Batch,
    "ChangeView": shapes.Change,
    "Classification": shapes.Classification,
    "ComparisonView": shapes.Comparison,
    "DeliveryView": shapes.Delivery,
    "EvaluationView": shapes.Evaluation,
    "FailureView": shapes.Failure,
    "FiguresView": shapes.Figures,
    "Findings": shapes.Findings,
    "ImageView": shapes.Image,
    "LatencyView": shapes.Latency,
    "LesionView": shapes.Lesion,
    "LineView": shapes.Line,
    "MadeApiKey": shapes.ApiKey,
    "MadeSecret": shapes.WebhookSecret,
    "MadeWebhook": shapes.Webhook,
    "Method": shapes.Method,
    "ModelVersion": shapes.ModelVersion,
    "ModelView": shapes.Model,
    "MomentView": shapes.Moment,
    "NarrativeView": shapes.Narrative,
    "PatientView": shapes.Patient,
    "PeriodView": shapes.Period,
    "Quality": shapes.Quality,
    "RateView": shapes.Rate,
    "Readiness": shapes.Readiness,
    "ReplayView": shapes.Replay,
    "ReportRequestView": shapes.ReportRequest,
    "ResetCode": shapes.ResetCode,
    "Segmentation": shapes.Segmentation,
    "StatisticsView": shapes.Statistics,
    "SystemView": shapes.System,
    "TicketView": shapes.Ticket,
    "Timings": shapes.Timings,
    "Tokens": shapes.Tokens,
    "Tolerance": shapes.Tolerance,
    "UserView": shapes.User,
}
EXAMPLES = [
    pytest.param(content, id=f"{operation['operationId']} {status}")
    for methods in DOCUMENT["paths"].values()
    for operation in methods.values()
    for status, answer in operation["responses"].items()
    for kind, content in answer.get("content", {}).items()
    if kind == "application/json" and content["schema"].get("$ref", "").rpartition("/")[2] in NAMED
]


@pytest.mark.parametrize("name", NAMED)
def test_a_shape_has_the_fields_that_the_document_names(name: str) -> None:
    fields = NAMED[name].model_fields.keys() - {"etag"}
    assert fields == DOCUMENT["components"]["schemas"][name]["properties"].keys()


@pytest.mark.parametrize("content", EXAMPLES)
def test_an_example_of_the_document_is_read_whole(content: dict[str, object]) -> None:
    shape = NAMED[str(content["schema"]["$ref"]).rpartition("/")[2]]  # type: ignore[index]
    read = shape.model_validate(content["example"])
    assert read.model_dump(mode="json", exclude_unset=True) == content["example"]


def test_statistics_of_a_gateway_of_before_are_read_without_what_models_waited_and_ran() -> None:
    answers = DOCUMENT["paths"]["/v1/statistics"]["get"]["responses"]
    whole = answers["200"]["content"]["application/json"]["example"]["whole"]
    before = {name: value for name, value in whole.items() if not name.endswith("_time")}
    assert whole.keys() - before.keys() == {"queue_time", "run_time"}
    read = shapes.Figures.model_validate(before)
    assert (read.queue_time, read.run_time) == (None, None)
