"""What holds for every request: ids, problems, headers, bounds, logs, figures."""

import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.exceptions import HTTPException

from services import telemetry
from services.gateway import kinds, problems
from services.gateway.cross_origin import CrossOrigin
from services.gateway.door import Door
from services.gateway.errors import GatewayError
from services.gateway.metrics import Metrics
from tests.gateway.conftest import PASSWORD, Gateway
from tests.gateway.leaks import WATCH

FORM = {"Content-Type": "multipart/form-data"}
JSON = {"Content-Type": "application/json"}
UNDEFINED = {"Content-Type": "multipart/form-data; boundary=x; charset=undefined"}
PART = b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\nA\r\n--x--\r\n'
SLUGS = {
    401: "unauthenticated",
    404: "no-such-path",
    405: "method-not-allowed",
    413: "too-large",
    415: "unsupported-media-type",
    422: "invalid-request",
}
"""What each status is called where nothing more is to be said than that."""
MEMBERS = {"type", "title", "status", "detail", "instance", "request_id"}


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/nowhere", {}, 404),
        ("GET", "/v1/analyses/", {}, 404),
        ("PUT", "/v1/analyses", {}, 405),
        ("BREW", "/v1/analyses", {}, 405),
        ("GET", "/v1/me", {}, 401),
        ("POST", "/v1/auth/register", {"json": {}}, 422),
        ("POST", "/v1/auth/register", {"content": b"{not json", "headers": JSON}, 422),
        ("POST", "/v1/auth/register", {"content": b'"\xff"', "headers": JSON}, 422),
        ("POST", "/v1/auth/register", {"content": b"[" * 60_000, "headers": JSON}, 422),
        ("POST", "/v1/auth/register", {"content": b"{}"}, 415),
        ("POST", "/v1/auth/token", {"data": {"username": "x"}}, 422),
        ("POST", "/v1/auth/token", {"content": b"--", "headers": FORM}, 422),
        ("POST", "/v1/auth/token", {"content": PART, "headers": UNDEFINED}, 422),
        ("POST", "/v1/auth/refresh", {"content": b"x" * 70_000}, 413),
        ("POST", "/v1/auth/token", {"data": {"username": "x" * 70_000}}, 413),
    ],
)
async def test_whatever_goes_wrong_has_the_same_shape(
    gateway: Gateway, method: str, path: str, options: dict[str, Any], status: int
) -> None:
    headers = {"X-Request-Id": "ward-7", **options.pop("headers", {})}

    answer = await gateway.http.request(method, path, headers=headers, **options)

    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem.keys() >= MEMBERS
    assert (problem["status"], problem["request_id"]) == (status, "ward-7")
    assert problem["instance"] == path
    assert problem["detail"].endswith(".")
    assert not problem["detail"].endswith("..")
    assert problem["type"] == f"{problems.PAGE}#{SLUGS[status]}"
    assert problem["title"] == kinds.kind_named(SLUGS[status]).title


async def test_a_method_that_is_not_taken_is_told_which_are(gateway: Gateway) -> None:
    answers = [await gateway.http.request(method, "/v1/me") for method in ("PUT", "OPTIONS")]

    assert [answer.status_code for answer in answers] == [405, 204]
    assert {answer.headers["Allow"] for answer in answers} == {"GET, HEAD, OPTIONS"}


async def test_what_the_framework_raises_and_nobody_foresaw_is_a_fault_of_ours() -> None:
    app = FastAPI()

    @app.get("/teapot")
    async def teapot() -> None:
        raise HTTPException(418, "a secret of ours")

    problems.install(app)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        with WATCH.captured() as lines:
            answer = await http.get("/teapot")

    assert (answer.status_code, answer.json()["type"]) == (500, f"{problems.PAGE}#internal")
    assert "secret" not in answer.text
    assert "secret" in str(lines[0]["exc_info"])


async def test_every_answer_has_an_id_and_security_headers(gateway: Gateway) -> None:
    answers = [
        await gateway.http.get(path)
        for path in ("/livez", "/nowhere", "/docs", problems.PAGE, "/v1/me", "/metrics")
    ]
    answers.append(await gateway.http.post("/v1/auth/refresh", content=b"x" * 70_000))
    answers.append(await gateway.http.options("/livez"))
    for answer in answers:
        assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-Id"])
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        policy = answer.headers["Content-Security-Policy"]
        for nothing in ("default-src", "base-uri", "form-action", "frame-ancestors"):
            assert f"{nothing} 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "camera=()" in answer.headers["Permissions-Policy"]
        assert "no-store" in answer.headers["Cache-Control"]


async def test_an_id_that_could_garble_a_log_is_replaced(gateway: Gateway) -> None:
    answer = await gateway.http.get("/livez", headers={"X-Request-Id": "a b\t{}"})

    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["X-Request-Id"])


async def test_a_fault_of_ours_is_logged_in_full_and_says_nothing_outside() -> None:
    app = FastAPI()

    @app.get("/fault")
    async def fault() -> None:
        raise RuntimeError("a secret of ours")

    @app.get("/unmapped")
    async def unmapped() -> None:
        raise GatewayError("another secret")

    app.add_middleware(
        Door,
        metrics=Metrics(),
        body_timeout_s=1,
        unbounded=frozenset(),
        cross_origin=CrossOrigin(frozenset()),
    )
    problems.install(app)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        for path in ("/fault", "/unmapped"):
            with WATCH.captured() as lines:
                answer = await http.get(path)

            assert answer.status_code == 500
            assert "secret" not in answer.text
            assert answer.json()["detail"].startswith("Something went wrong.")
            failed = [line for line in lines if line["event"] == "request failed"]
            assert "secret" in str(failed[0]["exc_info"])


