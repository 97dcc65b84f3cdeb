"""The OpenAPI document, with Problem as the one shape of errors."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI

from app.web.errors import Problem, problem_responses

ERRORS = problem_responses(
    HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE,
)  # fmt: skip
POST_ERRORS = problem_responses(HTTPStatus.FORBIDDEN, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)


def customize_openapi(app: FastAPI) -> None:
    """Replace FastAPI's error schemas with Problem, and say that a form's fields are never null."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document: dict[str, Any] = generate()
        schemas = document["components"]["schemas"]
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        schemas["Problem"] = Problem.model_json_schema()
        for name, schema in schemas.items():
            if name.startswith("Body_"):
                schema["properties"] = {key: _without_null(each) for key, each in schema["properties"].items()}
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an optional form field: it may be left out, but a form cannot hold a null."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    return {**{key: value for key, value in schema.items() if key != "anyOf"}, **kinds[0]}
