"""Models of every kind of input and answer, on the pages and in the API."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from app.main import create_app
from app.settings import Settings
from tests.pictures import encode
from tests.small_models import save_odd_models

NAMES = ["age", "alpha", "any-size", "grey-alpha", "miscounted", "not-a-number", "photographs", "plates", "spam"]


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder: Path = tmp_path_factory.mktemp("odd")
    save_odd_models(folder)
    with TestClient(
        create_app(Settings(built_in_models=folder, allowed_hosts="testserver")), raise_server_exceptions=False
    ) as client:
        yield client


def photograph() -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    pixels[20:40, 30:50] = 0
    return encode(Image.fromarray(pixels))


def refuse_constant(name: str) -> None:
    pytest.fail(f"JSON has no {name}")


def post(client: TestClient, path: str, **form: Any) -> Any:
    response = client.post(f"/api/models/{path}", files={"drawing": photograph()}, data=form)
    assert response.status_code == 200, response.text
    return json.loads(response.text, parse_constant=refuse_constant)


def page(client: TestClient, path: str, model: str, **form: Any) -> str:
    response = client.post(path, files={"drawing": photograph()}, data={"model": model, **form})
    assert response.status_code == 200, response.text
    return " ".join(re.sub(r"<[^>]+>", " ", response.text).split())


@pytest.mark.parametrize("model", NAMES)
def test_every_model_answers_everywhere_in_valid_json(odd: TestClient, model: str) -> None:
    prediction = post(odd, f"{model}/prediction")
    assert post(odd, f"{model}/feature-maps")["prediction"] == prediction
    assert len(post(odd, f"{model}/comparison", differences=True)["modes"]) == 3
    for cell in ("conv1/feature-maps/0/cells/2,3", "pool1/feature-maps/1/cells/0,0", "answer/feature-maps/0/cells/0,0"):
        assert post(odd, f"{model}/layers/{cell}")["cell"] is not None


@pytest.mark.parametrize("model", NAMES)
def test_every_model_has_its_pages(odd: TestClient, model: str) -> None:
    assert odd.get("/", params={"model": model, "layer": "conv1"}).status_code == 200
    assert odd.get("/compare", params={"model": model, "invert": True}).status_code == 200
    for layer in ("conv1", "pool1", "strongest", "answer"):
        page(odd, "/exploration", model, layer=layer)
        page(odd, "/microscope", model, layer=layer, precise=True)
    page(odd, "/comparison", model, differences=True)


def test_the_five_likeliest_of_a_thousand_classes(odd: TestClient) -> None:
    assert "5 of 1,000 classes." in page(odd, "/exploration", "photographs")
    assert len(post(odd, "photographs/prediction")["probabilities"]) == 1000


def test_each_kind_of_answer_says_what_it_is(odd: TestClient) -> None:
    assert "the bars are their softmax" in page(odd, "/exploration", "alpha")
    assert "Each probability stands on its own" in page(odd, "/exploration", "plates")
    assert "raw value: not a probability" in page(odd, "/exploration", "age")
    assert "the logistic function turns it into the probability of “spam”" in page(odd, "/exploration", "spam")
    assert post(odd, "plates/prediction")["is_exclusive"] is False
    age = post(odd, "age/prediction")
    assert (age["answer"], age["probability"], age["probabilities"]) == ("values", None, [])
    assert age["label"] == f"{age['values'][0]['value']:.4g}"


def test_an_answer_that_is_not_a_number_is_called_so(odd: TestClient) -> None:
    prediction = post(odd, "not-a-number/prediction")
    assert (prediction["label"], prediction["probability"]) == ("–", None)
    assert {each["probability"] for each in prediction["probabilities"]} == {None}
    assert "answer is not a number" in page(odd, "/exploration", "not-a-number")
    maps = post(odd, "not-a-number/feature-maps")["layers"][0]
    assert maps["mean"] is None


def test_a_card_with_the_wrong_number_of_classes_is_said_to_have_it(odd: TestClient) -> None:
    assert "card names 3 classes, and its answer has 4" in page(odd, "/exploration", "miscounted")
    assert [each["label"] for each in post(odd, "miscounted/prediction")["probabilities"]] == ["0", "1", "2", "3"]


@pytest.mark.parametrize("path", ["/", "/compare"])
def test_the_pad_is_told_what_each_model_sees(odd: TestClient, path: str) -> None:
    text = " ".join(odd.get(path, params={"model": "plates"}).text.split())
    assert '<option value="photographs" data-channels="3" data-fit="fit" data-size="64 48"' in text
    assert '<option value="any-size" data-channels="3" data-fit="fit">' in text
    assert 'data-seen-by="plates" data-channels="1" data-fit="fill" data-size="100 40"' in text


def test_the_microscope_names_colours_in_the_model_s_order(odd: TestClient) -> None:
    for model, names in (("photographs", ["blue", "green", "red"]), ("any-size", ["red", "green", "blue"])):
        text = page(odd, "/microscope", model, layer="conv1", everything=True)
        assert sorted(names) == sorted(re.findall(r"the input, (\w+)", text))
        assert "input, in colour" in text
        for channel, name in enumerate(names):
            cell = post(odd, f"{model}/layers/conv1/feature-maps/0/cells/2,3")["cell"]
            assert cell["terms"][channel]["channel"] == channel, name


@pytest.mark.parametrize("model", NAMES)
@pytest.mark.parametrize("size", [(1, 1), (4096, 1), (1, 4096)])
def test_thin_and_tiny_pictures_get_an_answer_or_a_sentence(odd: TestClient, model: str, size: tuple[int, int]) -> None:
    drawing = encode(Image.new("RGB", size, (10, 200, 30)))
    response = odd.post(f"/api/models/{model}/prediction", files={"drawing": drawing})
    assert response.status_code in {200, 422}, response.text
    if response.status_code == 422:
        assert "Nothing is drawn yet" in response.json()["detail"]


def test_an_empty_pad_is_named_as_such_for_every_fit(odd: TestClient) -> None:
    for model in NAMES:
        empty = encode(Image.new("RGBA", (280, 280)))
        response = odd.post(f"/api/models/{model}/prediction", files={"drawing": empty})
        assert response.status_code == 422 and "Nothing is drawn yet" in response.json()["detail"]
