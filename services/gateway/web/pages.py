"""Pages made of templates, with what every page carries."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse
from jinja2 import DictLoader, Environment, StrictUndefined, select_autoescape

from services import telemetry
from services.gateway import wording
from services.gateway.audit import noted
from services.gateway.identity import Caller
from services.gateway.web.assets import Assets
from services.gateway.web.refusal import Refusal

_HERE = Path(__file__).parent

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob: data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
    # An address of ours is of no one's concern but ours; our own forms say where they come from.
    "Referrer-Policy": "same-origin",
}
"""What pages tell browsers in place of what other answers do: all that is loaded is ours."""


class Pages:
    """Fills in templates."""

    def __init__(self, institution: str) -> None:
        """Read what pages are made of.

        Args:
            institution: whose pages they are; nobody's in particular when empty.

        """
        self.assets = Assets.read(_HERE / "static")
        self._templates = Environment(
            loader=DictLoader(_read(_HERE / "templates")),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._templates.filters.update(
            percent=wording.percent, reason=wording.reason, whole_figures=wording.whole_figures
        )
        self._templates.globals.update(asset=self.assets.address, institution=institution)

    def show(
        self,
        request: Request | Mapping[str, Any],
        name: str,
        values: Mapping[str, Any],
        *,
        caller: Caller | None = None,
        status: int = 200,
    ) -> HTMLResponse:
        """Return a page.

        Args:
            request: that asks for it, or its scope.
            name: of the template.
            values: for the template.
            caller: who asks, if they are signed in: they are offered what they may do.
            status: of the answer.

        """
        known = {
            "caller": caller,
            "here": request["path"],
            # By a name of its own: in a macro, ``caller`` is a word of Jinja's.
            "owner": caller.user.id if caller else "",
            "request_id": telemetry.current_request_id(),
        }
        shown = self._templates.get_template(name).render({"at_fault": "", **values, **known})
        return HTMLResponse(shown, status, HEADERS)

    def refuse(
        self,
        request: Request,
        name: str,
        values: Mapping[str, Any],
        refusal: Refusal,
        *,
        caller: Caller | None = None,
    ) -> HTMLResponse:
        """Return a page that says why something was refused; the audit has the kind of problem.

        Args:
            request: that is refused.
            name: of the template.
            values: for the template, and what it says of the refusal among them.
            refusal: why.
            caller: who asks, if they are signed in.

        """
        noted().problem = refusal.problem
        told = {**values, "at_fault": refusal.at_fault}
        page = self.show(request, name, told, caller=caller, status=refusal.status)
        page.headers.update(refusal.headers)
        return page


def _read(folder: Path) -> dict[str, str]:
    """Read all templates at once: whoever shows a page has no time to wait for a disk."""
    return {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.html")}


async def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


PagesDep = Annotated[Pages, Depends(_pages)]
