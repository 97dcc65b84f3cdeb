"""Layers whose outputs are no maps and no vector: rows of features, and more axes. Each is shown, nothing fails."""

import io
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
from fastapi.testclient import TestClient
from keras import layers

from app.main import create_app
from app.settings import Settings
from tests.small_models import with_random_weights

STEPS, CLASSES = 5, 3


def build_reader(scale: float = 1.0) -> keras.Model:
    """A network that reads a line, a class for each column. scale: twice, of what is read last."""
    image = keras.Input((12, 12, 1), name="image")
    x = layers.Conv2D(4, 3, activation="relu", name="input")(image)
    x = layers.MaxPooling2D(name="pool")(x)
    x = layers.Reshape((5, 5, 2, 2), name="axes")(x)
    x = layers.Permute((2, 1, 3, 4), name="turned")(x)
    x = layers.Reshape((STEPS, 20), name="rows")(x)
    x = layers.Dense(6, activation="relu", name="probabilities")(x)
    x = layers.Rescaling(scale, name="scaled")(layers.Rescaling(scale, name="scaled-first")(x))
    return with_random_weights(keras.Model(image, layers.Dense(CLASSES, activation="softmax", name="answer")(x)))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder: Path = tmp_path_factory.mktemp("shapes")
    build_reader().save(folder / "reader.keras")
    build_reader(1e30).save(folder / "overflowing.keras")
    with TestClient(
        create_app(Settings(models=(folder,), allowed_hosts="testserver")), raise_server_exceptions=False
    ) as made:
        yield made


def activations(client: TestClient, drawing: bytes) -> dict[str, np.ndarray]:
    answer = client.post("/api/models/reader/activations.npz", files={"drawing": drawing})
    with np.load(io.BytesIO(answer.content)) as arrays:
        return dict(arrays)


def test_no_name_of_a_layer_is_lost(client: TestClient, four: bytes) -> None:
    arrays = activations(client, four)
    assert arrays["input"].shape == (10, 10, 4) and arrays["input_"].shape == (12, 12, 1)
    assert arrays["probabilities"].shape == (STEPS, 6)
    np.testing.assert_array_equal(arrays["probabilities_"], arrays["answer"])


def test_every_cell_of_every_layer_is_shown(client: TestClient, four: bytes) -> None:
    for name, output in activations(client, four).items():
        if name.endswith("_"):
            continue
        shape = (output.shape[0], output.shape[1], -1)
        maps = output.reshape(shape)
        for row, column, channel in ((0, 0, 0), tuple(size - 1 for size in maps.shape)):
            path = f"/api/models/reader/layers/{name}/feature-maps/{channel}/cells/{row},{column}"
            cell = client.post(path, files={"drawing": four}).json()
            assert cell["value"] == pytest.approx(float(maps[row, column, channel]), abs=1e-6)
            assert cell["cell"] is not None
            top, left, bottom, right = cell["receptive_field"]
            assert top < bottom and left < right
            form = {"model": "reader", "layer": name, "channel": channel, "row": row, "column": column}
            assert client.post("/microscope", files={"drawing": four}, data=form).status_code == 200
        for picture in ("feature-maps.png", "feature-maps/0.png"):
            assert (
                client.post(f"/api/models/reader/layers/{name}/{picture}", files={"drawing": four}).status_code == 200
            )


def test_rows_of_classes_are_read_one_by_one(client: TestClient, four: bytes) -> None:
    rows = activations(client, four)["answer"]
    prediction = client.post("/api/models/reader/prediction", files={"drawing": four}).json()
    assert prediction["label"] == "".join(str(row.argmax()) for row in rows)
    assert prediction["probability"] is None
    assert [step["probabilities"] for step in prediction["steps"]] == [pytest.approx(row.tolist()) for row in rows]
    page = client.post("/exploration", files={"drawing": four}, data={"model": "reader"}).text
    assert f"answers in {STEPS} rows" in " ".join(page.split())


@pytest.mark.parametrize("path", ["/exploration", "/comparison"])
def test_rows_that_are_no_numbers_are_called_so(client: TestClient, four: bytes, path: str) -> None:
    prediction = client.post("/api/models/overflowing/prediction", files={"drawing": four}).json()
    assert {step["probability"] for step in prediction["steps"]} == {None}
    page = client.post(path, files={"drawing": four}, data={"model": "overflowing"})
    assert page.status_code == 200
    assert "answer is not a number" in " ".join(page.text.split())


@pytest.mark.parametrize("path", ["/", "/compare"])
def test_its_pages_open(client: TestClient, path: str) -> None:
    assert client.get(path, params={"model": "reader", "layer": "rows"}).status_code == 200
