"""What the OpenAPI document says is what the API does, whatever is sent to it."""

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.types import ASGIApp, Receive, Scope, Send

from app.main import create_app
from app.settings import Settings
from tests.model_files.files import members, small_file, small_model
from tests.pictures import draw_four, encode

pytestmark = pytest.mark.slow

DOCUMENT = create_app(Settings()).openapi()
OPERATIONS = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]
# What changes a model is tried on models of a person's own; those that came with the app are changed by nobody.
UPLOAD, REMOVAL, CARD = ("/api/models", "post"), ("/api/models/{model}", "delete"), ("/api/models/{model}/card", "put")
DRAWINGS = [encode(draw_four(28)), encode(draw_four(28), "JPEG"), encode(draw_four(40).convert("1"), "GIF")]
REGIONS = ["0,0,28,28", "2,3,27,26"]  # with ink in each of these drawings
# What a path may name so that there is something there; the negative mode writes other things.
KNOWN = {"model": ["digits"], "layer": ["conv1"], "channel": [0, 1], "row": [0], "column": [0, 3]}
KNOWN |= {"method": ["saliency", "integrated-gradients"]}
KNOWN |= {"set": ["test", "training"], "number": [0, 5999]}
KNOWN |= {"name": ["ink", "neighbours"], "digits": [100, 120], "format": ["json", "csv"]}
KNOWN |= {"pooling": ["max", "min"]}
KNOWN |= {"part": ["cell", "mean"], "steps": [1, 3], "seed": [0, 7], "smoothness": [0, 0.1]}
KNOWN |= {"pictures": [""]}  # no folder of them is served
KNOWN |= {"low_frequencies": [True, False], "shift": [0, 2]}
KNOWN |= {"sample": ["digit", "rings"], "thumbnail": [False, True], "step": [0, 1]}
EDITS = ["", "mute:conv1.3", "pooling:pool1=min;bias:conv1.0=0.25", "cell:conv1.0.1.2=3"]
# A sample picture or a picture of one's own, and the steps in one way or the other: a schema cannot say so.
LAB: dict[str, list[Any]] = {"sample": ["digit"], "chain": ["max", "average:window=3,swap"]}
# What a card of tests.model_files.files.small_model may say without contradicting it.
SMALL_CARD: dict[str, list[Any]] = {
    "classes": [["a", "b", "c"], ["<", "é", "\U0001f58a"]],
    "input_shape": [[8, 8, 1]],
    "value_range": [[0, 1], [-1.5, 255]],
    "fit": ["digit", "stretch"],
    "mean": [None, [0.5]],
    "std": [None, [0.25]],
    "inputs": [{}],
    "input": [None],
    "held": [{}],
    "pooling": [None],
    "lambdas": [{}],
    "parameters": [small_model().count_params()],
}

schemathesis.openapi.format("drawing", st.sampled_from(DRAWINGS))


