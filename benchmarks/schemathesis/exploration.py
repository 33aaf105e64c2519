"""One run of Schemathesis against a gateway, as somebody."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pyotp

from benchmarks import machine
from benchmarks.schemathesis.hooks import ADMIN, CLINICIAN, KNOWN, RECEIVER
from tests import specimens, stack, tiny_models
from tests.gateway import identity_providers

_PASSWORD = "measure, then claim"  # noqa: S105 - of a gateway that lives as long as the run
_REJECTED = [400, 401, 403, 404, 405, 406, 409, 413, 414, 415, 422, 428, 429]
_ROLES = {ADMIN: "admin", CLINICIAN: "clinician"}

_PATIENCE_S = 60

_HOOKS = "benchmarks.schemathesis.hooks"


class Explored(NamedTuple):
    """A gateway to be tried out.

    Attributes:
        rest: where it answers.
        changed_user: id of the only user who is changed: who asks would else shut themselves out.
        known: for each of those who ask, ids of records by the operation that asks for them.

    """

    rest: str
    changed_user: str
    known: dict[str, dict[str, list[str]]]


@contextmanager
def gateway(database_url: str = "") -> Iterator[Explored]:
    """Run all services with tiny models.

    Its quotas are off: they are there to stop exactly this, and 429 teaches nothing here.
    """
    with tempfile.TemporaryDirectory() as folder, identity_providers.mock_provider() as issuer:
        variables = {
            "DERMSERVE_INFERENCE_MODEL_DIR": str(tiny_models.write_models(Path(folder))),
            "DERMSERVE_INFERENCE_EXECUTION_PROVIDER": "cpu",
            "DERMSERVE_GATEWAY_ADMIN_PASSWORD": _PASSWORD,
            "DERMSERVE_GATEWAY_ADDRESS_QUOTA": "0",
            "DERMSERVE_GATEWAY_CALLER_QUOTA": "0",
            "DERMSERVE_GATEWAY_DATABASE_URL": database_url,
            "DERMSERVE_GATEWAY_OIDC_ISSUER": issuer,
            "DERMSERVE_GATEWAY_OIDC_CLIENT_ID": identity_providers.CLIENT_ID,
            "DERMSERVE_GATEWAY_PUBLIC_URL": identity_providers.PUBLIC_URL,
            "DERMSERVE_GATEWAY_WEBHOOK_NETWORKS": "127.0.0.0/8",
            "DERMSERVE_GATEWAY_WEBHOOK_PORTS": "1-65535",
        }
        with stack.running(**variables) as running:
            yield _furnished(running.rest)


def explored(what: Explored, user: str, seconds: int, seed: int) -> dict[str, Any]:
    """Try a gateway out and return Schemathesis' own report of it.

    Args:
        what: the gateway.
        user: who asks, one of the two above.
        seconds: how long.
        seed: the same one begins with the same requests.

    """
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "users.json").write_text(
            json.dumps({"auth": [*map(_how_to_sign_in, _ROLES)]})
        )
        (Path(folder) / "schemathesis.toml").write_text(_config(user, what.changed_user))
        report = Path(folder) / "report.json"
        command = [
            *(sys.executable, "-m", "schemathesis.cli"),
            *("--config-file", f"{folder}/schemathesis.toml", "run", f"{what.rest}/openapi.json"),
            *("--checks", "all", "--exclude-checks", "positive_data_acceptance"),
            *("--max-time", str(seconds), "--seed", str(seed), "--continue-on-failure"),
            *("--generation-database", "none", "--no-color"),
            *("--report", "json", "--report-json-path", str(report)),
        ]
        finished = subprocess.run(
            command,
            cwd=folder,
            env={
                **os.environ,
                "PYTHONPATH": str(machine.ROOT),
                "SCHEMATHESIS_HOOKS": _HOOKS,
                KNOWN: json.dumps(what.known[user]),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if not report.exists():
            raise RuntimeError(finished.stdout)
        found: dict[str, Any] = json.loads(report.read_text())
        return {**found, "output": finished.stdout}


def _furnished(rest: str) -> Explored:
    """Make who asks, and what only who knows its id can ask for."""
    refusals = {"response": [_refuse_errors]}
    with httpx.Client(base_url=rest, timeout=_PATIENCE_S, event_hooks=refusals) as client:
        _sign_in(client, "admin")
        for name, role in _ROLES.items():
            _made(client, "users", username=name, password=_PASSWORD, role=role)
        changed = _made(client, "users", username="the.changed.user", password=_PASSWORD)
        known = {}
        for name, role in _ROLES.items():
            _sign_in(client, name)
            known[name] = _clinical(client) | (_administrative(client) if role == "admin" else {})
        return Explored(rest, changed, known)


def _clinical(client: httpx.Client) -> dict[str, list[str]]:
    patients = [_made(client, "patients", identifier=f"seen {n} times") for n in range(2)]
    lesions = [_made(client, "lesions", patient=patients[0]) for _ in range(2)]
    pictures = [_analyzed(client, lesions[0]) for _ in range(3)]
    said, first = {"verdict": "nv", "reason": "Seen for years."}, {"If-None-Match": "*"}
    for picture in pictures[1:]:
        client.put(f"/v1/analyses/{picture}/assessment", json=said, headers=first)
    lesion, patient, drawn, assessed = lesions[:1], patients[:1], pictures[:1], pictures[1:2]
    return {
        **dict.fromkeys(("lesion", "change_lesion", "lesion_report", "lesion_reports"), lesion),
        **dict.fromkeys(("patient", "change_patient"), patient),
        **dict.fromkeys(("explanation", "mask", "overlay"), drawn),
        **dict.fromkeys(("assess", "assessment", "assessments"), assessed),
        "comparison": pictures[:2],
        "delete_assessment": pictures[2:],
        "delete_lesion": lesions[1:],
        "delete_patient": patients[1:],
    }


def _administrative(client: httpx.Client) -> dict[str, list[str]]:
    bridge = {"username": "the.bridge", "password": _PASSWORD, "role": "service"}
    owner = _made(client, "users", **bridge)
    allowed = ["records:read"]
    webhooks = [_made(client, "webhooks", url=RECEIVER) for _ in range(2)]
    key = _made(client, "api-keys", user_id=owner, name="bridge", permissions=allowed)
    return {
        "revoke_api_key": [key],
        "remove_second_factor": [_with_second_factor(client)],
        "change_webhook": webhooks[:1],
        "delete_webhook": webhooks[1:],
    }


def _with_second_factor(admin: httpx.Client) -> str:
    """Make a user who has a second factor; return their id."""
    name = "the.one.with.a.telephone"
    user = _made(admin, "users", username=name, password=_PASSWORD)
    refusals = {"response": [_refuse_errors]}
    with httpx.Client(base_url=admin.base_url, event_hooks=refusals) as owner:
        _sign_in(owner, name)
        begun = owner.put("/v1/me/second-factor", json={"current_password": _PASSWORD}).json()
        code = pyotp.TOTP(begun["secret"]).now()
        owner.post("/v1/me/second-factor/confirmation", json={"code": code})
    return user


def _analyzed(client: httpx.Client, lesion: str) -> str:
    picture, of = {"image": specimens.lesion_jpeg()}, {"lesion": lesion}
    return str(client.post("/v1/analyses", files=picture, data=of).json()["id"])


def _made(client: httpx.Client, what: str, **fields: object) -> str:
    return str(client.post(f"/v1/{what}", json=fields).json()["id"])


def _sign_in(client: httpx.Client, name: str) -> None:
    signed_in = client.post("/v1/auth/token", data={"username": name, "password": _PASSWORD})
    client.headers["Authorization"] = f"Bearer {signed_in.json()['access_token']}"


def _refuse_errors(answer: httpx.Response) -> None:
    answer.raise_for_status()


def _config(user: str, changed_user: str) -> str:
    peers = json.dumps([*_ROLES])
    return f"""\
