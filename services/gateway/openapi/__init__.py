"""The application with its description: OpenAPI 3.1 that says what really comes back."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from services.gateway.openapi import examples, failures, headers, links, parameters, words
from services.gateway.problems import Problem

_FRAMEWORK_ERRORS = ("HTTPValidationError", "ValidationError")


class Application(FastAPI):
    """An application that describes itself in full, although its routes say little."""

    def openapi(self) -> dict[str, Any]:
        """Return the document."""
        if self.openapi_schema is None:
            self.openapi_schema = _completed(super().openapi())
        return self.openapi_schema


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    """Add to what the framework knows of the routes what follows from it."""
    schemas = document["components"]["schemas"]
    for name in _FRAMEWORK_ERRORS:
        schemas.pop(name, None)
    schemas[Problem.__name__] = Problem.model_json_schema()
    words.drop_titles(document["paths"])
    words.drop_titles(schemas)
    for operation in _operations(document):
        words.summarize(operation)
        parameters.describe(operation, schemas)
        failures.refer(operation)
    document["components"]["responses"] = failures.responses()
    headers.describe(document)
    links.draw(document)
    for operation in _operations(document):
        examples.show(operation, document)
    return document


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in document["paths"].values():
        yield from methods.values()