@pytest.fixture(scope="module")
def own(built_in: Path, mine: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    """The app with a small model of a person's own."""
    folder = tmp_path_factory.mktemp("own")
    small_file(folder)
    whole = mine.read_bytes()
    schemathesis.openapi.format("model", st.sampled_from([whole]))
    schemathesis.openapi.format("no-model", st.sampled_from([whole[:2000], b"PK\3\4", b"", *members(mine).values()]))
    app = create_app(Settings(built_in_models=built_in, models=(folder,), allowed_hosts="testserver", uploads=True))
    with TestClient(app):
        yield app


def with_real_values(document: dict[str, Any], **names: list[Any]) -> dict[str, Any]:
    """The document, with what exists or can be read where it says any text and any bytes.

    names: that a path may hold instead of the usual ones.
    """
    known = copy.deepcopy(document)
    for path, methods in known["paths"].items():
        for operation in methods.values():
            for parameter in operation.get("parameters", []):
                parameter["schema"]["enum"] = (KNOWN | names)[parameter["name"]]
                if "maximisation" in path and parameter["name"] == "channel":
                    parameter["schema"]["enum"] = [1, 2]  # another map of this model is dead
                parameter["required"] |= parameter["name"] == "digits"  # else thousands, which take seconds
            operation.get("requestBody", {})["required"] = True
    for name, body in known["components"]["schemas"].items():
        for field in body["properties"].keys() & {"drawing", "model"} if name.startswith("Body_") else ():
            body["properties"][field] |= {"format": field}
        if name.startswith("Body_") and "lambdas" in body["properties"]:
            body["properties"]["lambdas"] |= {"enum": ["", "{}"]}
        if "drawing" in body.get("properties", {}):  # these models have one input, an image
            body["required"] = ["drawing"]
            body["properties"] = {key: each for key, each in body["properties"].items() if key != "input"}
        if "held" in body.get("properties", {}) and name.startswith("Body_"):
            body["properties"]["held"] = {"enum": ["{}"]}
        if "edits" in body.get("properties", {}) and name.startswith("Body_"):
            body["properties"]["edits"] = {"enum": EDITS}
        if "count" in body.get("properties", {}) and name.startswith("Body_post_evaluation"):
            body["properties"]["count"] = {"enum": [1, 7]}  # of no class are there fewer
        if name.startswith("Body_post_experiment"):
            body["properties"] |= {"model": {"enum": ["digits"]}, "digits": {"enum": [100, 120]}}
        if name.startswith("Body_post_nearest"):
            body["properties"] |= {"layer": {"enum": ["conv1"]}, "digits": {"enum": [100, 120]}}
        if "chain" in body.get("properties", {}) and name.startswith("Body_"):
            others = {key: each for key, each in body["properties"].items() if key not in {"picture", "steps"}}
            body["properties"] = others | {key: {"enum": values} for key, values in LAB.items()}
            body["required"] = ["sample"]
        if "target" in body.get("properties", {}) and name.startswith("Body_"):
            body["properties"] |= {"target": {"enum": ["1"]}, "against": {"enum": ["0"]}}
        if "steps" in body.get("properties", {}) and "target" in body["properties"]:
            body["properties"] |= {"layer": {"enum": ["conv1"]}, "steps": {"enum": [1, 20]}}
        if "other" in body.get("properties", {}):
            body["properties"]["other"] = {"enum": ["digits", "digits-min"]}
            body["properties"]["other_edits"] = {"enum": EDITS}
            del body["properties"]["other_drawing"]  # which is sent as text where it may be left out
        if "region" in body.get("properties", {}) and name.startswith("Body_"):
            body["properties"]["region"] = {"enum": REGIONS}
    card_fields(known).update({field: {"enum": values} for field, values in SMALL_CARD.items()})
    return known


def card_fields(document: dict[str, Any]) -> dict[str, Any]:
    """What the fields of a card may be that is sent."""
    path, method = CARD
    schema = document["paths"][path][method]["requestBody"]["content"]["application/json"]["schema"]
    fields: dict[str, Any] = schema["properties"]
    return fields


def started(app: FastAPI) -> ASGIApp:
    """The app that has its networks already, and goes on after each request: a start and a stop do nothing."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            return await app(scope, receive, send)
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await send({"type": "lifespan.shutdown.complete"})

    return served


def leaves_out(body: object) -> bool:
    """Return whether a field has nothing in it: a form then has its default, or is sent without it."""
    return isinstance(body, dict) and any(value in ("", [], None) for value in body.values())


def try_out(
    app: FastAPI, document: dict[str, Any], path: str, method: str, mode: GenerationMode, refuses: bool = False
) -> list[int]:
    """Send what the document allows, or what it does not; every answer is checked.

    refuses: what is allowed may be refused all the same, for a reason that no document can tell. Returns: the statuses.
    """
    schema = schemathesis.openapi.from_dict(document)
    schema.app = started(app)
    statuses: list[int] = []
    excluded: list[Callable[..., bool | None]] | None = [positive_data_acceptance] if refuses else None

    @seed(20)
    @settings(
        max_examples=5, phases=[Phase.generate], deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(schema[path][method].as_strategy(generation_mode=mode))
    def send(case: Case[Any]) -> None:
        assume(mode is not GenerationMode.NEGATIVE or not leaves_out(case.body))
        statuses.append(case.call_and_validate(excluded_checks=excluded).status_code)

    send()
    return statuses


@pytest.mark.parametrize(("path", "method"), [each for each in OPERATIONS if each not in {UPLOAD, REMOVAL, CARD}])
def test_what_the_document_allows_is_answered(client: TestClient, app: FastAPI, path: str, method: str) -> None:
    statuses = try_out(app, with_real_values(DOCUMENT), path, method, GenerationMode.POSITIVE)
    assert 200 in statuses
    assert set(statuses) <= {200, 404, 422}, statuses


def test_a_model_is_taken_in(own: FastAPI) -> None:
    assert set(try_out(own, with_real_values(DOCUMENT), *UPLOAD, GenerationMode.POSITIVE)) == {201}


def test_what_is_no_model_is_refused(own: FastAPI) -> None:
    document = with_real_values(DOCUMENT)
    document["components"]["schemas"]["Body_post_model_api_models_post"]["properties"]["model"]["format"] = "no-model"
    assert set(try_out(own, document, *UPLOAD, GenerationMode.POSITIVE, refuses=True)) == {422}


def test_an_uploaded_model_is_forgotten_and_no_other(own: FastAPI, mine: Path) -> None:
    with mine.open("rb") as file:
        name = own.state.library.add("goes.keras", file).name
    assert set(try_out(own, with_real_values(DOCUMENT, model=[name]), *REMOVAL, GenerationMode.POSITIVE)) == {204}
    others = with_real_values(DOCUMENT, model=["digits", "small", "nobody"])
    assert set(try_out(own, others, *REMOVAL, GenerationMode.POSITIVE)) <= {403, 404}


def test_the_card_of_a_person_s_own_model_is_kept(own: FastAPI) -> None:
    assert set(try_out(own, with_real_values(DOCUMENT, model=["small"]), *CARD, GenerationMode.POSITIVE)) == {200}


def test_a_card_that_fits_no_model_is_refused(own: FastAPI) -> None:
    others = with_real_values(DOCUMENT, model=["digits", "nobody"])
    assert set(try_out(own, others, *CARD, GenerationMode.POSITIVE)) <= {403, 404}
    any_card = with_real_values(DOCUMENT, model=["small"])
    card_fields(any_card).update(card_fields(DOCUMENT))
    assert 422 in set(try_out(own, any_card, *CARD, GenerationMode.POSITIVE, refuses=True)) <= {200, 422}


# Of a GET that takes names alone, every text is allowed.
@pytest.mark.parametrize(("path", "method"), [each for each in OPERATIONS if each[1] != "get"])
def test_what_the_document_forbids_is_refused(own: FastAPI, path: str, method: str) -> None:
    statuses = try_out(
        own, with_real_values(DOCUMENT, model=["digits", "small"]), path, method, GenerationMode.NEGATIVE
    )
    assert set(statuses) <= {400, 403, 404, 405, 422}, statuses
