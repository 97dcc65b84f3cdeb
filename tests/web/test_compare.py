import base64
import re
from functools import partial
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.cnn.types import PoolingMode
from app.explore.comparison import compare
from app.explore.exploration import RenderOptions, draw_image
from app.explore.forward_passes import preprocess, swap_ink_and_paper
from app.explore.inspection import strongest_cell
from app.explore.prediction import predict
from app.imaging.colormap import Colormap, Scale
from app.library.library import Library
from app.web.formatting import fixed, full
from app.web.templates import data_url
from tests.pictures import dot_png

ON_LIGHT = RenderOptions(signed=Colormap.RDBU)  # near white, zero is white
WITH_POOLING = pytest.mark.parametrize("model", ["digits", "digits-min", "branches"])
WITHOUT_POOLING = pytest.mark.parametrize("model", ["a-plain", "logistic", "picture"])


def ask(client: TestClient, four: bytes, model: str, **fields: str) -> Any:
    response = client.post(f"/api/models/{model}/comparison", files={"drawing": four}, data=fields)
    assert response.status_code == 200, response.text
    return response.json()


def fragment(client: TestClient, four: bytes, model: str, **fields: str) -> str:
    response = client.post("/comparison", files={"drawing": four}, data={"model": model} | fields)
    assert response.status_code == 200, response.text
    return response.text


@WITH_POOLING
def test_each_mode_s_prediction_is_the_prediction_in_that_mode(client: TestClient, four: bytes, model: str) -> None:
    answer = ask(client, four, model)
    assert [each["pooling"] for each in answer["modes"]] == ["max", "average", "min"]
    for each in answer["modes"]:
        alone = client.post(
            f"/api/models/{model}/prediction", files={"drawing": four}, data={"pooling": each["pooling"]}
        )
        assert each["prediction"] == alone.json()


def test_layers_have_the_shape_of_feature_maps_and_more(client: TestClient, four: bytes) -> None:
    alone = client.post("/api/models/digits/feature-maps", files={"drawing": four}, data={"pooling": "min"})
    maps = {layer["name"]: layer for layer in alone.json()["layers"]}
    answer = ask(client, four, "digits")
    layers = answer["modes"][2]["layers"]
    assert [layer["name"] for layer in layers] == ["pool1", "conv2", "pool2", "flatten", "dropout", "answer"]
    for layer in layers[:3]:
        shared = {name: value for name, value in maps[layer["name"]].items() if name != "png"}
        assert {name: layer[name] for name in shared} == shared
    assert layers[-1]["shape"] == [10]


def test_the_api_says_what_the_service_says(client: TestClient, library: Library, four: bytes) -> None:
    network = library.network("digits")
    options = RenderOptions(Colormap.MAGMA, signed=None, scale=Scale.MAP, columns=5)
    expected = compare(network, partial(network.run, preprocess(four, network.card)), options, differences=True)
    answer = ask(client, four, "digits", colormap="magma", scale="map", columns="5", differences="true")
    for mode, column in zip(answer["modes"], expected.columns, strict=True):
        for layer, cell in zip(mode["layers"], column.layers, strict=True):
            assert layer["distance"] == cell.distance
            assert layer["farthest_map"] == cell.farthest_map
            assert (layer["low"], layer["high"]) == (cell.view.grid.low, cell.view.grid.high)
            assert base64.b64decode(layer["png"]) == cell.view.grid.png
            assert cell.difference is not None
            assert base64.b64decode(layer["difference"]["png"]) == cell.difference.png


@pytest.mark.parametrize("fields", [{}, {"invert": "true"}], ids=str)
def test_a_dot_is_no_digit_in_any_mode(client: TestClient, fields: dict[str, str]) -> None:
    text = fragment(client, dot_png(), "digits", **fields)
    assert re.findall(r"<output[^>]*>(.*?)</output>", text) == ["–"] * 3
    assert "A dot or a blot has no shape" in text
    assert all(mode["prediction"]["no_digit"] for mode in ask(client, dot_png(), "digits", **fields)["modes"])


def test_one_scale_for_all_three_modes(client: TestClient, four: bytes) -> None:
    modes = ask(client, four, "digits")["modes"]
    for layers in zip(*(mode["layers"] for mode in modes), strict=True):
        assert len({(layer["low"], layer["high"]) for layer in layers}) == 1
        assert {layer["difference"] for layer in layers} == {None}


def test_where_each_mode_differs_most(client: TestClient, four: bytes) -> None:
    modes = ask(client, four, "digits")["modes"]
    assert modes[0]["as_trained"] and modes[0]["farthest_layer"] is None
    for mode in modes[1:]:
        before = mode["layers"][:-1]
        farthest = max(layer["distance"] for layer in before)
        assert mode["farthest_layer"] in {layer["name"] for layer in before if layer["distance"] == farthest}


