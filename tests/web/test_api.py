import base64
import io
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from PIL import Image

from app import __version__
from app.cnn.card import read_card
from app.cnn.network import ForwardPass, Network
from app.cnn.types import PoolingMode
from app.explore.exploration import (
    MapRange,
    RenderOptions,
    draw_feature_map,
    draw_layer,
    explore,
)
from app.explore.forward_passes import preprocess
from app.explore.prediction import predict
from app.imaging.colormap import Colormap, Scale
from app.imaging.drawing import draw_sample
from app.library.library import Library
from tests.pictures import decode_rgba, dot_png, draw_four, draw_row, encode

EVERY_POOLING = pytest.mark.parametrize("pooling", [None, *PoolingMode])


def post(client: TestClient, path: str, drawing: bytes, **fields: Any) -> Response:
    data = {
        name: value if isinstance(value, list) else str(value) for name, value in fields.items() if value is not None
    }
    return client.post(f"/api/models/{path}", files={"drawing": ("drawing.png", drawing, "image/png")}, data=data)


def test_all_models_are_listed_the_default_one_first(client: TestClient, library: Library) -> None:
    response = client.get("/api/models")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert [model["name"] for model in response.json()] == [network.name for network in library]


def test_a_model_s_summary_holds_its_card(client: TestClient, models: Path) -> None:
    for model in client.get("/api/models").json():
        card = read_card(models / f"{model['name']}.json").model_dump(mode="json")
        assert {name: model[name] for name in card} == card


def test_a_model_s_summary_counts_weights_and_biases(client: TestClient, models: Path) -> None:
    (model,) = [each for each in client.get("/api/models").json() if each["name"] == "logistic"]
    assert (model["weights"], model["biases"]) == (784 * 3 + 3, 3 + 1)
    assert model["file_size"] == (models / "logistic.keras").stat().st_size
    assert sum(layer["share"] for layer in model["architecture"]) == pytest.approx(1)


def test_a_model_s_layers_are_described(client: TestClient) -> None:
    response = client.get("/api/models/digits")
    assert response.status_code == 200
    layers = {layer["name"]: layer for layer in response.json()["layers"]}
    assert list(layers) == ["conv1", "pool1", "conv2", "pool2", "flatten", "dropout", "answer"]
    assert layers["conv2"] == {
        "name": "conv2",
        "kind": "Conv2D",
        "output_shape": [13, 13, 20],
        "parameters": 3 * 5 * 4 * 20 + 20,
        "kernel_size": [3, 5],
        "pool_size": None,
        "strides": [1, 1],
        "padding": "same",
        "activation": "linear",
        "pooling": None,
        "receptive_field": [8, 12],
    }
    assert layers["pool2"]["pool_size"] == [3, 3]
    assert layers["pool2"]["kernel_size"] is None
    assert (layers["pool2"]["strides"], layers["pool2"]["pooling"]) == ([2, 2], "max")


def test_sizes_that_may_be_any_are_null(client: TestClient) -> None:
    details = client.get("/api/models/picture").json()
    assert details["input_shape"] == [None, None, 1]
    assert details["layers"][0]["output_shape"] == [None, None, 2]


@EVERY_POOLING
@pytest.mark.parametrize("model", ["digits", "branches", "a-plain", "logistic"])
def test_a_prediction_is_the_service_s(
    client: TestClient, library: Library, four: bytes, model: str, pooling: PoolingMode | None
) -> None:
    network = library.network(model)
    expected = predict(network, network.run(preprocess(four, network.card), pooling))
    response = post(client, f"{model}/prediction", four, pooling=pooling)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {
        "model": model,
        "pooling": expected.pooling,
        "label": expected.label,
        "probability": expected.probability,
        "probabilities": [{"label": each.label, "probability": each.probability} for each in expected.probabilities],
        "answer": "probabilities",
        "is_exclusive": True,
        "values": [{"label": each.label, "value": each.value} for each in expected.values],
        "regions": [],
        "steps": [],
        "note": None,
        "no_digit": None,
    }


@pytest.mark.parametrize("path", ["prediction", "feature-maps", "layers/conv1/feature-maps.png", "comparison"])
def test_a_region_of_a_picture_is_answered_as_if_it_were_the_picture(
    client: TestClient, four: bytes, path: str
) -> None:
    wide = Image.new("L", (400, 300), 255)
    wide.paste(draw_four(), (100, 10))
    wide.paste(0, (0, 0, 90, 90))
    answer = post(client, f"digits/{path}", encode(wide), region="100,10,380,290")
    assert answer.status_code == 200
    assert answer.content == post(client, f"digits/{path}", four).content


