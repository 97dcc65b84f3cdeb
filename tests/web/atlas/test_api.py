"""The REST API of what maps look for."""

import io

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

LAYERS = "/api/models/digits/layers"


def test_the_top_activations_of_a_layer(client: TestClient) -> None:
    answer = client.get(f"{LAYERS}/conv1/top-activations?digits=100").json()
    assert [each["channel"] for each in answer["maps"]] == [0, 1, 2, 3]
    strongest = answer["maps"][1]["strongest"]
    values = [each["value"] for each in strongest]
    assert len(values) == 9 and values == sorted(values, reverse=True)
    region = strongest[0]["region"]
    assert region["bottom"] - region["top"] == region["right"] - region["left"] == 3
    one = client.get(f"{LAYERS}/conv1/top-activations?digits=100&channel=1").json()
    assert one["maps"] == [answer["maps"][1]]
    saved = np.load(io.BytesIO(client.get(f"{LAYERS}/conv1/top-activations.npz?digits=100").content))
    assert np.allclose(saved["values"][1], values)
    assert [f"test-{number}" for number in saved["examples"][1]] == [each["digit"] for each in strongest]


def test_a_strongest_cell_has_its_value_on_the_pad_s_page(client: TestClient) -> None:
    first = client.get(f"{LAYERS}/conv1/top-activations?digits=100&channel=1").json()["maps"][0]["strongest"][0]
    number = first["digit"].removeprefix("test-")
    picture = client.get(f"/api/digits/test/{number}.png").content
    cell = client.post(
        f"{LAYERS}/conv1/feature-maps/1/cells/{first['row']},{first['column']}", files={"drawing": picture}
    ).json()
    assert cell["value"] == pytest.approx(first["value"], abs=1e-5)


def test_map_costs_and_kernels(client: TestClient) -> None:
    costs = client.get(f"{LAYERS}/conv1/map-costs?digits=100").json()
    assert sorted(each["channel"] for each in costs["maps"]) == [0, 1, 2, 3]
    picture = Image.open(io.BytesIO(client.get(f"{LAYERS}/conv2/kernels.png").content))
    assert picture.size == (4 * 6 - 1, 20 * 4 - 1)


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("digits/layers/none/top-activations", 404, "has no layer “none”"),
        ("digits/layers/conv1/top-activations?digits=100&channel=4", 404, "has the maps or units 0 to 3"),
        ("digits/layers/conv1/top-activations?digits=5", 422, "Ask for 100 to 10,000 digits"),
        ("digits/layers/flatten/top-activations", 422, "look at the layer before it"),
        ("digits/layers/pool1/kernels.png", 422, "it is no convolution"),
        ("digits/layers/answer/map-costs", 422, "gives the answer"),
        ("digits/layers/pool1/map-costs", 422, "has no weights"),
    ],
)
def test_what_cannot_be_asked_says_why(client: TestClient, path: str, status: int, sentence: str) -> None:
    answer = client.get(f"/api/models/{path}")
    assert answer.status_code == status and sentence in answer.json()["detail"]


MADE = f"{LAYERS}/conv2/maximisation"


def test_an_image_is_made_beside_the_real_one_that_excites_the_map_most(client: TestClient) -> None:
    query = "?digits=100&channel=3&steps=12"
    answer = client.get(f"{MADE}{query}").json()
    first = client.get(f"{LAYERS}/conv2/top-activations?digits=100&channel=3").json()["maps"][0]["strongest"][0]
    shared = ("digit", "label", "value", "row", "column", "region")
    assert [answer["example"][name] for name in shared] == [first[name] for name in shared]
    assert answer["made"]["value"] > answer["start"]["value"]
    assert answer["part"] == "cell" and not answer["is_logit"]
    saved = np.load(io.BytesIO(client.get(f"{MADE}.npz{query}").content))
    assert sorted(saved) == ["example", "made", "start", "without_penalties"]
    assert saved["made"].shape == (28, 28, 1) and saved["made"].min() >= 0 and saved["made"].max() <= 1
    picture = Image.open(io.BytesIO(client.get(f"{MADE}.png{query}").content))
    region = answer["made"]["region"]
    assert picture.height > 3 * 4 * (region["bottom"] - region["top"])


def test_an_image_for_a_class_raises_its_logit(client: TestClient) -> None:
    answer = client.get(f"{LAYERS}/answer/maximisation?digits=100&channel=4&steps=12").json()
    assert answer["is_logit"] and answer["made"]["value"] > answer["start"]["value"]
    assert answer["made"]["region"] == {"top": 0, "left": 0, "bottom": 28, "right": 28}


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("conv2/maximisation?digits=100", 422, "channel"),
        ("conv2/maximisation?digits=100&channel=20", 404, "has the maps or units 0 to 19"),
        ("conv2/maximisation?digits=100&channel=1&steps=600", 422, "Ask for 1 to 512 steps"),
        ("conv2/maximisation?digits=100&channel=1&shift=17", 422, "shift"),
        ("conv1/maximisation?digits=100&channel=0", 422, "is dead"),
        ("flatten/maximisation?digits=100&channel=1", 422, "look at the layer before it"),
    ],
)
def test_an_image_that_cannot_be_made_says_why(client: TestClient, path: str, status: int, sentence: str) -> None:
    answer = client.get(f"{LAYERS}/{path}")
    assert answer.status_code == status and sentence in answer.json()["detail"]
