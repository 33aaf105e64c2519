"""Every page that there is, by its route, with records that fill it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi.routing import APIRoute

from services.gateway import web
from tests import specimens
from tests.pages.conftest import PASSWORD
from tests.pages.results import unassessable
from tests.stack import Stack

NO_PAGES = {
    "page_asset": "is a style, a script or an icon",
    "page_export_audit": "is a file",
    "page_vouched": "leads on to a page",
}
"""Routes whose answers nobody looks at, with the reason."""

PUBLIC = ("page_landing", "page_offline", "page_password_reset", "page_sign_in", "page_sign_up")
"""Pages for whoever is not signed in."""

QUERIES = {"page_comparison": "?first={analysis_id}&second={other_analysis_id}"}
"""What pages ask for in their query."""

VIEWER = "a.viewer"


def paths() -> Mapping[str, str]:
    """Return the address of every page by its name, with the names of ids in it."""
    return {
        route.name: route.path + QUERIES.get(route.name, "")
        for router in web.ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        and "GET" in (route.methods or ())
        and route.name not in NO_PAGES
        and not route.path.endswith((".csv", ".json"))
    }


@dataclass(frozen=True)
class Filled:
    """Records of the administrator, and where to see them."""

    ids: Mapping[str, str]

    def path(self, name: str) -> str:
        """Return the address of a page.

        Raises:
            KeyError: it shows a kind of record that ``filled`` makes none of yet.

        """
        return paths()[name].format_map(self.ids)


def filled(services: Stack) -> Filled:
    """Make a record of each kind that pages show."""
    with httpx.Client(base_url=services.rest, timeout=60) as client:
        account = {"username": "admin", "password": PASSWORD}
        token = client.post("/v1/auth/token", data=account).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"

        def made(path: str, **options: Any) -> str:
            answer = client.post(path, **options)
            assert answer.is_success, answer.text
            found: str = answer.json()["id"]
            return found

        return Filled(_ids(made))


def _ids(made: Callable[..., str]) -> dict[str, str]:
    patient = made("/v1/patients", json={"identifier": "made up 7", "name": "Made-up Person"})
    lesion = made("/v1/lesions", json={"patient": patient, "body_site": "posterior torso"})
    first, second = (
        made("/v1/analyses", files={"image": ("a.jpg", picture)}, data={"lesion": lesion})
        for picture in (specimens.lesion_jpeg(), unassessable())
    )
    account = {"username": VIEWER, "password": PASSWORD, "role": "viewer"}
    # Nobody listens there.
    receiver = {"url": "http://127.0.0.1:9/hook", "description": "Made-up receiver"}
    pictures = [("images", (f"{name}.jpg", specimens.lesion_jpeg())) for name in "ab"]
    webhook = made("/v1/webhooks", json=receiver)
    made(f"/v1/webhooks/{webhook}/test")
    return {
        "analysis_id": first,
        "other_analysis_id": second,
        "patient_id": patient,
        "lesion_id": lesion,
        "batch_id": made("/v1/batches", files=pictures),
        "user_id": made("/v1/users", json=account),
        "webhook_id": webhook,
    }