@pytest.mark.parametrize("path", ["prediction", "comparison"])
@pytest.mark.parametrize(
    ("region", "sentence"),
    [
        ("1,2,3", "four whole numbers"),
        ("9,9,9,20", "The region 9,9,9,20 is empty"),
        ("0,0,281,280", "reaches out of the picture, which has 280×280 pixels"),
    ],
)
def test_a_region_that_is_none_is_refused(
    client: TestClient, four: bytes, path: str, region: str, sentence: str
) -> None:
    answer = post(client, f"digits/{path}", four, region=region)
    assert answer.status_code == 422
    assert sentence in answer.json()["detail"]


def test_several_digits_in_a_picture_are_told_and_each_can_be_read(client: TestClient, library: Library) -> None:
    network, drawing = library.network("digits"), encode(draw_row("47"))
    left, right = post(client, "digits/prediction", drawing).json()["regions"]
    assert left[2] <= right[0]
    for digit, fields in (("4", {}), ("4", {"region": left}), ("7", {"region": right})):
        expected = predict(network, network.run(preprocess(draw_sample(digit), network.card)))
        named = {name: ",".join(map(str, region)) for name, region in fields.items()}
        answer = post(client, "digits/prediction", drawing, **named).json()
        assert answer["label"] == expected.label
        assert answer["probability"] == pytest.approx(expected.probability, abs=0.02)
        assert answer["regions"] == [left, right]
    for mode in post(client, "digits/comparison", drawing).json()["modes"]:
        assert mode["prediction"]["regions"] == [left, right]


def test_a_dot_is_no_digit_and_the_probabilities_are_the_network_s(client: TestClient, library: Library) -> None:
    answer = post(client, "digits/prediction", dot_png()).json()
    network = library.network("digits")
    computed = network.run(preprocess(dot_png(), network.card)).output
    assert answer["no_digit"] == "A dot or a blot has no shape to read."
    assert [each["probability"] for each in answer["probabilities"]] == computed.tolist()
    assert answer["label"] == str(computed.argmax())


def test_a_prediction_shares_its_counted_forward_pass_with_later_requests(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawing, run = encode(draw_four(123)), Network.run
    runs: list[str] = []

    def count(network: Network, *rest: Any) -> ForwardPass:
        runs.append(network.name)
        return run(network, *rest)

    monkeypatch.setattr(Network, "run", count)
    before = forward_passes_counted(client)
    answers = [post(client, "digits/prediction", drawing).json() for _ in range(2)]
    assert post(client, "digits/feature-maps", drawing).json()["prediction"] == answers[0] == answers[1]
    assert runs == ["digits"]
    assert forward_passes_counted(client) == before + 1


def forward_passes_counted(client: TestClient) -> float:
    (line,) = re.findall(r"^layerglass_forward_pass_seconds_count (\S+)$", client.get("/metrics").text, re.MULTILINE)
    return float(line)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_every_format_is_taken_whatever_it_is_called(client: TestClient, format: str) -> None:
    files = {"drawing": ("drawing.txt", encode(draw_four(), format), "text/plain")}
    assert client.post("/api/models/digits/prediction", files=files).status_code == 200


@EVERY_POOLING
def test_feature_maps_are_the_service_s(
    client: TestClient, library: Library, four: bytes, pooling: PoolingMode | None
) -> None:
    network = library.network("digits")
    forward = network.run(preprocess(four, network.card), pooling)
    expected = explore(network, forward, RenderOptions(), map(MapRange, network.feature_map_layers))
    response = post(client, "digits/feature-maps", four, pooling=pooling)
    assert response.status_code == 200
    layers = response.json()["layers"]
    assert [layer["name"] for layer in layers] == ["conv1", "pool1", "conv2", "pool2"]
    for layer, view in zip(layers, expected.layers, strict=True):
        assert base64.b64decode(layer["png"]) == view.grid.png
        assert layer["shape"] == list(view.activation.shape)
        assert layer["grid"] == {"columns": view.grid.columns, "rows": view.grid.rows, "gap": view.grid.gap}
        figures = (layer["minimum"], layer["maximum"], layer["mean"])
        assert figures == pytest.approx((view.activation.min(), view.activation.max(), view.activation.mean()))


@pytest.mark.parametrize("names", [["pool2"], ["conv2", "conv1"]], ids=str)
def test_feature_maps_of_some_layers_only(client: TestClient, four: bytes, names: list[str]) -> None:
    whole = {layer["name"]: layer for layer in post(client, "digits/feature-maps", four).json()["layers"]}
    some = post(client, "digits/feature-maps", four, layers=names).json()
    assert some["layers"] == [whole[name] for name in names]
    assert some["prediction"] == post(client, "digits/prediction", four).json()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("conv9", "no layer “conv9”. It has: conv1,"), ("flatten", "“flatten” (Flatten) has no feature maps")],
)
def test_a_layer_that_has_no_maps_to_give_is_refused(client: TestClient, four: bytes, name: str, sentence: str) -> None:
    response = post(client, "digits/feature-maps", four, layers=["conv1", name])
    assert response.status_code == 404
    assert sentence in response.json()["detail"]


