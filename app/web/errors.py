"""Error answers: application/problem+json for the API, HTML for the pages."""

import logging
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from ..atlas.layers import NoMaps
from ..atlas.maximisation import InvalidAscent
from ..attribution.case import InvalidSetting
from ..attribution.deadline import RanOutOfTime
from ..attribution.method import UnknownMethod
from ..attribution.question import InvalidQuestion
from ..cnn.cost import TooCostly
from ..cnn.errors import (
    CannotSave,
    InvalidEdit,
    NoArithmetic,
    NoGradient,
    RunFailed,
    RunInterrupted,
    UnknownInput,
    WrongImageSize,
)
from ..cnn.network import UnknownLayer
from ..experiments.catalogue import UnknownExperiment
from ..experiments.experiment import NoSuchCount, NotForExperiment
from ..explore.comparison import NoPooling
from ..explore.digit_runs import NoSuchDigits
from ..explore.evaluation import NotForDigits
from ..explore.exploration import NotAFeatureMap, TooManyPixels
from ..explore.gallery import NoSuchPage, UnknownDigit
from ..explore.inspection import UnknownCell
from ..explore.picture_folders import NoPictures, UnknownPictures
from ..explore.prediction import NoClasses
from ..hosting.logs import request_id
from ..hosting.metrics import REFUSED
from ..hosting.refusals import Refused
from ..imaging.drawing import DrawingTooLarge, InvalidDrawing
from ..lab.chain import InvalidChain
from ..lab.laboratory import NoCell, NoStep, PictureForgotten, UnknownSample
from ..lessons.errors import BrokenLesson, UnknownLesson
from ..library.library import ReadOnlyModel, UnknownModel
from ..library.store import StoreUnavailable
from ..library.uploads import StorageError
from ..model_files.errors import ModelError, UndeclaredLambdas
from .templates import render

_STATUS: dict[type[Exception], HTTPStatus] = {
    UnknownModel: HTTPStatus.NOT_FOUND,
    UnknownLayer: HTTPStatus.NOT_FOUND,
    UnknownCell: HTTPStatus.NOT_FOUND,
    UnknownDigit: HTTPStatus.NOT_FOUND,
    NoSuchPage: HTTPStatus.NOT_FOUND,
    UnknownLesson: HTTPStatus.NOT_FOUND,
    BrokenLesson: HTTPStatus.UNPROCESSABLE_ENTITY,
    ModelError: HTTPStatus.UNPROCESSABLE_ENTITY,
    ReadOnlyModel: HTTPStatus.FORBIDDEN,
    StoreUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    StorageError: HTTPStatus.INSUFFICIENT_STORAGE,
    NoArithmetic: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotAFeatureMap: HTTPStatus.NOT_FOUND,
    NoClasses: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidQuestion: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidSetting: HTTPStatus.UNPROCESSABLE_ENTITY,
    RanOutOfTime: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnknownMethod: HTTPStatus.NOT_FOUND,
    NoGradient: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotForDigits: HTTPStatus.UNPROCESSABLE_ENTITY,
    NoSuchDigits: HTTPStatus.UNPROCESSABLE_ENTITY,
    NoSuchCount: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotForExperiment: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnknownExperiment: HTTPStatus.NOT_FOUND,
    NoMaps: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnknownPictures: HTTPStatus.NOT_FOUND,
    NoPictures: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidAscent: HTTPStatus.UNPROCESSABLE_ENTITY,
    NoPooling: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooManyPixels: HTTPStatus.UNPROCESSABLE_ENTITY,
    DrawingTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    InvalidDrawing: HTTPStatus.UNPROCESSABLE_ENTITY,
    CannotSave: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidEdit: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnknownInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    WrongImageSize: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooCostly: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidChain: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnknownSample: HTTPStatus.NOT_FOUND,
    NoStep: HTTPStatus.NOT_FOUND,
    NoCell: HTTPStatus.NOT_FOUND,
    PictureForgotten: HTTPStatus.CONFLICT,
    RunInterrupted: HTTPStatus.SERVICE_UNAVAILABLE,
    RunFailed: HTTPStatus.UNPROCESSABLE_ENTITY,
}

_RETRY_SECONDS = 5
_BUG = "Something went wrong here, and it is our fault. Please try again. The log has it as {id}."
_log = logging.getLogger("layerglass")
_FRAGMENTS = {  # that htmx asks for with GET
    *("/digits/shown", "/digits/run"),
    *("/atlas/shown", "/atlas/run", "/atlas/made", "/atlas/made/run", "/atlas/cloud/run"),
}
_JSON_PATHS = {"/health", "/ready", "/metrics", "/openapi.json"}
_EXPECTED_BODY = {"POST": "Send multipart/form-data with one file of each name.", "PUT": "Send JSON in UTF-8."}


class Problem(BaseModel):
    """An error: the fault, what was expected, and what to do (RFC 9457, application/problem+json)."""

    title: str
    status: int
    detail: str
    lambdas: list[str] | None = Field(
        default=None, description="Lambda layers of an uploaded model: it opens once what they compute is declared."
    )


