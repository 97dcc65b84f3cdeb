"""What can be saved: pictures at a chosen scale, the whole network, and the values of a map."""

import io

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from app.cnn.network import Network
from app.explore.exploration import RenderOptions, explore
from app.explore.forward_passes import preprocess
from app.imaging.colormap import Colormap
from app.imaging.encoding import stream_csv
from app.imaging.sheet import Item, draw_sheet, measure_sheet
from app.library.library import Library
from app.web import api
from tests.pictures import decode_rgba, encode
from tests.web.test_api import post

GRID, MAP = "digits/layers/conv2/feature-maps.png", "digits/layers/conv2/feature-maps/3.png"
NETWORK = "digits/network.png"


@pytest.fixture
def network(library: Library) -> Network:
    return library.network("digits")


@pytest.mark.parametrize("path", [GRID, MAP])
@pytest.mark.parametrize("zoom", [1, 4, 32])
def test_each_cell_is_a_square_of_so_many_pixels(client: TestClient, four: bytes, path: str, zoom: int) -> None:
    small = decode_rgba(post(client, path, four).content)
    response = post(client, path, four, zoom=zoom)
    assert response.headers["content-type"] == "image/png"
    np.testing.assert_array_equal(decode_rgba(response.content), small.repeat(zoom, axis=0).repeat(zoom, axis=1))


@pytest.mark.parametrize("path", [GRID, MAP, NETWORK])
@pytest.mark.parametrize("zoom", ["0", "33", "-1", "1.5", "large"])
def test_any_other_scale_is_refused_with_a_sentence(client: TestClient, four: bytes, path: str, zoom: str) -> None:
    response = post(client, path, four, zoom=zoom)
    assert response.status_code == 422
    assert response.json()["detail"].startswith("“zoom”: ") and zoom in response.json()["detail"]


@pytest.mark.parametrize("path", [GRID, MAP, NETWORK])
def test_too_many_pixels_are_refused_and_the_scale_is_named(
    client: TestClient, four: bytes, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "MOST_PIXELS", 120_000)
    assert post(client, path, four).status_code == 200
    response = post(client, path, four, zoom=32)
    assert response.status_code == 422
    assert "120,000 is the most" in response.json()["detail"] and "zoom=" in response.json()["detail"]


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        ({}, RenderOptions()),
        ({"signed": "rdbu"}, RenderOptions(signed=Colormap.RDBU)),
        ({"colormap": "magma"}, RenderOptions(Colormap.MAGMA, signed=None)),
        ({"colormap": "magma", "signed": "rdbu"}, RenderOptions(Colormap.MAGMA, Colormap.RDBU)),
    ],
    ids=str,
)
def test_layers_with_negative_values_have_colours_of_their_own(
    client: TestClient, network: Network, four: bytes, fields: dict[str, str], options: RenderOptions
) -> None:
    forward = network.run(preprocess(four, network.card))
    assert forward.activations["conv2"].min() < 0
    (view,) = [each for each in explore(network, forward, options).layers if each.layer.name == "conv2"]
    assert post(client, GRID, four, **fields).content == view.grid.png


def test_colours_that_there_are_not_are_refused(client: TestClient, four: bytes) -> None:
    response = post(client, GRID, four, signed="pink")
    assert response.status_code == 422
    assert response.json()["detail"].startswith("“signed”: ")


@pytest.mark.parametrize("pooling", [None, "min"])
@pytest.mark.parametrize("channel", [0, 19])
def test_a_map_s_values_are_read_back_as_the_same_floats(
    client: TestClient, four: bytes, pooling: str | None, channel: int
) -> None:
    arrays = np.load(io.BytesIO(post(client, "digits/activations.npz", four, pooling=pooling).content))
    response = post(client, f"digits/layers/conv2/feature-maps/{channel}.csv", four, pooling=pooling)
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    name = f"digits-{pooling or 'max'}-conv2-map{channel}.csv"
    assert response.headers["content-disposition"] == f'attachment; filename="{name}"'
    values = np.loadtxt(io.StringIO(response.text), delimiter=",", dtype=np.float32)
    np.testing.assert_array_equal(values, arrays["conv2"][:, :, channel])


def test_a_vector_s_values_are_one_row(client: TestClient, four: bytes) -> None:
    arrays = np.load(io.BytesIO(post(client, "digits/activations.npz", four).content))
    text = post(client, "digits/layers/answer/feature-maps/0.csv", four).text
    assert text.count("\n") == 1
    np.testing.assert_array_equal(np.array(text.split(","), dtype=np.float32), arrays["answer"])