# That it takes long says something of the machine and nothing of the gateway.
suppress-health-check = ["too_slow"]
request-timeout = {_PATIENCE_S}

[auth.wfc]
path = "users.json"
user = "{user}"
peers = {peers}

[checks]
# Its own table of statuses does not know RFC 6585: 428 asks for If-Match.
# And what is too long for its field may be too long for the gateway.
negative_data_rejection.expected-statuses = {_REJECTED}
missing_required_header.expected-statuses = [401, 403, 422, 428]

[[operations]]
include-operation-id = "change_user"
parameters = {{ "path.user_id" = "{changed_user}" }}
"""


def _how_to_sign_in(user: str) -> dict[str, Any]:
    """Return how to sign in, as Web Fuzzing Commons writes it."""
    return {
        "name": user,
        "loginEndpointAuth": {
            "endpoint": "/v1/auth/token",
            "verb": "POST",
            "contentType": "application/x-www-form-urlencoded",
            "payloadUserPwd": {
                "username": user,
                "password": _PASSWORD,
                "usernameField": "username",
                "passwordField": "password",
            },
            "token": {
                "extractFrom": "body",
                "extractSelector": "/access_token",
                "sendIn": "header",
                "sendName": "Authorization",
                "sendTemplate": "Bearer {token}",
            },
        },
    }