def problem_responses(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """Describe these statuses for the OpenAPI document."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {int(status): {"description": status.phrase, "content": content} for status in statuses}


def add_error_handlers(app: FastAPI) -> None:
    """Answer every error in the app's own shape."""
    for kind in _STATUS:
        app.add_exception_handler(kind, _on_domain_error)
    app.add_exception_handler(Refused, _on_refusal)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_bug)


def problem_response(
    request: Request,
    status: HTTPStatus,
    detail: str,
    headers: dict[str, str] | None = None,
    lambdas: list[str] | None = None,
) -> Response:
    """Return a Problem as JSON from the API, as a page for GET, and as a fragment for a form."""
    problem = _make_problem(status, detail, lambdas)
    path = request.url.path
    if f"{path}/".startswith("/api/") or path in _JSON_PATHS:
        return JSONResponse(
            problem.model_dump(exclude_none=True), status, headers, media_type="application/problem+json"
        )
    is_page = request.method in {"GET", "HEAD"} and path not in _FRAGMENTS
    template = "error.html" if is_page else "_error.html"
    return render(request, template, {"problem": problem}, status, headers)


def describe_problem(error: Exception) -> Problem:
    """Return the Problem of an error in an answer that has begun already."""
    if isinstance(error, Refused):
        REFUSED.labels(error.reason).inc()
        return _make_problem(error.status, str(error))
    for kind, status in _STATUS.items():
        if isinstance(error, kind):
            return _make_problem(status, str(error))
    _log.error("An answer that has begun cannot be completed.", exc_info=error)
    return _make_problem(HTTPStatus.INTERNAL_SERVER_ERROR, _BUG.format(id=request_id.get()))


def _make_problem(status: HTTPStatus, detail: str, lambdas: list[str] | None = None) -> Problem:
    return Problem(title=status.phrase, status=status, detail=_encodable(detail), lambdas=lambdas)


def _encodable(text: str) -> str:
    """Replace lone surrogates: "\\ud800" is valid in JSON and cannot be sent as UTF-8."""
    return text.encode(errors="replace").decode()


async def _on_domain_error(request: Request, error: Exception) -> Response:
    status = next(status for kind, status in _STATUS.items() if isinstance(error, kind))
    headers = {"Retry-After": str(_RETRY_SECONDS)} if status is HTTPStatus.SERVICE_UNAVAILABLE else None
    lambdas = [_encodable(name) for name in error.names] if isinstance(error, UndeclaredLambdas) else None
    return problem_response(request, status, str(error), headers, lambdas)


async def _on_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    REFUSED.labels(error.reason).inc()
    return problem_response(request, error.status, str(error), error.headers)


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem_response(request, HTTPStatus.UNPROCESSABLE_ENTITY, " ".join(_sentences(error.errors())))


def _sentences(errors: Iterable[dict[str, Any]]) -> Iterable[str]:
    for error in errors:
        name = ".".join(str(part) for part in error["loc"][1:]) or "the request"
        if error["type"] == "json_invalid" and name.isdecimal():  # the location is a position in the body
            yield f"The request's body is not JSON: {error['ctx']['error']}, at character {name}."
        elif name == "model" and error["loc"][0] == "body":
            yield "No model was sent: send a .keras or .h5 file as the file “model” of a multipart/form-data request."
        elif name == "drawing":
            yield "No drawing was sent: send a picture as the file “drawing” of a multipart/form-data request."
        elif error["type"] == "missing":
            yield f"“{name}” is missing."
        elif isinstance(error["input"], str):
            yield f"“{name}”: {error['msg']}. Received: “{error['input'][:100]}”."
        else:
            yield f"“{name}”: {error['msg']}."


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, Refused):  # while the body was read
        return await _on_refusal(request, error.__cause__)
    if isinstance(error.__cause__, OSError):  # an upload that cannot be written to disk
        return await _on_domain_error(request, StorageError.from_os_error(error.__cause__))
    status = HTTPStatus(error.status_code)
    detail = {
        HTTPStatus.NOT_FOUND: f"There is nothing at {request.url.path}. "
        "The page is at /, the API's description at /docs.",
        HTTPStatus.METHOD_NOT_ALLOWED: f"{request.url.path} does not take {request.method}.",
        HTTPStatus.BAD_REQUEST: f"The request's body cannot be read: {str(error.detail).rstrip('.')}. "
        f"{_EXPECTED_BODY.get(request.method, _EXPECTED_BODY['POST'])}",
    }.get(status, str(error.detail))
    return problem_response(request, status, detail, dict(error.headers or {}))


async def _on_bug(request: Request, error: Exception) -> Response:
    """Tell nothing about an unhandled exception but how to find it in the log."""
    return problem_response(request, HTTPStatus.INTERNAL_SERVER_ERROR, _BUG.format(id=request_id.get()))


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