def test_feature_maps_come_with_the_prediction(client: TestClient, four: bytes) -> None:
    prediction = post(client, "digits/prediction", four).json()
    assert post(client, "digits/feature-maps", four).json()["prediction"] == prediction


def test_a_model_that_answers_with_a_picture_has_maps_and_no_prediction(client: TestClient, four: bytes) -> None:
    answer = post(client, "picture/feature-maps", four).json()
    assert answer["prediction"] is None
    assert [layer["shape"] for layer in answer["layers"]] == [[280, 280, 2], [280, 280, 1]]


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        ({}, RenderOptions()),
        ({"colormap": "magma"}, RenderOptions(Colormap.MAGMA, signed=None)),
        ({"scale": "map", "columns": 7}, RenderOptions(scale=Scale.MAP, columns=7)),
        ({"columns": 64}, RenderOptions(columns=64)),
        ({"pooling": "min"}, RenderOptions()),
    ],
    ids=str,
)
@pytest.mark.parametrize("layer", ["pool1", "conv2"])
def test_a_layer_s_picture_is_the_service_s(
    client: TestClient, library: Library, four: bytes, layer: str, fields: dict[str, Any], options: RenderOptions
) -> None:
    network = library.network("digits")
    pooling = PoolingMode(fields["pooling"]) if "pooling" in fields else None
    forward = network.run(preprocess(four, network.card), pooling)
    response = post(client, f"digits/layers/{layer}/feature-maps.png", four, **fields)
    assert response.status_code == 200
    assert response.headers["content-type"] == "image/png"
    assert response.content == draw_layer(forward, MapRange(network.layer(layer)), options).png


@pytest.mark.parametrize(("fields", "count"), [({"first": 5, "count": 8}, 8), ({"first": 18}, 2), ({"count": 99}, 20)])
def test_a_picture_of_some_of_a_layer_s_maps(
    client: TestClient, library: Library, four: bytes, fields: dict[str, int], count: int
) -> None:
    network = library.network("digits")
    forward = network.run(preprocess(four, network.card))
    response = post(client, "digits/layers/conv2/feature-maps.png", four, columns=1, **fields)
    whole = decode_rgba(draw_layer(forward, MapRange(network.layer("conv2")), RenderOptions(columns=1)).png)
    height = forward.activations["conv2"].shape[0] + 1
    first = fields.get("first", 0)
    np.testing.assert_array_equal(decode_rgba(response.content), whole[first * height : (first + count) * height - 1])


@pytest.mark.parametrize(("fields", "status"), [({"first": 20}, 404), ({"first": -1}, 422), ({"count": 0}, 422)])
def test_maps_that_are_not_there_are_refused(
    client: TestClient, four: bytes, fields: dict[str, int], status: int
) -> None:
    response = post(client, "digits/layers/conv2/feature-maps.png", four, **fields)
    assert response.status_code == status
    assert response.json()["detail"]


@pytest.mark.parametrize("channel", [0, 19])
def test_one_feature_map_is_the_service_s(client: TestClient, library: Library, four: bytes, channel: int) -> None:
    network = library.network("digits")
    forward = network.run(preprocess(four, network.card))
    response = post(client, f"digits/layers/conv2/feature-maps/{channel}.png", four)
    assert response.status_code == 200
    assert response.headers["content-type"] == "image/png"
    assert response.content == draw_feature_map(forward, network.layer("conv2"), channel, RenderOptions()).png


def test_a_layer_is_found_by_a_name_that_has_to_be_quoted(client: TestClient, four: bytes) -> None:
    assert post(client, "a-plain/layers/conv-%3E1/feature-maps/2.png", four).status_code == 200


def test_activations_are_those_that_keras_computes(client: TestClient, models: Path, four: bytes) -> None:
    response = post(client, "digits/activations.npz", four)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/zip"
    assert response.headers["content-disposition"] == 'attachment; filename="digits-max.npz"'
    arrays = np.load(io.BytesIO(response.content))
    model = keras.models.load_model(models / "digits.keras", compile=False)
    value = arrays["input"][np.newaxis]
    for layer in model.layers:
        value = np.asarray(layer(value))
        np.testing.assert_allclose(arrays[layer.name], value[0], atol=1e-5)
        assert arrays[layer.name].dtype == np.float32
    np.testing.assert_array_equal(arrays["probabilities"], arrays["answer"])
    assert set(arrays) == {layer.name for layer in model.layers} | {"input", "probabilities"}