@pytest.mark.parametrize(
    "path", ["conv2/feature-maps/20.csv", "answer/feature-maps/1.csv", "nowhere/feature-maps/0.csv"]
)
def test_values_that_are_not_there_are_refused(client: TestClient, four: bytes, path: str) -> None:
    response = post(client, f"digits/layers/{path}", four)
    assert response.status_code == 404
    assert response.json()["detail"]


def test_any_float_is_written_with_all_its_digits() -> None:
    floats = np.random.default_rng(0).integers(0, 2**32, (3, 40_000), dtype=np.uint32).view(np.float32)
    floats[0, :4] = [np.nan, np.inf, -np.inf, -0.0]
    parts = list(stream_csv(floats[:, :, np.newaxis]))
    assert len(parts) > 1
    read = [np.array(line.split(","), dtype=np.float32) for line in b"".join(parts).decode().splitlines()]
    np.testing.assert_array_equal(np.array(read), floats)
    assert np.signbit(read[0][3])


@pytest.mark.parametrize("zoom", [1, 4])
def test_the_whole_network_is_one_picture(client: TestClient, network: Network, four: bytes, zoom: int) -> None:
    """Every layer's own picture is found in it, at its place, on white."""
    sheet = decode_rgba(post(client, NETWORK, four, zoom=zoom).content)
    assert (sheet[..., 3] == 255).all()
    exploration = explore(network, network.run(preprocess(four, network.card)), RenderOptions())
    assert len(exploration.layers) == len(network.layers)
    top = 0
    for view in exploration.layers:
        picture = decode_rgba(view.grid.png)
        rows = zoom if view.layer.is_spatial else max(zoom, 8)
        expected = picture.repeat(rows, axis=0).repeat(zoom, axis=1)
        expected = np.where(expected[..., 3:] == 0, np.uint8(255), expected)
        top = find(sheet, expected, left=8, top=top) + len(expected)


def find(sheet: np.ndarray, picture: np.ndarray, left: int, top: int) -> int:
    """The row from which on a picture stands in a sheet."""
    height, width = picture.shape[:2]
    for row in range(top, len(sheet) - height + 1):
        if (sheet[row : row + height, left : left + width] == picture).all():
            return row
    raise AssertionError("it is not there")


def test_layers_of_the_network_s_picture_can_be_named(client: TestClient, four: bytes) -> None:
    whole = decode_rgba(post(client, NETWORK, four).content)
    some = decode_rgba(post(client, NETWORK, four, layers=["pool2", "conv1"]).content)
    assert len(some) < len(whole)
    response = post(client, NETWORK, four, layers=["pool2", "nowhere"])
    assert (response.status_code, "nowhere" in response.json()["detail"]) == (404, True)


@pytest.mark.parametrize("model", ["picture", "branches", "logistic", "a-plain"])
@pytest.mark.parametrize("scale", ["layer", "map"])
def test_any_network_has_a_picture(client: TestClient, four: bytes, model: str, scale: str) -> None:
    response = post(client, f"{model}/network.png", four, scale=scale, columns=4)
    assert response.status_code == 200
    assert decode_rgba(response.content).size


def test_a_sheet_has_room_for_labels_and_pictures() -> None:
    dot = encode(Image.new("RGB", (2, 1), (255, 0, 0)))
    items = [Item("a label that is wider than its picture", 20, 30), Item("")]
    sheet = decode_rgba(b"".join(draw_sheet(items, [dot, None])))
    assert sheet.shape[1::-1] == measure_sheet(items)
    red = (sheet == (255, 0, 0, 255)).all(axis=2)
    rows, columns = np.nonzero(red)
    assert red.sum() == 20 * 30 and (int(np.ptp(rows)), int(np.ptp(columns))) == (29, 19)
    assert (sheet[: rows.min(), :, :3] < 128).any(), "there is no label above it"


def test_an_empty_sheet_of_paper_is_run_where_it_is_asked_for(client: TestClient) -> None:
    paper = encode(Image.new("L", (280, 280), 255))
    assert post(client, "digits/prediction", paper).status_code == 422
    assert post(client, "digits/prediction", paper, blank="true").status_code == 200
    response = post(client, "digits/prediction", paper, blank="perhaps")
    assert (response.status_code, "“blank”" in response.json()["detail"]) == (422, True)
