"""Models that would take too much for a drawing: a smaller picture, or a sentence."""

import re
from collections.abc import Iterator
from pathlib import Path

import keras
import pytest
from fastapi.testclient import TestClient
from keras import layers

from app.imaging.drawing import draw_strokes
from app.imaging.encoding import encode_image
from app.main import create_app
from app.settings import Settings


@pytest.fixture(scope="module")
def client(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """An app that allows 64 MB, with models of its user's own."""
    folder = tmp_path_factory.mktemp("own")
    image = keras.Input((None, None, 1))
    wide = layers.Conv2D(16, 3, padding="same", name="wide")(image)
    keras.Model(image, layers.MaxPooling2D(name="pool")(wide)).save(folder / "any.keras")
    fixed = keras.Input((700, 700, 1))
    keras.Model(fixed, layers.Conv2D(32, 3)(fixed)).save(folder / "fixed.keras")
    many = keras.Input((1024, 1024, 17))
    keras.Model(many, layers.GlobalAveragePooling2D()(many)).save(folder / "many.keras")
    settings = Settings(built_in_models=models, models=(folder,), allowed_hosts="testserver", run_megabytes=64)
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


def drawing(side: int) -> dict[str, bytes]:
    return {"drawing": encode_image(draw_strokes([[(20, 20), (side - 20, side - 20)]], side, side / 20))}


def shape_of(answer: dict[str, object], layer: int = 0) -> list[int]:
    found: list[int] = answer["layers"][layer]["shape"]  # type: ignore[index]
    return found


def test_a_drawing_that_fits_keeps_its_size(client: TestClient) -> None:
    answer = client.post("/api/models/any/feature-maps", files=drawing(280)).json()
    assert answer["reduction"] is None
    assert shape_of(answer)[0] > 200


def test_a_drawing_that_would_take_too_much_is_made_smaller(client: TestClient) -> None:
    answer = client.post("/api/models/any/feature-maps", files=drawing(1000)).json()
    match = re.fullmatch(
        r"Made (\d) times smaller, from (\d+)×(\d+) pixels: for all of them this model would take [\d,]+ MB of "
        r"memory, and one drawing may take 64 MB\.",
        answer["reduction"],
    )
    assert match is not None
    factor, width, height = map(int, match.groups())
    assert shape_of(answer) == [-(-height // factor), -(-width // factor), 16]


def test_every_pooling_sees_the_same_picture(client: TestClient) -> None:
    comparison = client.post("/api/models/any/comparison", files=drawing(1000))
    assert comparison.status_code == 200, comparison.text
    assert comparison.json()["reduction"].startswith("Made ")
    shapes = {
        tuple(shape_of(client.post("/api/models/any/feature-maps", files=drawing(1000), data={"pooling": mode}).json()))
        for mode in ("max", "average", "min")
    }
    assert len(shapes) == 1


def test_the_page_says_so(client: TestClient) -> None:
    page = client.post("/exploration", files=drawing(1000), data={"model": "any"})
    assert page.status_code == 200 and "Made " in page.text and "times smaller, from" in page.text
    compared = client.post("/comparison", files=drawing(1000), data={"model": "any"})
    assert compared.status_code == 200 and "times smaller, from" in compared.text


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (
            "fixed",
            r"“fixed” would take [\d,]+ MB of memory for an image of 700×700 pixels, .* 64 MB\. Bring a",
        ),
        ("many", r"would take 17,825,792 numbers for an image of 1024×1024 pixels, .* 16,777,216 numbers\. Bring a"),
    ],
)
@pytest.mark.parametrize("path", ["feature-maps", "activations.npz"])
def test_a_model_that_takes_one_size_is_refused(client: TestClient, name: str, says: str, path: str) -> None:
    answer = client.post(f"/api/models/{name}/{path}", files=drawing(280))
    assert answer.status_code == 422
    assert re.search(says, answer.json()["detail"])


def test_the_first_page_of_such_a_model_is_a_page(client: TestClient) -> None:
    page = client.get("/", params={"model": "fixed"})
    assert page.status_code == 422
    assert "would take" in page.text and "<html" in page.text


def test_others_go_on(client: TestClient) -> None:
    assert client.post("/api/models/digits/prediction", files=drawing(280)).status_code == 200
