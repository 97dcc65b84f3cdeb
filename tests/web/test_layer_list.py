import html
import json
import re
from collections.abc import Iterator
from pathlib import Path

import keras
import pytest
from fastapi.testclient import TestClient
from keras import layers

from app.cnn.network import Network
from app.explore.exploration import MapRange, RenderOptions, draw_layer, explore
from app.explore.forward_passes import preprocess
from app.imaging.drawing import draw_sample
from app.imaging.grid import draw_strip
from app.main import create_app
from app.settings import Settings
from app.web.layer_list import (
    COMPARED,
    FIRST_LAYERS,
    MAPS,
    UNITS,
    choose_compared,
    choose_ranges,
    draw_rail,
    find_page,
    list_all,
    starts_folded,
)
from app.web.templates import data_url
from tests.large_model import BLOCKS, CHANNELS, save_large
from tests.small_models import card, save, with_random_weights

DRAWING = draw_sample("4")


@pytest.fixture(scope="module")
def large_client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder: Path = tmp_path_factory.mktemp("large")
    save_large(folder)
    with TestClient(create_app(Settings(built_in_models=folder)), base_url="http://localhost") as client:
        yield client


@pytest.fixture(scope="module")
def network(large_client: TestClient) -> Network:
    found: Network = large_client.app.state.library.default  # type: ignore[attr-defined]
    return found


def explored(client: TestClient, shown: dict[str, int] | None = None, **fields: str) -> str:
    if shown is not None:
        fields["shown"] = json.dumps(shown)
    response = client.post("/exploration", files={"drawing": DRAWING}, data=fields)
    assert response.status_code == 200, response.text
    return response.text


def drawn(text: str) -> list[str]:
    """The layers that a fragment holds pictures of."""
    figures = re.findall(r'id="figure-([^"]*)"(.*?)</figcaption>', text, re.DOTALL)
    return [name for name, figure in figures if "data:image/png" in figure]


def folded(text: str) -> list[str]:
    return re.findall(r'<article class="[^"]*is-folded[^"]*" id="layer-([^"]*)"', text)


def listed(text: str) -> str:
    names: str = re.findall(r'data-listed="([^"]*)"', text)[0]
    return names


@pytest.mark.parametrize(
    ("total", "number", "first", "count", "before", "after"),
    [
        (5, 0, 0, 5, None, None),
        (MAPS, 63, 0, MAPS, None, None),
        (200, 0, 0, MAPS, None, MAPS),
        (200, 130, 128, MAPS, MAPS, 192),
        (200, 199, 192, 8, 128, None),
        (200, 10**9, 192, 8, 128, None),
    ],
)
def test_a_page_of_maps(total: int, number: int, first: int, count: int, before: int | None, after: int | None) -> None:
    page = find_page((3, 3, total), number)
    assert (page.first, page.count, page.before, page.next) == (first, count, before, after)
    assert page.total == total


def test_a_vector_s_pages_are_longer() -> None:
    page = find_page((5000,), 4999)
    assert (page.first, page.count, page.total) == (4 * UNITS, 5000 - 4 * UNITS, 5000)


def test_without_a_word_of_what_is_on_screen_the_first_unfolded_layers_are_drawn(large_client: TestClient) -> None:
    expected = ["stem", "conv0", "add0", "conv1", "add1", "conv2"]
    assert len(expected) == FIRST_LAYERS
    assert drawn(large_client.get("/").text) == expected
    assert drawn(explored(large_client)) == expected


def test_every_layer_has_its_header_and_its_place(large_client: TestClient, network: Network) -> None:
    text = large_client.get("/").text
    for layer in network.layers:
        assert f'<h2 id="name-{layer.name}">' in text
    assert text.count("data-pending") == len(network.layers) - FIRST_LAYERS


def test_what_only_rescales_starts_folded(large_client: TestClient, network: Network) -> None:
    expected = [f"{kind}{block}" for block in range(BLOCKS) for kind in ("bn", "relu")] + ["flatten"]
    assert folded(large_client.get("/").text) == expected
    assert [layer.name for layer in network.layers if starts_folded(network, layer)] == expected


def test_a_small_network_starts_unfolded_and_has_no_contents(client: TestClient) -> None:
    text = client.get("/?model=branches").text
    assert folded(text) == []
    assert "data-contents" not in text


def test_only_what_is_on_screen_is_sent_while_the_list_stays(large_client: TestClient) -> None:
    whole = explored(large_client, shown={"conv3": 0, "wide": 0})
    assert drawn(whole) == ["conv3", "wide"]
    text = explored(large_client, shown={"conv3": 0, "wide": 0}, listed=listed(whole))
    assert drawn(text) == re.findall('id="figure-([^"]*)"', text) == ["conv3", "wide"]
    assert "hx-target='[id=\"figure-wide\"]'" in text
    assert "<article" not in text
    assert "data-listed" not in text
    assert '<output class="answer-guess' in text


def test_nothing_on_screen_is_the_answer_alone(large_client: TestClient) -> None:
    text = explored(large_client, shown={}, listed=listed(explored(large_client)))
    assert drawn(text) == []
    assert '<output class="answer-guess' in text


@pytest.mark.parametrize("change", [{"pooling": "min"}, {"weights": "retrained"}])
def test_another_choice_brings_the_list_again(large_client: TestClient, change: dict[str, str]) -> None:
    before = listed(explored(large_client))
    text = explored(large_client, shown={"stem": 0}, listed=before, **change)
    assert listed(text) != before
    assert drawn(text) == ["stem"]


def test_layers_of_another_network_are_no_layers_of_this_one(large_client: TestClient) -> None:
    assert len(drawn(explored(large_client, shown={"conv_1": 0, "digit": 64}))) == FIRST_LAYERS


