"""Models of several inputs, and models that start from a vector, in the API and on the pages."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from app.imaging.drawing import draw_sample
from app.main import create_app
from app.settings import Settings
from tests.small_models import (
    build_conditional,
    build_decoder,
    build_siamese,
    build_with_facts,
    save_models_of_several_inputs,
)

SEVEN = draw_sample("7")


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder: Path = tmp_path_factory.mktemp("several")
    save_models_of_several_inputs(folder)
    app = create_app(Settings(built_in_models=folder, allowed_hosts="testserver"))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def post(client: TestClient, path: str, files: dict[str, bytes], held: Any = None, **data: str) -> Response:
    fields = data if held is None else data | {"held": json.dumps(held)}
    return client.post(f"/api/models/{path}", files=files, data=fields)


def activations(client: TestClient, model: str, files: dict[str, bytes], held: Any = None, **data: str) -> Any:
    answer = post(client, f"{model}/activations.npz", files, held, **data)
    assert answer.status_code == 200, answer.text
    return np.load(io.BytesIO(answer.content))


def by_keras(model: keras.Model, **inputs: np.ndarray) -> np.ndarray:
    given = [inputs[each.name][np.newaxis] for each in model.inputs]
    output: np.ndarray = np.asarray(model(given if len(given) > 1 else given[0]))[0]
    return output


def test_two_drawings_are_compared(several: TestClient, four: bytes) -> None:
    found = activations(several, "siamese", {"drawing": SEVEN, "held_right": four})
    expected = by_keras(build_siamese(), left=found["input"], right=found["right"])
    np.testing.assert_allclose(found["probabilities"], expected, rtol=1e-4)
    other = activations(several, "siamese", {"drawing": four, "held_left": SEVEN}, input="right")
    np.testing.assert_array_equal(other["left"], found["input"])
    np.testing.assert_allclose(other["probabilities"], found["probabilities"], rtol=1e-5)


def test_the_same_drawing_twice_is_no_distance_apart(several: TestClient, four: bytes) -> None:
    assert not activations(several, "siamese", {"drawing": four, "held_right": four})["apart"].any()


def test_a_picture_with_facts(several: TestClient, four: bytes) -> None:
    found = activations(several, "facts", {"drawing": four}, {"facts": [1, -2, 0.5, 3]})
    expected = by_keras(build_with_facts(), image=found["input"], facts=np.array([1, -2, 0.5, 3], np.float32))
    np.testing.assert_allclose(found["probabilities"], expected, rtol=1e-4, atol=1e-6)


def test_a_picture_is_made_of_numbers(several: TestClient) -> None:
    found = activations(several, "decoder", {}, {"z": [1.5, -1]})
    expected = by_keras(build_decoder(), z=np.array([1.5, -1], np.float32))
    np.testing.assert_allclose(found["picture"], expected, rtol=1e-4, atol=1e-5)
    one_hot = np.eye(10, dtype=np.float32)[3]
    found = activations(several, "conditional", {}, {"noise": 0.5, "label": one_hot.tolist()})
    expected = by_keras(build_conditional(), noise=np.full(100, 0.5, np.float32), label=one_hot)
    np.testing.assert_allclose(found["picture"], expected, rtol=1e-4, atol=1e-5)


def test_the_inputs_are_listed(several: TestClient) -> None:
    described = {name: several.get(f"/api/models/{name}").json() for name in ("siamese", "facts", "decoder")}
    assert described["siamese"]["inputs"] == {"left": [28, 28, 1], "right": [28, 28, 1]}
    assert (described["siamese"]["input"], described["siamese"]["held"]) == ("left", {})
    assert (described["facts"]["input"], described["facts"]["inputs"]["facts"]) == ("image", [4])
    assert (described["decoder"]["fit"], described["decoder"]["inputs"]) == ("numbers", {"z": [2]})


@pytest.mark.parametrize(
    ("path", "files", "data", "sentence"),
    [
        ("facts", {}, {}, "No drawing was sent"),
        ("facts", {"drawing": SEVEN}, {"held": '{"facts": [1, 2]}'}, "of 4 numbers was given 2 numbers"),
        ("facts", {"drawing": SEVEN}, {"held": '{"facts": "old"}'}, "what an input holds is a number, or a list"),
        ("facts", {"drawing": SEVEN}, {"held": '{"facts": NaN}'}, "what an input holds is a number, or a list"),
        ("facts", {"drawing": SEVEN}, {"held": '{"facts": 1e30}'}, "none beyond 1,000,000"),
        ("facts", {"drawing": SEVEN}, {"held": "{"}, "“held”: Invalid JSON"),
        ("facts", {"drawing": SEVEN}, {"held": "[1]"}, "“held”"),
        ("facts", {"drawing": SEVEN}, {"held": '{"image": 1}'}, "“image” is drawn into"),
        ("facts", {"drawing": SEVEN}, {"input": "facts"}, "One cannot draw into “facts”. One can draw into: “image”."),
        ("facts", {"drawing": SEVEN, "held_facts": SEVEN}, {}, "“facts” is no image"),
        ("siamese", {"drawing": SEVEN, "held_right": b"none"}, {}, "This is not a picture"),
        ("siamese", {"drawing": SEVEN, "held_middle": SEVEN}, {}, "holds nothing in “middle”"),
        ("decoder", {}, {"input": "z"}, "nothing is drawn"),
        ("decoder", {}, {"held": '{"z": [1]}'}, "of 2 numbers was given 1 number"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    several: TestClient, path: str, files: dict[str, bytes], data: dict[str, str], sentence: str
) -> None:
    answer = several.post(f"/api/models/{path}/feature-maps", files=files, data=data)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert sentence in answer.json()["detail"]


def test_cells_of_both_branches_are_explained(several: TestClient, four: bytes) -> None:
    def explain(layer: str, cell: str, **data: str) -> Any:
        files = {"drawing": four, "held_right": SEVEN}
        path = f"siamese/layers/{layer}/feature-maps/0/cells/{cell}"
        answer = post(several, path, files if not data else {"drawing": four}, **data)
        assert answer.status_code == 200, answer.text
        return answer.json()

    held = explain("right", "14,14")
    assert held["cell"] is None and "this value was given to the network" in held["reason"]
    assert held["receptive_field"] == [0, 0, 0, 0]
    branches = [explain(name, "9,9") for name in ("conv", "conv_2")]
    assert sorted("right" in each["receptive_fields"] for each in branches) == [False, True]
    for each in branches:
        parts = sum(term["partial_sum"] for term in each["cell"]["terms"]) + each["cell"]["bias"]
        assert max(parts, 0) == pytest.approx(each["value"], abs=1e-5)
    apart = explain("apart", "0,2")
    assert apart["cell"]["inputs"][0] - apart["cell"]["inputs"][1] == pytest.approx(apart["value"], abs=1e-6)
    # The input that is drawn into by default is a layer where another one is.
    assert "given to the network" in explain("left", "0,0", input="right")["reason"]


def test_the_three_poolings_hold_the_same(several: TestClient, four: bytes) -> None:
    answer = post(several, "siamese/comparison", {"drawing": four, "held_right": four}, layers="apart")
    assert [mode["layers"][0]["maximum"] for mode in answer.json()["modes"]] == [0, 0, 0]


@pytest.mark.parametrize(
    "query",
    ["siamese", "siamese&input=right", "facts&held=%7B%22facts%22:%5B1,2,3,4%5D%7D", "decoder", "conditional"],
)
@pytest.mark.parametrize("page", ["/", "/compare"])
def test_every_page_shows_such_a_model(several: TestClient, page: str, query: str) -> None:
    assert several.get(f"{page}?model={query}").status_code == 200


def test_an_address_of_an_input_that_is_not_there(several: TestClient) -> None:
    answer = several.get("/?model=facts&input=weight")
    assert answer.status_code == 422 and "One can draw into: “image”" in answer.text


@pytest.mark.parametrize("everything", ["", "true"])
def test_the_microscope_shows_a_held_input_with_a_reason(several: TestClient, four: bytes, everything: str) -> None:
    fields = {"model": "siamese", "layer": "right", "channel": "0", "row": "3", "column": "4", "everything": everything}
    answer = several.post("/microscope", files={"drawing": SEVEN, "held_right": four}, data=fields)
    assert answer.status_code == 200, answer.text
    assert "right · map 0" in answer.text
