import base64
import html
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from app.cnn.card import Fit, Ink
from app.cnn.preprocessing import to_values
from app.cnn.types import PoolingMode
from app.explore.exploration import RenderOptions, explore
from app.explore.forward_passes import preprocess
from app.imaging.colormap import Colormap, legend
from app.imaging.drawing import FIRST_SAMPLE, SAMPLES, draw_sample
from app.library.library import Library
from app.web.layer_list import FIRST_LAYERS
from app.web.templates import data_url
from tests.pictures import dot_png, draw_four, draw_row, encode

Attributes = dict[str, str | None]

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Tags(HTMLParser):
    """All tags of a page with their attributes; counts those that are closed wrongly."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, Attributes]] = []
        self.open: list[str] = []
        self.misplaced = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()
        else:
            self.misplaced += 1

    def all(self, tag: str, **attributes: str) -> list[Attributes]:
        wanted = attributes.items()
        return [found for name, found in self.found if name == tag and wanted <= found.items()]


ON_LIGHT = RenderOptions(signed=Colormap.RDBU)  # near white, zero is white
PAGES = [
    "/",
    "/models",
    "/docs",
    "/digits?count=20",
    "/?model=a-plain",
    "/?model=branches",
    "/?model=logistic",
    "/?model=picture",
]
EVERY_MODEL = pytest.mark.parametrize("model", ["digits", "digits-min", "branches", "a-plain", "logistic", "picture"])


def explored(client: TestClient, drawing: bytes, **fields: str | list[str]) -> str:
    """The fragment that a drawing is answered with."""
    response = client.post("/exploration", files={"drawing": drawing}, data=fields)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    return response.text


@pytest.mark.parametrize("path", [*PAGES, "/missing", "/?model=missing"])
def test_a_page_is_well_formed(client: TestClient, path: str) -> None:
    response = client.get(path)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.text.startswith("<!doctype html>")
    tags = Tags(response.text)
    assert (tags.misplaced, tags.open) == (0, [])
    assert len(tags.all("h1")) == (0 if path == "/docs" else 1)


@pytest.mark.parametrize("path", PAGES)
def test_no_id_is_given_twice(client: TestClient, path: str) -> None:
    ids = [attributes["id"] for _, attributes in Tags(client.get(path).text).found if "id" in attributes]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("path", [*PAGES, "/missing"])
def test_every_picture_has_a_text_alternative(client: TestClient, path: str) -> None:
    assert all("alt" in image for image in Tags(client.get(path).text).all("img"))


@pytest.mark.parametrize("path", [*PAGES, "/missing"])
def test_nothing_runs_or_is_styled_inline(client: TestClient, path: str) -> None:
    for tag, attributes in Tags(client.get(path).text).found:
        assert tag != "style"
        assert tag != "script" or attributes.get("src")
        assert not [name for name in attributes if name == "style" or re.match(r"on[a-z]+$", name)]


@pytest.mark.parametrize("path", PAGES)
def test_what_a_page_links_to_is_there(client: TestClient, path: str) -> None:
    links = {
        attributes.get("src") or attributes.get("href") or ""
        for _, attributes in Tags(client.get(path).text).found
        if attributes.get("src") or attributes.get("href")
    }
    own = {link for link in links if not link.startswith(("data:", "#", "/static/vendor/"))}
    assert own
    for link in own:
        assert link.startswith("/"), link
        assert client.get(link).status_code == 200, link


@EVERY_MODEL
def test_the_page_opens_with_the_first_layers_of_the_first_sample(
    client: TestClient, library: Library, model: str
) -> None:
    network = library.network(model)
    expected = explore(network, network.run(preprocess(draw_sample(FIRST_SAMPLE), network.card)), ON_LIGHT)
    text = client.get("/", params={"model": model}).text
    for index, view in enumerate(expected.layers):
        assert f'<h2 id="name-{html.escape(view.layer.name)}">' in text
        if view.layer.is_spatial:
            assert (data_url(view.grid.png) in text) is (index < FIRST_LAYERS)


@EVERY_MODEL
def test_a_drawing_is_answered_with_every_layer_that_is_on_screen(
    client: TestClient, library: Library, four: bytes, model: str
) -> None:
    network = library.network(model)
    expected = explore(network, network.run(preprocess(four, network.card)), ON_LIGHT)
    text = explored(client, four, model=model, shown=json.dumps({layer.name: 0 for layer in network.layers}))
    tags = Tags(text)
    assert (tags.misplaced, tags.open) == (0, [])
    assert len(tags.all("article")) == len(network.layers)
    for view in expected.layers:
        if view.layer.is_spatial:
            assert data_url(view.grid.png) in text


def test_without_a_model_the_default_one_answers(client: TestClient, four: bytes) -> None:
    assert explored(client, four) == explored(client, four, model="digits")


def test_the_fragment_is_not_a_whole_page(client: TestClient, four: bytes) -> None:
    assert "<html" not in explored(client, four)


def test_the_answer_is_the_prediction(client: TestClient, library: Library, four: bytes) -> None:
    network = library.network("digits")
    prediction = explore(network, network.run(preprocess(four, network.card)), RenderOptions()).prediction
    assert prediction
    outputs = re.findall(r"<output[^>]*>(.*?)</output>", explored(client, four))
    assert outputs == [prediction.label]


def test_a_region_of_the_picture_is_answered_as_if_it_were_the_picture(client: TestClient, four: bytes) -> None:
    wide = Image.new("L", (400, 300), 255)
    wide.paste(draw_four(), (100, 10))
    wide.paste(0, (0, 0, 90, 90))
    assert explored(client, encode(wide), region="100,10,380,290") == explored(client, four)
    assert client.post("/exploration", files={"drawing": encode(wide)}, data={"region": "1,2"}).status_code == 422


def test_the_page_tells_of_several_digits_and_offers_each(client: TestClient) -> None:
    drawing = encode(draw_row("47"))
    assert "This looks like" not in explored(client, encode(draw_row("4")))
    text = explored(client, drawing)
    assert "This looks like two digits; the left one is read." in text
    left, right = (each["data-region"] or "" for each in Tags(text).all("button") if "data-region" in each)
    text = explored(client, drawing, region=right)
    assert "This looks like two digits; the right one is read." in text
    (pressed,) = Tags(text).all("button", **{"aria-pressed": "true"})
    assert pressed["data-region"] == right
    compared = client.post("/comparison", files={"drawing": drawing}, data={"region": left}).text
    assert "This looks like two digits; the left one is read." in compared


def test_a_dot_is_answered_with_a_sentence_and_the_bars(client: TestClient) -> None:
    text = explored(client, dot_png())
    assert re.findall(r"<output[^>]*>(.*?)</output>", text) == ["no digit yet"]
    assert "A dot or a blot has no shape" in text
    assert 'aria-label="Probabilities in percent"' in text


def test_a_lone_neuron_s_answer_is_a_word(client: TestClient, four: bytes) -> None:
    outputs = re.findall(r"<output[^>]*>(.*?)</output>", explored(client, four, model="logistic"))
    assert outputs[0] in {"a seven", "not a seven"}


def test_an_answer_that_is_a_picture_is_shown(client: TestClient, four: bytes) -> None:
    text = explored(client, four, model="picture")
    assert "its answer: a picture" in text
    assert "<output" not in text


def checked(text: str, name: str) -> list[str | None]:
    return [each["value"] for each in Tags(text).all("input", type="radio", name=name) if "checked" in each]


@pytest.mark.parametrize(
    ("fields", "marked"),
    [
        ({}, "max"),
        ({"pooling": "average"}, "average"),
        ({"pooling": "min"}, "min"),
        ({"model": "digits-min"}, "min"),
        ({"model": "branches", "pooling": "max"}, "max"),
    ],
    ids=str,
)
def test_the_pooling_in_effect_is_marked(client: TestClient, four: bytes, fields: dict[str, str], marked: str) -> None:
    assert checked(explored(client, four, **fields), "pooling") == [marked]
    assert checked(client.get("/", params=fields).text, "pooling") == [marked]


def test_where_the_layers_own_modes_differ_as_trained_is_a_choice_of_its_own(client: TestClient, four: bytes) -> None:
    assert checked(explored(client, four, model="branches"), "pooling") == [""]
    assert checked(explored(client, four, model="branches", pooling=""), "pooling") == [""]
    assert checked(explored(client, four, model="branches", pooling="min"), "pooling") == ["min"]


def test_a_model_without_pooling_offers_none(client: TestClient, four: bytes) -> None:
    text = explored(client, four, model="a-plain")
    assert Tags(text).all("input", name="pooling") == []
    assert "No pooling in this model." in text


@pytest.mark.parametrize("mode", list(PoolingMode))
def test_pooling_layers_are_described_by_the_mode_in_effect(client: TestClient, four: bytes, mode: PoolingMode) -> None:
    text = explored(client, four, pooling=mode)
    assert text.count(f"2×2 {mode} pooling") == 1
    assert text.count(f"3×3 {mode} pooling") == 1


def test_retrained_weights_are_those_of_the_sibling(client: TestClient, library: Library, four: bytes) -> None:
    sibling = library.network("digits-min")
    expected = explore(sibling, sibling.run(preprocess(four, sibling.card), PoolingMode.MIN), RenderOptions())
    text = explored(client, four, model="digits", pooling="min", weights="retrained")
    assert "The weights of <strong>digits-min</strong>" in text
    assert data_url(expected.layers[0].grid.png) in text
    assert checked(text, "weights") == ["retrained"]


def test_the_same_weights_stay_unless_others_are_asked_for(client: TestClient, four: bytes) -> None:
    text = explored(client, four, model="digits", pooling="min")
    assert "The weights of <strong>" not in text
    assert checked(text, "weights") == ["same"]


def test_the_look_that_is_asked_for_is_drawn(client: TestClient, library: Library, four: bytes) -> None:
    network = library.network("digits")
    options = RenderOptions(Colormap.MAGMA, columns=2)  # near black, zero is black
    expected = explore(network, network.run(preprocess(four, network.card)), options)
    text = explored(client, four, colormap="magma", columns="2", theme="dark")
    for view in expected.layers[:FIRST_LAYERS]:
        if view.layer.is_spatial:
            assert data_url(view.grid.png) in text


def test_the_address_holds_the_look(client: TestClient) -> None:
    text = client.get("/?colormap=cividis&scale=map").text
    selected = [each["value"] for each in Tags(text).all("option") if "selected" in each]
    assert "cividis" in selected
    assert checked(text, "scale") == ["map"]


def test_every_model_can_be_chosen(client: TestClient, library: Library) -> None:
    text = client.get("/?model=branches").text
    options = Tags(text).all("option")
    assert {network.name for network in library} <= {option["value"] for option in options}
    assert next(option["value"] for option in options if "selected" in option) == "branches"


def test_the_samples_are_on_the_page(client: TestClient) -> None:
    samples = Tags(client.get("/").text).all("button")
    assert [each["data-sample"] for each in samples if "data-sample" in each] == list(SAMPLES)
    assert [each["data-sample"] for each in samples if "data-first" in each] == [FIRST_SAMPLE]


def test_no_number_on_the_page_is_hidden(client: TestClient, library: Library) -> None:
    text = client.get("/").text
    for layer in library.network("digits").feature_map_layers:
        maps = layer.output_shape[-1]
        assert f"{maps} of {maps} maps" in text


def test_an_unknown_model_in_the_address_is_a_page_that_says_so(client: TestClient) -> None:
    response = client.get("/?model=nine")
    assert response.status_code == 404
    assert "<h1>Not Found</h1>" in response.text
    assert "There is no model “nine”. There is: digits," in response.text


@pytest.mark.parametrize("query", ["pooling=median", "colormap=jet", "scale=log", "weights=heavy"])
def test_an_unknown_choice_in_the_address_is_a_page_that_says_so(client: TestClient, query: str) -> None:
    response = client.get(f"/?{query}")
    assert response.status_code == 422
    assert f"Received: “{query.partition('=')[2]}”" in response.text


@pytest.mark.parametrize("path", ["/?model=a-plain", "/models"])
def test_a_model_s_words_are_text_and_nothing_else(client: TestClient, path: str) -> None:
    text = client.get(path).text
    assert "&lt;script&gt;alert(" in text
    assert "<script>alert" not in text


def test_a_drawing_s_answer_is_text_and_nothing_else(client: TestClient, four: bytes) -> None:
    text = explored(client, four, model="a-plain")
    assert "&lt;script&gt;alert(" in text
    assert "<script" not in text
    assert "conv-&gt;1" in text and "conv->1" not in text


@pytest.mark.parametrize("path", ["/?model=<script>alert(1)</script>", "/<script>alert(1)</script>"])
def test_an_address_is_text_and_nothing_else(client: TestClient, path: str) -> None:
    text = client.get(path).text
    assert "<script>alert" not in text
    assert "alert(1)" in text


def test_the_models_page_compares_all_models(client: TestClient, library: Library) -> None:
    text = client.get("/models").text
    for network in library:
        assert f'<a href="/?model={network.name}">{network.name}</a>' in text


def test_the_models_page_shows_the_family_in_every_mode(client: TestClient) -> None:
    text = client.get("/models").text
    assert "Trained with one pooling, run with another" in text
    for figure in ("90.0 %", "80.0 %", "70.0 %", "85.0 %"):
        assert figure in text


@pytest.mark.parametrize("colormap", list(Colormap))
def test_a_colour_map_s_legend_is_a_picture(client: TestClient, colormap: Colormap) -> None:
    response = client.get(f"/colormaps/{colormap}.png")
    assert response.headers["content-type"] == "image/png"
    assert response.headers["cache-control"] == "max-age=86400"
    assert response.content == legend(colormap)


def test_an_unknown_colour_map_has_no_legend(client: TestClient) -> None:
    assert client.get("/colormaps/jet.png").status_code == 422


@EVERY_MODEL
def test_an_empty_sheet_is_run_as_such(client: TestClient, library: Library, model: str) -> None:
    network = library.network(model)
    text = explored(
        client,
        encode(Image.new("L", (280, 280), 255)),
        model=model,
        shown=json.dumps({layer.name: 0 for layer in network.layers}),
    )
    if network.card.fit is Fit.DIGIT and not network.answers_with_picture:
        assert "Nothing is drawn yet" in text
    height, width, channels = network.card.input_shape
    paper = 0 if network.card.ink is Ink.BRIGHT else 255
    levels = np.full((height or 32, width or 32, channels), paper, np.float32)
    for view in explore(network, network.run(to_values(levels, network.card)), ON_LIGHT).layers:
        if view.layer.is_spatial:
            assert data_url(view.grid.png) in text


def test_what_the_network_sees_is_shown(client: TestClient, library: Library, four: bytes) -> None:
    text = explored(client, four)
    (seen,) = Tags(text).all("img", id="seen")
    source = (seen["src"] or "").removeprefix("data:image/png;base64,")
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(source))))
    expected = preprocess(four, library.network("digits").card)[..., 0]
    np.testing.assert_allclose(pixels / 255, expected, atol=1 / 255)


def test_a_lean_answer_leaves_out_the_network_at_a_glance(client: TestClient, four: bytes) -> None:
    whole = explored(client, four)
    assert "overview-picture" in whole
    listed = Tags(whole).all("div", id="rows")[0]["data-listed"] or ""
    assert "overview-picture" in explored(client, four, listed=listed)
    assert "overview" not in explored(client, four, listed=listed, lean="true")
    assert "overview-picture" in explored(client, four, lean="true")  # another list needs another row of pictures


def test_a_doubt_takes_the_place_of_how_often_such_answers_are_right(client: TestClient, four: bytes) -> None:
    doubted = explored(client, four, model="digits", pooling="min")
    assert "With min pooling, it reads 70 % of test digits" in doubted and "is-doubted" in doubted
    assert '<p class="answer-doubt" role="status">' in doubted and "of such answers are right" not in doubted