@pytest.mark.parametrize(
    "shown", ["stem", "[]", "null", "0", '{"stem": -1}', '{"stem": 1.5}', '{"stem": 9999999999}', '{"stem": ' * 1000]
)
def test_what_names_no_layers_with_numbers_is_refused(large_client: TestClient, shown: str) -> None:
    response = large_client.post("/exploration", files={"drawing": DRAWING}, data={"shown": shown})
    assert response.status_code == 422
    assert "“shown" in response.text


def test_a_wide_layer_is_shown_a_page_at_a_time_on_the_whole_layer_s_scale(
    large_client: TestClient, network: Network
) -> None:
    text = explored(large_client, shown={"wide": 128})
    forward = network.run(preprocess(DRAWING, network.card))
    grid = draw_layer(forward, MapRange(network.layer("wide"), 128, MAPS), RenderOptions())
    assert data_url(grid.png) in text
    assert (grid.low, grid.high) == (forward.activations["wide"].min(), forward.activations["wide"].max())
    assert f"maps 128 to 191 of {CHANNELS}" in text
    assert 'data-page="64"' in text and 'data-page="192"' in text


def test_a_long_vector_is_shown_a_page_at_a_time(large_client: TestClient, network: Network) -> None:
    text = explored(large_client, shown={"flatten": 9216})
    values = network.run(preprocess(DRAWING, network.card)).activations["flatten"]
    assert data_url(draw_strip(values, first=9216).png) in text
    assert "values 9216 to 9799 of 9800" in text


def test_many_constant_maps_are_not_all_named(large_client: TestClient, network: Network) -> None:
    forward = network.run(preprocess(DRAWING, network.card))
    (view,) = explore(network, forward, RenderOptions(), [MapRange(network.layer("wide"), 0, 1)]).layers
    constant = view.constant_maps
    text = explored(large_client, shown={"wide": 0})
    assert len(constant) > 12
    assert f"{len(constant)} constant for this drawing: {', '.join(map(str, constant[:12]))}, …" in text


def test_the_microscope_s_layer_is_drawn_on_the_page_of_its_map(large_client: TestClient) -> None:
    for text in (
        large_client.get("/?layer=wide&channel=150").text,
        explored(large_client, shown={"stem": 0}, layer="wide", channel="150"),
    ):
        assert "wide" in drawn(text)
        assert "maps 128 to 191 of 200" in text
        assert 'id="microscope"' in text


def test_a_page_that_was_turned_stays_while_the_microscope_is_on_another(large_client: TestClient) -> None:
    text = explored(large_client, shown={"wide": 0}, layer="wide", channel="150")
    assert "maps 0 to 63 of 200" in text
    assert 'id="microscope"' in text


def test_what_is_not_drawn_is_not_touched(network: Network) -> None:
    forward = network.run(preprocess(DRAWING, network.card))
    parts = choose_ranges(network, forward, {"stem": 0}, {})
    exploration = explore(network, forward, RenderOptions(), parts)
    assert [view.layer.name for view in exploration.layers] == ["stem"]
    assert [entry.view is None for entry in list_all(exploration, RenderOptions())] == [False] + [True] * 44


def test_layers_that_would_be_too_large_together_come_with_the_next_answer(
    large_client: TestClient, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.web.layer_list._ANSWER_PIXELS", 3 * 8 * 14 * 14)
    known, wanted, answers = listed(large_client.get("/").text), [layer.name for layer in network.layers], []
    while wanted:
        text = explored(large_client, dict.fromkeys(wanted, 0), listed=known, layer="wide")
        came = drawn(text)
        found = re.findall(r'id="left-out" data-layers="([^"]*)"', text)
        left = json.loads(html.unescape(found[0])) if found else []
        assert "wide" in came and sorted({*came, "wide"} | {*left}) == sorted({*wanted, "wide"})
        assert len(left) < len(wanted)
        wanted = left
        answers.append(came)
    assert len(answers) > 10


def test_a_residual_network_has_two_lanes(large_client: TestClient, network: Network) -> None:
    rail = draw_rail(network)
    assert rail is not None and rail.lanes == 2
    text = large_client.get("/").text
    assert text.count('class="rail"') == len(network.layers)
    assert text.count('class="is-join"') == BLOCKS


def test_joins_say_what_they_join(large_client: TestClient) -> None:
    assert "adds stem and bn0" in large_client.get("/").text


def test_a_wide_layer_is_compared_by_its_first_maps(large_client: TestClient) -> None:
    text = large_client.get("/compare").text
    assert "64 of 200 maps" in text
    assert "layers from the first pooling layer on are compared here" not in text


def test_a_large_network_is_compared_in_part_and_says_so(tmp_path: Path) -> None:
    chain: list[layers.Layer] = [keras.Input((28, 28, 1)), layers.MaxPooling2D(4, name="pool")]
    for index in range(30):
        chain += [layers.Conv2D(1, 1, name=f"conv{index}"), layers.ReLU(name=f"relu{index}")]
    model = with_random_weights(keras.Sequential([*chain, layers.Flatten(), layers.Dense(10, activation="softmax")]))
    save(model, card(model, pooling="max"), tmp_path / "deep.keras")
    with TestClient(create_app(Settings(built_in_models=tmp_path)), base_url="http://localhost") as client:
        compared = choose_compared(client.app.state.library.default)  # type: ignore[attr-defined]
        text = client.get("/compare").text
    names = [layer.name for layer in compared]
    assert len(names) == COMPARED
    assert (names[0], names[1], names[-2]) == ("pool", "conv0", "conv29")
    assert not any(name.startswith("relu") for name in names)
    assert re.findall('<article [^>]*id="layer-([^"]*)"', text) == names
    assert f"{COMPARED} of the 63 layers from the first pooling layer on are compared here" in text
