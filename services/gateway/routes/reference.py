"""The reference for people, made from the OpenAPI document; needs no script and no network."""

import html
from base64 import b64encode
from hashlib import sha256
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from services.gateway import kinds, problems

router = APIRouter(include_in_schema=False)

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem;
       color: #1c1e21; background: #fff }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #ccc } h3 { font-family: ui-monospace, monospace }
h3 b { color: #0b5cad } code { background: #f2f3f5; padding: 0 .25em; border-radius: 3px }
table { border-collapse: collapse; width: 100% } td { border-top: 1px solid #e3e5e8;
       padding: .25rem .75rem .25rem 0; vertical-align: top } td:first-child { width: 14rem }
@media (prefers-color-scheme: dark) { body { color: #e4e6eb; background: #18191a }
       code { background: #2c2d30 } h3 b { color: #7ab7ff } td { border-color: #3a3b3c } }
"""
_STYLE_HASH = f"sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}"
"""The one style that pages may have (https://www.w3.org/TR/CSP3/#framework-directive-source-list)."""


@router.get("/docs")
async def reference(request: Request) -> HTMLResponse:
    """Show what there is, for people."""
    return _shown(_reference(request.app.openapi()))


@router.get(problems.PAGE)
async def kinds_of_problems() -> HTMLResponse:
    """Explain every kind of problem, for people."""
    sections = "".join(
        f'<h3 id="{_text(kind.slug)}">{_text(kind.slug)}</h3>'
        f"<p>{_text(kind.title)} ({kind.status}).</p>{_prose(kind.help)}"
        for kind in sorted(kinds.ALL, key=lambda kind: kind.slug)
    )
    intro = (
        "<p>Errors come as <code>application/problem+json</code> (RFC 9457). <code>type</code> is "
        "one of these; <code>detail</code> says what happened this time.</p>"
    )
    return _shown(_page("Problems", f"<h1>Problems</h1>{intro}{sections}"))


def _shown(page: str) -> HTMLResponse:
    policy = (
        f"default-src 'none'; style-src '{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    return HTMLResponse(page, headers={"Content-Security-Policy": policy})


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{_text(title)}</title>'
        f"<style>{_STYLE}</style>{body}</html>"
    )


def _reference(document: dict[str, Any]) -> str:
    info = document["info"]
    operations = [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    failures = document["components"]["responses"]
    sections = "".join(_operation(*each, failures) for each in operations)
    schemas = document["components"]["schemas"]
    shapes = "".join(_schema(name, schema) for name, schema in sorted(schemas.items()))
    body = (
        f"<h1>{_text(info['title'])} {_text(info['version'])}</h1>{_prose(info['description'])}"
        '<p>For programs: <a href="/openapi.json">/openapi.json</a>, OpenAPI 3.1. '
        f'<a href="{problems.PAGE}">Problems</a>: what errors mean, and what to do.</p>'
        f"<h2>Operations</h2>{sections}<h2>Shapes</h2>{shapes}"
    )
    return _page(info["title"], body)


def _operation(path: str, method: str, operation: dict[str, Any], failures: dict[str, Any]) -> str:
    rows = [
        (f"{each['in']} <code>{_text(each['name'])}</code>", _about(each["schema"], each))
        for each in operation.get("parameters", [])
    ]
    bodies = operation.get("requestBody", {}).get("content", {})
    rows += [
        (f"body <code>{_text(kind)}</code>", _about(b["schema"])) for kind, b in bodies.items()
    ]
    rows += [
        (f"answer <code>{status}</code>", _answer(failures.get(_named(answer), answer)))
        for status, answer in operation["responses"].items()
    ]
    return (
        f"<h3><b>{method.upper()}</b> {_text(path)}</h3>"
        f"{_prose(operation.get('description', ''))}{_table(rows)}"
    )


def _named(described: dict[str, Any]) -> str:
    return str(described.get("$ref", "")).rpartition("/")[2]


def _answer(answer: dict[str, Any]) -> str:
    kinds = " or ".join(
        f"<code>{_text(kind)}</code> {_about(content.get('schema', {}))}"
        for kind, content in answer.get("content", {}).items()
    )
    return f"{_text(answer['description'])} {kinds}"


def _schema(name: str, schema: dict[str, Any]) -> str:
    rows = [
        (f"<code>{_text(field)}</code>", _about(about))
        for field, about in schema.get("properties", {}).items()
    ]
    return (
        f'<h3 id="{_text(name)}">{_text(name)}</h3>'
        f"{_prose(schema.get('description', ''))}{_table(rows)}"
    )


def _about(schema: dict[str, Any], described: dict[str, Any] | None = None) -> str:
    """Say in a line what a value is."""
    description = (described or schema).get("description", "")
    return f"{_type(schema)} {_text(description)}"


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = _text(_named(schema))
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(f"<code>{_text(str(each))}</code>" for each in schema["enum"])
    if "properties" in schema:
        return "fields " + ", ".join(
            f"<code>{_text(field)}</code> ({_type(each)})"
            for field, each in schema["properties"].items()
        )
    if schema.get("type") == "array" and "items" in schema:
        return f"list of {_type(schema['items'])}"
    return _text(str(schema.get("format") or schema.get("type") or schema.get("const") or ""))


def _table(rows: list[tuple[str, str]]) -> str:
    cells = "".join(f"<tr><td>{name}<td>{about}" for name, about in rows)
    return f"<table>{cells}</table>" if rows else ""


def _prose(text: str) -> str:
    return "".join(f"<p>{_text(paragraph)}</p>" for paragraph in text.split("\n\n") if paragraph)


def _text(raw: str) -> str:
    return html.escape(raw)
