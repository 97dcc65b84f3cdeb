"""What the OpenAPI document says is what the API does, whatever is sent to it."""

import copy
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from starlette.types import ASGIApp, Receive, Scope, Send

from app.main import create_app
from app.settings import Settings
from tests.pictures import draw_four, encode, four_png

DOCUMENT = create_app(Settings()).openapi()
OPERATIONS = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]
# Models that came with the app are changed by nobody, so these never succeed here.
UPLOAD = ("/api/models", "post")  # a process of its own looks at each file, which takes seconds
CHANGES = {UPLOAD, ("/api/models/{model}", "delete"), ("/api/models/{model}/card", "put")}
DRAWINGS = [four_png(), encode(draw_four(28), "JPEG"), encode(draw_four(100).convert("1"), "GIF")]
# What a path may name so that there is something there; the negative mode writes other things.
KNOWN = {"model": ["digits"], "layer": ["conv1"], "channel": [0, 1], "row": [0], "column": [0, 3]}

schemathesis.openapi.format("drawing", st.sampled_from(DRAWINGS))


def with_real_values(document: dict[str, Any]) -> dict[str, Any]:
    """The document, with names that exist and pictures that can be read where it says any text and any bytes."""
    known = copy.deepcopy(document)
    for methods in known["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", []):
                parameter["schema"]["enum"] = KNOWN[parameter["name"]]
    for name, body in known["components"]["schemas"].items():
        if name.startswith("Body_") and "drawing" in body["properties"]:
            body["properties"]["drawing"] |= {"format": "drawing"}
    return known


def started(app: FastAPI) -> ASGIApp:
    """The app that has its networks already, and goes on after each request: a start and a stop do nothing."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            return await app(scope, receive, send)
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await send({"type": "lifespan.shutdown.complete"})

    return served


def try_out(app: FastAPI, document: dict[str, Any], path: str, method: str, mode: GenerationMode) -> list[int]:
    """Send what the document allows, or what it does not; every answer is checked. Returns: the statuses."""
    schema = schemathesis.openapi.from_dict(document)
    schema.app = started(app)
    statuses = []

    @seed(20)
    @settings(
        max_examples=5, phases=[Phase.generate], deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(schema[path][method].as_strategy(generation_mode=mode))
    def send(case: Case) -> None:
        statuses.append(case.call_and_validate().status_code)

    send()
    return statuses


@pytest.mark.parametrize(("path", "method"), [each for each in OPERATIONS if each not in CHANGES])
def test_what_the_document_allows_is_answered(client: TestClient, app: FastAPI, path: str, method: str) -> None:
    statuses = try_out(app, with_real_values(DOCUMENT), path, method, GenerationMode.POSITIVE)
    assert 200 in statuses
    assert set(statuses) <= {200, 404, 422}, statuses


# Of a GET that takes names alone, every text is allowed.
@pytest.mark.parametrize(
    ("path", "method"), [each for each in OPERATIONS if each[1] in {"post", "put"} and each != UPLOAD]
)
def test_what_the_document_forbids_is_refused(client: TestClient, app: FastAPI, path: str, method: str) -> None:
    assert not {status for status in try_out(app, DOCUMENT, path, method, GenerationMode.NEGATIVE) if status >= 500}