def test_accuracies_come_with_it(client: TestClient, four: bytes) -> None:
    modes = ask(client, four, "digits")["modes"]
    assert [mode["test_accuracy"] for mode in modes] == [0.9, 0.8, 0.7]
    assert [mode["retrained_model"] for mode in modes] == ["digits", None, "digits-min"]
    assert [mode["retrained_test_accuracy"] for mode in modes] == [0.5, None, 0.5]


def test_inverting_swaps_ink_and_paper_before_the_network(client: TestClient, library: Library, four: bytes) -> None:
    network = library.network("digits")
    image = swap_ink_and_paper(preprocess(four, network.card), network.card)
    answer = ask(client, four, "digits", invert="true")
    assert answer["inverted"] is True
    assert ask(client, four, "digits")["inverted"] is False
    for each in answer["modes"]:
        expected = predict(network, network.run(image, PoolingMode(each["pooling"])))
        found = [one["probability"] for one in each["prediction"]["probabilities"]]
        np.testing.assert_allclose(found, [one.probability for one in expected.probabilities], rtol=1e-6)


def test_a_model_of_several_modes_is_as_trained_in_none(client: TestClient, four: bytes) -> None:
    answer = ask(client, four, "branches")
    assert answer["trained_pooling"] is None
    assert [mode["as_trained"] for mode in answer["modes"]] == [False] * 3


@WITHOUT_POOLING
def test_without_pooling_the_api_says_so(client: TestClient, four: bytes, model: str) -> None:
    response = client.post(f"/api/models/{model}/comparison", files={"drawing": four})
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert f"“{model}” has no pooling layer" in response.json()["detail"]


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("nobody/comparison", {}, 404),
        ("digits/comparison", {"invert": "maybe"}, 422),
        ("digits/comparison", {"columns": "0"}, 422),
    ],
)
def test_the_api_says_no_in_its_own_shape(
    client: TestClient, four: bytes, path: str, fields: dict[str, str], status: int
) -> None:
    response = client.post(f"/api/models/{path}", files={"drawing": four}, data=fields)
    assert response.status_code == status
    assert response.json()["status"] == status


def test_the_distance_is_explained_in_the_api_s_description(client: TestClient) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    assert "sum(|a - t|) / (sum(|a|) + sum(|t|))" in schemas["ComparedMaps"]["properties"]["distance"]["description"]


@WITH_POOLING
def test_the_page_shows_every_column_and_layer(client: TestClient, library: Library, four: bytes, model: str) -> None:
    network = library.network(model)
    page = client.get(f"/compare?model={model}")
    assert page.status_code == 200
    text = fragment(client, four, model)
    comparison = compare(network, partial(network.run, preprocess(four, network.card)), ON_LIGHT)
    for column in comparison.columns:
        assert column.prediction is not None
        assert f'data-pooling="{column.pooling}">{column.prediction.label}</output>' in text
    for row in comparison.rows:
        assert f'id="layer-{row[0].view.layer.name}"' in text
        if row[0].view.layer.kind != "Dropout":
            for cell in row:
                assert data_url(cell.view.grid.png) in text


def test_the_farthest_of_each_column_is_marked(client: TestClient, four: bytes) -> None:
    text = fragment(client, four, "digits")
    assert text.count("differs most</small>") == 1
    assert text.count("differs most of all</small>") == 1
    assert text.count("is-farthest") == 2


def test_a_model_of_several_modes_says_so(client: TestClient, four: bytes) -> None:
    text = fragment(client, four, "branches")
    assert "none of the three columns is as trained" in text
    assert "<small>as trained</small>" not in text


def test_the_page_shows_differences_on_demand(client: TestClient, library: Library, four: bytes) -> None:
    network = library.network("digits")
    run = partial(network.run, preprocess(four, network.card))
    comparison = compare(network, run, ON_LIGHT, differences=True)
    plain, apart = fragment(client, four, "digits"), fragment(client, four, "digits", differences="on")
    for row in comparison.rows:
        if row[0].view.layer.kind == "Dropout":
            continue
        for index, cell in enumerate(row):
            assert cell.difference is not None
            assert data_url(cell.difference.png) not in plain
            # The column as trained differs nowhere: it keeps its maps.
            assert data_url(cell.view.grid.png if index == 0 else cell.difference.png) in apart
    assert "minus as trained" in apart and "minus as trained" not in plain


def test_the_page_shows_what_the_network_sees(client: TestClient, library: Library, four: bytes) -> None:
    network = library.network("digits")
    image = preprocess(four, network.card)
    assert data_url(draw_image(image, network.card)) in fragment(client, four, "digits")
    text = fragment(client, four, "digits", invert="on")
    assert data_url(draw_image(swap_ink_and_paper(image, network.card), network.card)) in text
    assert "The ink is dark" in text and "The ink is bright" not in text


