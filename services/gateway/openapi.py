"""The application with its description: OpenAPI 3.1 that says what really comes back."""

from typing import Any

from fastapi import FastAPI

from services.gateway.problems import Problem

_FRAMEWORK_ERRORS = ("HTTPValidationError", "ValidationError")


class Application(FastAPI):
    """An application whose errors are problems, also in its OpenAPI document."""

    def openapi(self) -> dict[str, Any]:
        """Return the document, with our errors instead of the framework's."""
        if self.openapi_schema is None:
            document = super().openapi()
            schemas = document["components"]["schemas"]
            for name in _FRAMEWORK_ERRORS:
                schemas.pop(name, None)
            schemas[Problem.__name__] = Problem.model_json_schema()
            for methods in document["paths"].values():
                for operation in methods.values():
                    _drop_framework_errors(operation["responses"])
        return self.openapi_schema or {}


def _drop_framework_errors(responses: dict[str, Any]) -> None:
    """Drop the 422 that the framework adds to every route with a parameter.

    Routes that can answer 422 say so themselves, with a problem.
    """
    content = responses.get("422", {}).get("content", {})
    if _FRAMEWORK_ERRORS[0] in str(content.get("application/json")):
        del responses["422"]
