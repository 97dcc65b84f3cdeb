"""Large answers are sent in parts: the same bytes as in one piece."""

import base64
import io
import itertools
from dataclasses import replace

import numpy as np
import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel

from app.explore import activations
from app.explore.exploration import RenderOptions, all_maps, explore
from app.library.library import Library
from app.web import api, parts
from app.web.parts import PartsResponse, Pictures
from app.web.schemas import FeatureMapsAnswer
from tests.explore.large_pass import large_network, large_pass
from tests.peaks import MEGABYTE, peak_of

FORMS: list[tuple[str, dict[str, str | list[str]]]] = [
    ("feature-maps", {}),
    ("feature-maps", {"layers": ["conv2", "pool1"], "scale": "map"}),
    ("comparison", {"differences": "true"}),
    ("comparison", {"layers": ["pool1", "answer"]}),
]


@pytest.mark.parametrize("part", [3, 300, parts._PART])
@pytest.mark.parametrize(("path", "form"), FORMS)
def test_a_large_answer_has_the_bytes_of_a_small_one(
    client: TestClient,
    four: bytes,
    path: str,
    form: dict[str, str | list[str]],
    part: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def post() -> tuple[bytes, dict[str, str]]:
        response = client.post(f"/api/models/digits/{path}", files={"drawing": four}, data=form)
        assert response.status_code == 200
        known = ("content-type", "content-length")
        return response.content, {name: response.headers[name] for name in known}

    expected = post()
    monkeypatch.setattr(api, "SMALL_ANSWER", 0)
    monkeypatch.setattr(parts, "_PART", part)
    assert post() == expected


class Named(BaseModel):
    """An answer whose text looks like a picture that was left out."""

    name: str
    png: str


@pytest.mark.parametrize("name", ['"png":""', "png", '\\"png\\":\\"\\"', "“png”:“”"])
def test_a_picture_is_put_where_it_was_left_out_and_nowhere_else(name: str) -> None:
    pictures = Pictures()
    answer = pictures.put_into(Named(name=name, png=pictures.leave_out(b"abcd")))
    assert isinstance(answer, PartsResponse)
    body = b"".join(answer.parts)
    assert Named.model_validate_json(body) == Named(name=name, png=base64.b64encode(b"abcd").decode())
    assert answer.headers["content-length"] == str(len(body))


def test_a_large_answer_is_never_in_memory_as_text() -> None:
    network = large_network()
    drawn = explore(network, large_pass(), RenderOptions(), map(all_maps, network.feature_map_layers))
    views = [replace(view, grid=replace(view.grid, png=bytes(2**23))) for view in drawn.layers]
    exploration, size = replace(drawn, layers=tuple(views)), len(views) * 2**23

    def send() -> None:
        pictures = Pictures()
        response = pictures.put_into(FeatureMapsAnswer.from_exploration(exploration, pictures.leave_out))
        assert isinstance(response, PartsResponse)
        assert sum(map(len, response.parts)) > size * 4 / 3

    send()
    assert peak_of(send) < 4 * MEGABYTE


@pytest.mark.parametrize(("path", "form"), FORMS)
def test_an_answer_with_too_many_pixels_is_refused_and_says_what_to_do(
    client: TestClient, four: bytes, path: str, form: dict[str, str | list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "_MOST_OF_ALL", 100)
    response = client.post(f"/api/models/digits/{path}", files={"drawing": four}, data=form)
    assert response.status_code == 422
    assert "100 is the most. Name fewer layers, or smaller ones, with layers=." in response.json()["detail"]


def test_a_grid_with_too_many_pixels_is_refused_and_fewer_maps_are_drawn(
    client: TestClient, four: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "MOST_PIXELS", 26 * 26)
    path = "/api/models/digits/layers/conv1/feature-maps.png"
    response = client.post(path, files={"drawing": four})
    assert response.status_code == 422
    assert "Ask for fewer maps, with count=." in response.json()["detail"]
    assert client.post(path, files={"drawing": four}, data={"count": "1"}).status_code == 200


def test_a_comparison_of_the_layers_named_is_that_of_all(client: TestClient, four: bytes) -> None:
    path = "/api/models/digits/comparison"
    everything = client.post(path, files={"drawing": four}).json()["modes"]
    some = client.post(path, files={"drawing": four}, data={"layers": ["pool2", "conv2"]}).json()["modes"]
    for mode, all_layers in zip(some, everything, strict=True):
        by_name = {layer["name"]: layer for layer in all_layers["layers"]}
        assert mode["layers"] == [by_name["pool2"], by_name["conv2"]]
        assert mode["prediction"] == all_layers["prediction"]
    refused = client.post(path, files={"drawing": four}, data={"layers": "nobody"})
    assert (refused.status_code, "no layer “nobody”" in refused.json()["detail"]) == (404, True)


def test_a_large_download_has_what_a_small_one_has(
    client: TestClient, library: Library, four: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def post() -> dict[str, np.ndarray]:
        response = client.post("/api/models/digits/activations.npz", files={"drawing": four})
        assert response.headers["content-type"] == "application/zip"
        assert "digits-max.npz" in response.headers["content-disposition"]
        return dict(np.load(io.BytesIO(response.content)))

    small = post()
    monkeypatch.setattr(activations, "_SMALL_PASS", 0)
    large = post()
    names = [layer.name for layer in library.network("digits").layers]
    assert list(large) == list(small) == [*names, "input", "probabilities"]
    for name, array in itertools.chain(large.items()):
        np.testing.assert_array_equal(array, small[name])