@WITHOUT_POOLING
def test_without_pooling_the_page_says_so_and_names_models_that_pool(
    client: TestClient, four: bytes, model: str
) -> None:
    page = client.get(f"/compare?model={model}")
    assert page.status_code == 200
    for text in (page.text, fragment(client, four, model)):
        assert f"{model} has no pooling layer" in text
        assert 'href="/compare?model=digits"' in text


def test_the_address_is_the_state(client: TestClient) -> None:
    text = client.get("/compare?model=digits-min&invert=on&differences=on&colormap=magma&scale=map").text
    assert '<option value="digits-min" selected ' in text
    assert 'name="invert" checked' in text and 'name="differences" checked' in text
    assert '<option value="magma" selected>' in text
    assert 'value="map" checked' in text


def test_the_explorer_s_pooling_does_not_change_the_model(client: TestClient) -> None:
    text = client.get("/compare?model=digits&pooling=min&weights=retrained").text
    assert "<strong>digits</strong> was trained with <strong>max</strong>" in text


def test_nothing_drawn_is_said_where_the_person_looks(client: TestClient) -> None:
    response = client.post("/comparison", data={"model": "digits"})
    assert response.status_code == 422
    assert response.text.startswith("<p>") and "No drawing was sent" in response.text


def cell(client: TestClient, four: bytes, **fields: str) -> str:
    response = client.post("/compared-cell", files={"drawing": four}, data={"model": "digits"} | fields)
    assert response.status_code == 200, response.text
    return response.text


LAYERS = ["conv1", "pool1", "conv2", "pool2", "flatten", "dropout", "answer"]


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("more", [{}, {"precise": "true", "everything": "true", "scale": "map"}], ids=["few", "all"])
def test_a_cell_is_shown_in_the_three_modes(
    client: TestClient, library: Library, four: bytes, layer: str, more: dict[str, str]
) -> None:
    network = library.network("digits")
    image = preprocess(four, network.card)
    text = cell(client, four, layer=layer, channel="0", row="0", column="3", **more)
    assert text.count('id="microscope"') == 1
    show = full if more else fixed
    for mode in PoolingMode:
        value = network.run(image, mode).activations[layer]
        at = (0, 3, 0) if value.ndim == 3 else (3,)
        assert f"{mode} {show(float(value[at]))}" in text
        assert f'id="microscope-map-{mode}"' in text
    assert ("before the first pooling layer" in text) == (layer == "conv1")
    assert text.count("as trained</small>") == 1


def test_without_a_cell_it_is_the_strongest_one_as_trained(client: TestClient, library: Library, four: bytes) -> None:
    network = library.network("digits-min")
    forward = network.run(preprocess(four, network.card))
    place = strongest_cell(forward, network.layer("conv2"), 7)
    text = cell(client, four, model="digits-min", layer="conv2", channel="7")
    assert f'data-channel="7" data-row="{place.row}" data-column="{place.column}"' in text


def test_ink_and_paper_are_swapped_in_the_microscope_too(client: TestClient, four: bytes) -> None:
    place = {"layer": "pool1", "channel": "2", "row": "4", "column": "5"}
    assert cell(client, four, **place) != cell(client, four, **place, invert="on")


def test_the_comparison_brings_the_microscope_where_one_is_open(client: TestClient, four: bytes) -> None:
    assert 'id="microscope"' not in fragment(client, four, "digits")
    place = {"layer": "conv2", "channel": "3", "row": "1", "column": "2"}
    text = fragment(client, four, "digits", **place)
    assert text.index('hx-target="#stage"') < text.index('id="microscope"')
    assert cell(client, four, **place).strip() in text


def test_a_permalink_opens_the_microscope(client: TestClient) -> None:
    text = client.get("/compare?model=digits&layer=conv2&channel=3&row=1&column=2").text
    assert "<h2>conv2 · map 3</h2>" in text and 'id="microscope-map-min"' in text
    assert 'name="row" value="1"' in text


@pytest.mark.parametrize("fields", [{"layer": "nope"}, {"layer": "conv2", "channel": "99"}, {}], ids=str)
def test_a_cell_that_there_is_not_shows_no_panel(client: TestClient, four: bytes, fields: dict[str, str]) -> None:
    assert cell(client, four, **fields).strip() == ""


@WITHOUT_POOLING
def test_without_pooling_there_is_no_panel(client: TestClient, four: bytes, model: str) -> None:
    assert cell(client, four, model=model, layer="answer").strip() == ""
    assert client.get(f"/compare?model={model}&layer=answer").status_code == 200