async def test_requests_are_counted_by_template_and_never_by_id(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    analysis = (await alice.analyze(patient_id="P-secret")).json()
    await alice("GET", f"/v1/analyses/{analysis['id']}")
    await alice("GET", "/wp-login.php")
    await alice("BREW", "/livez")

    figures = (await gateway.http.get("/metrics")).text

    template = 'route="/v1/analyses/{analysis_id}"'
    assert f'gateway_requests_total{{method="GET",{template},status="200"}} 1.0' in figures
    assert 'method="GET",route="unmatched",status="404"' in figures
    assert 'method="other"' in figures
    assert 'gateway_analyses_total{outcome="assessed"} 1.0' in figures
    assert "gateway_upload_bytes_count 1.0" in figures
    for bound in telemetry.SECONDS:
        bucket = f'gateway_request_seconds_bucket{{le="{float(bound)}",method="GET",{template}}}'
        assert bucket in figures
    assert f'gateway_request_seconds_count{{method="GET",{template}}} 1.0' in figures
    assert "process_resident_memory_bytes" in figures
    for secret in (analysis["id"], "P-secret", "alice", "wp-login", "BREW"):
        assert secret not in figures


async def test_no_log_line_carries_a_person_a_password_or_a_token(gateway: Gateway) -> None:
    with WATCH.captured() as lines:
        alice = await gateway.signed_in()
        await alice.analyze(patient_id="P-secret", patient_name="Jane Doe", note="private")
        await alice("GET", "/v1/analyses", params={"patient_id": "P-secret"})
        await alice.analyze(b"junk")
        await gateway.anonymous("POST", "/v1/auth/token", data={"username": "alice"})

    written = str(lines)
    assert len(lines) >= 5
    assert {line["event"] for line in lines} == {"request answered", "audit anchor"}
    for anchor in (line for line in lines if line["event"] == "audit anchor"):
        assert anchor.keys() == {"event", "log_level", "organisation_id", "sequence", "hash", "key"}
    for secret in ("P-secret", "Jane", "private", PASSWORD, alice.token):
        assert str(secret) not in written


async def test_the_openapi_document_covers_every_route_and_its_problems(gateway: Gateway) -> None:
    document = (await gateway.http.get("/openapi.json")).json()

    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) >= {
        "/v1/auth/register",
        "/v1/auth/token",
        "/v1/auth/refresh",
        "/v1/auth/logout",
        "/.well-known/jwks.json",
        "/v1/me",
        "/v1/analyses",
        "/v1/analyses/{analysis_id}",
        "/v1/analyses/{analysis_id}/image",
        "/v1/analyses/{analysis_id}/mask.png",
        "/v1/analyses/{analysis_id}/overlay.png",
        "/v1/analyses/{analysis_id}/explanation.png",
        "/v1/analyses/{analysis_id}/report.pdf",
        "/v1/models",
        "/v1/users",
        "/v1/users/{user_id}",
        "/livez",
        "/readyz",
        "/metrics",
    }
    assert "Problem" in document["components"]["schemas"]
    failures = document["components"]["responses"]
    analyze = document["paths"]["/v1/analyses"]["post"]
    assert {"201", "401", "413", "415", "422", "502", "503", "504"} <= analyze["responses"].keys()
    form = analyze["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["required"] == ["image"]
    assert form["properties"].keys() >= {"image", "patient_id", "note"}
    for path, methods in document["paths"].items():
        for operation in methods.values():
            for status, described in operation["responses"].items():
                if int(status) >= 400:
                    failure = failures[described["$ref"].rpartition("/")[2]]
                    assert list(failure["content"]) == ["application/problem+json"], path
            if path.startswith("/v1"):
                assert {"500", "503"} <= operation["responses"].keys(), path


OPEN = {
    "POST /v1/auth/register",
    "POST /v1/auth/token",
    "POST /v1/auth/password-reset",
    "POST /v1/auth/refresh",
    "GET /v1/auth/oidc",
    "GET /v1/auth/oidc/callback",
    "POST /v1/auth/oidc/logout",
    "POST /v1/auth/oidc/token",
    "GET /.well-known/jwks.json",
    "GET /livez",
    "GET /readyz",
    "GET /metrics",
}


async def test_nothing_but_what_is_listed_here_is_open_to_strangers(gateway: Gateway) -> None:
    document = (await gateway.http.get("/openapi.json")).json()
    operations = [(method.upper(), path) for path, ms in document["paths"].items() for method in ms]

    answered = {
        f"{method} {path}": await gateway.http.request(method, path) for method, path in operations
    }

    assert answered.keys() > OPEN
    for operation, answer in answered.items():
        assert (answer.status_code == 401) == (operation not in OPEN), operation


async def test_the_type_of_every_problem_leads_to_its_paragraph(gateway: Gateway) -> None:
    page = (await gateway.http.get(problems.PAGE)).text
    problem = (await gateway.http.get("/v1/me")).json()
    assert problem["type"] == f"{problems.PAGE}#unauthenticated"
    for kind in (*kinds.KINDS.values(), kinds.UNKNOWN):
        assert page.count(f'<h3 id="{kind.slug}">') == 1, kind.slug


async def test_the_reference_needs_no_script_and_no_network(gateway: Gateway) -> None:
    assert "<script" not in (await gateway.http.get(problems.PAGE)).text
    answer = await gateway.http.get("/docs")

    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<script" not in answer.text
    assert "http://" not in answer.text.replace("http://gateway", "")
    assert "/v1/analyses/{analysis_id}/report.pdf" in answer.text
    assert "malignant_probability" in answer.text