@EVERY_POOLING
def test_activations_are_those_of_the_pooling(
    client: TestClient, library: Library, four: bytes, pooling: PoolingMode | None
) -> None:
    network = library.network("branches")
    expected = network.run(preprocess(four, network.card), pooling)
    arrays = np.load(io.BytesIO(post(client, "branches/activations.npz", four, pooling=pooling).content))
    for name, activation in expected.activations.items():
        np.testing.assert_array_equal(arrays[name], activation)


def test_activations_without_pooling_have_a_file_name_too(client: TestClient, four: bytes) -> None:
    response = post(client, "a-plain/activations.npz", four)
    assert response.headers["content-disposition"] == 'attachment; filename="a-plain-activations.npz"'


def test_sixteen_clients_at_once_get_what_each_would_get_alone(client: TestClient) -> None:
    rng = np.random.default_rng(0)
    moves = [tuple(rng.integers(-40, 40, 2)) for _ in range(8)]
    drawings = [encode(draw_four().rotate(int(x), translate=(int(x), int(y)), fillcolor=255)) for x, y in moves]
    requests = [
        (path, drawing, pooling)
        for drawing in drawings
        for path, pooling in [
            ("digits/prediction", "max"),
            ("digits/prediction", "min"),
            ("branches/prediction", "average"),
            ("digits/layers/conv2/feature-maps.png", "average"),
        ]
    ]

    def ask(request: tuple[str, bytes, str]) -> tuple[int, bytes]:
        path, drawing, pooling = request
        response = post(client, path, drawing, pooling=pooling)
        return response.status_code, response.content

    one_by_one = [ask(request) for request in requests]
    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(ask, requests)) == one_by_one
    assert len(set(one_by_one)) > len(drawings)


def test_the_openapi_document_lists_every_route(client: TestClient) -> None:
    response = client.get("/openapi.json")
    assert response.status_code == 200
    document = response.json()
    assert document["openapi"].startswith("3.1")
    assert document["info"]["version"] == __version__
    routes = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert routes >= {
        ("GET", "/health"),
        ("GET", "/api/models"),
        ("GET", "/api/models/{model}"),
        ("POST", "/api/models/{model}/prediction"),
        ("POST", "/api/models/{model}/feature-maps"),
        ("POST", "/api/models/{model}/layers/{layer}/feature-maps.png"),
        ("POST", "/api/models/{model}/layers/{layer}/feature-maps/{channel}.png"),
        ("POST", "/api/models/{model}/activations.npz"),
    }


def references(node: Any) -> list[str]:
    """Every $ref in a document."""
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for value in node.values() for found in references(value)]
    if isinstance(node, list):
        return [found for value in node for found in references(value)]
    return []


def test_every_reference_in_the_openapi_document_leads_somewhere(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert references(document)
    for reference in references(document):
        place = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
        assert place


def test_the_pages_are_not_part_of_the_openapi_document(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert all(path.startswith("/api/") or path in {"/health", "/ready"} for path in paths)


def test_every_api_route_that_takes_a_drawing_documents_its_refusals(client: TestClient) -> None:
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        if "post" in methods and path != "/api/models":
            responses = methods["post"]["responses"]
            for status in ("400", "413", "422", *(["404"] if "{model}" in path else [])):
                assert "application/problem+json" in responses[status]["content"]


def test_layers_are_drawn_minus_what_they_are_as_trained(client: TestClient, library: Library, four: bytes) -> None:
    network = library.network("digits")
    image = preprocess(four, network.card)
    layer, forward = network.layer("conv2"), network.run(image, PoolingMode.MIN)
    options = RenderOptions(signed=Colormap.BERLIN, trained=network.run(image), differences=True)
    fields = {"pooling": "min", "differences": "true"}
    base = "digits/layers/conv2/feature-maps"
    grid = post(client, f"{base}.png", four, **fields).content
    assert grid == draw_layer(forward, MapRange(layer), options).png
    assert post(client, f"{base}/3.png", four, **fields).content == draw_feature_map(forward, layer, 3, options).png
    answer = post(client, "digits/feature-maps", four, layers=["conv2"], **fields).json()
    assert base64.b64decode(answer["layers"][0]["png"]) == grid
    plain = post(client, "digits/network.png", four, pooling="min")
    assert plain.content != post(client, "digits/network.png", four, **fields).content
    # There is no difference from itself: the maps are drawn as they are.
    assert post(client, f"{base}.png", four, differences="true").content == post(client, f"{base}.png", four).content
