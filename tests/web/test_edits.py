"""Edits of a network over the API and in a page's address."""

import json
from io import BytesIO
from pathlib import Path

import keras
import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.datasets.digits import DigitSet
from app.explore.evaluation import to_image
from app.explore.forward_passes import preprocess
from app.library.library import Library
from app.main import create_app
from app.model_files.loading import load_model
from app.settings import Settings
from tests.small_models import build_branches
from tests.web.test_api import post


def test_a_drawing_runs_through_the_edited_network(client: TestClient, library: Library, four: bytes) -> None:
    network = library.network("digits")
    model = keras.models.load_model(library.entry("digits").file.path)
    kernel, bias = model.get_layer("conv1").get_weights()
    kernel[..., 3], bias[3], bias[1] = 0, 0, 0.5
    model.get_layer("conv1").set_weights([kernel, bias])
    expected = model(preprocess(four, network.card)[np.newaxis]).numpy()[0]

    answer = post(client, "digits/prediction", four, edits="mute:conv1.3;bias:conv1.1=0.5").json()
    found = {each["label"]: each["probability"] for each in answer["probabilities"]}
    np.testing.assert_allclose([found[label] for label in network.card.classes], expected, atol=1e-4)
    as_trained = post(client, "digits/prediction", four).json()
    assert as_trained["probabilities"] != answer["probabilities"]  # the model itself is as it was
    assert answer["confidence"] is None is not as_trained["confidence"]


def test_edits_are_told_in_words_and_written_as_short_as_can_be(client: TestClient) -> None:
    response = client.post("/api/models/digits/edits", data={"edits": " mute:conv1.3; bias:conv1.1=0.50;"})
    assert response.status_code == 200
    assert response.json() == {
        "model": "digits",
        "edits": "mute:conv1.3;bias:conv1.1=0.5",
        "words": ["conv1 map 3 muted", "conv1 map 1 has the bias 0.5"],
    }


@pytest.mark.parametrize("path", ["edits", "prediction", "feature-maps"])
def test_an_edit_that_cannot_be_made_is_refused(path: str, client: TestClient, four: bytes) -> None:
    response = post(client, f"digits/{path}", four, edits="mute:conv1.99")
    assert response.status_code == 422
    assert response.json()["detail"] == "“conv1” has no map 99. It has maps 0 to 3."


def test_the_page_opens_with_the_edits_in_its_address(client: TestClient) -> None:
    whole = client.get("/", params={"model": "digits"}).text
    edited = client.get("/", params={"model": "digits", "edits": "solo:conv1.0"}).text
    assert edited != whole
    assert client.get("/", params={"model": "digits", "edits": "solo:nowhere.0"}).status_code == 422


def test_an_edited_model_is_saved_as_keras_opens_it(
    client: TestClient, library: Library, four: bytes, tmp_path: Path
) -> None:
    edits = "mute:conv1.3;bias:conv1.1=0.5;pooling:pool1=average"
    answer = client.post("/api/models/digits/edits.keras", data={"edits": edits, "pooling": "min"})
    assert answer.headers["Content-Disposition"] == 'attachment; filename="digits-edited.keras"'
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    path = tmp_path / "edited.keras"
    path.write_bytes(answer.content)
    network = library.network("digits")
    found = keras.models.load_model(path)(preprocess(four, network.card)[np.newaxis]).numpy()[0]

    shown = post(client, "digits/prediction", four, edits=edits, pooling="min").json()
    by_label = {each["label"]: each["probability"] for each in shown["probabilities"]}
    np.testing.assert_allclose(found, [by_label[label] for label in network.card.classes], atol=1e-4)
    assert load_model(path).labels is not None  # the classes' names go along


def test_an_uploaded_model_is_saved_with_its_edits(tmp_path: Path, built_in: Path) -> None:
    model = build_branches()
    model.save(tmp_path / "mine.keras")
    image = np.random.default_rng(4).random((1, 20, 24, 1), dtype=np.float32)
    with TestClient(
        create_app(Settings(built_in_models=built_in, models=(tmp_path,), allowed_hosts="testserver"))
    ) as client:
        answer = client.post("/api/models/mine/edits.keras", data={"edits": "bias:trunk.1=-2"})
    (tmp_path / "edited.keras").write_bytes(answer.content)
    kernel, bias = model.get_layer("trunk").get_weights()
    bias[1] = -2
    model.get_layer("trunk").set_weights([kernel, bias])
    found = keras.models.load_model(tmp_path / "edited.keras")(image).numpy()
    np.testing.assert_allclose(found, model(image).numpy(), atol=1e-4)


def test_a_cell_of_an_uploaded_model_is_set_by_its_worker(tmp_path: Path, built_in: Path, four: bytes) -> None:
    build_branches().save(tmp_path / "mine.keras")
    edits = "cell:left_max.0.1.2=3;cell:answer.2=0.25;mute:mixed.1"
    settings = Settings(built_in_models=built_in, models=(tmp_path,), allowed_hosts="testserver")
    with TestClient(create_app(settings)) as client:
        arrays = np.load(BytesIO(post(client, "mine/activations.npz", four, edits=edits).content))
        answer = client.post("/api/models/mine/edits.keras", data={"edits": edits})
        cell = post(client, "mine/layers/left_max/feature-maps/0/cells/1,2", four, edits=edits).json()
    assert arrays["left_max"][1, 2, 0] == 3 and arrays["answer"][2] == 0.25
    assert cell["value"] == 3 and "set by hand" in str(cell)
    (tmp_path / "edited.keras").write_bytes(answer.content)
    found = keras.models.load_model(tmp_path / "edited.keras")(arrays["input"][np.newaxis]).numpy()[0]
    np.testing.assert_allclose(found, arrays["answer"], atol=1e-4)


def test_a_model_that_keras_has_no_layers_for_is_not_saved(tmp_path: Path, built_in: Path) -> None:
    image = keras.Input((8, 8, 1))
    keras.Model(image, keras.layers.Flatten()(keras.ops.square(image))).save(tmp_path / "mine.keras")
    with TestClient(
        create_app(Settings(built_in_models=built_in, models=(tmp_path,), allowed_hosts="testserver"))
    ) as client:
        answer = client.post("/api/models/mine/edits.keras")
    assert answer.status_code == 422 and "for which Keras has no layer" in answer.json()["detail"]


def test_a_file_of_edits_goes_where_edits_go(client: TestClient, four: bytes) -> None:
    edits = "mute:conv1.3;bias:conv1.1=0.5"
    file = client.post("/api/models/digits/edits.json", data={"edits": edits})
    assert file.headers["Content-Disposition"] == 'attachment; filename="digits-edits.json"'
    assert file.json()["edits"] == edits.split(";") and file.json()["model"] == "digits"
    assert client.post("/api/models/digits/edits", data={"edits": file.text}).json()["edits"] == edits
    by_file, by_text = (post(client, "digits/prediction", four, edits=each).json() for each in (file.text, edits))
    assert by_file == by_text


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"fingerprint": "0" * 32, "model": "mine"}, "These edits were made in “mine”, and this is “digits”"),
        ({"fingerprint": "0" * 32}, "These edits were made in another version of it, and this is “digits”"),
        ({"fingerprint": None, "model": "mine"}, "These edits were made in “mine”, and this is “digits”."),
        ({"edits": ["mute:conv1.99"]}, "“conv1” has no map 99."),
        ({"edits": "mute:conv1.3"}, "This is no file of edits: input should be a valid array at “edits”."),
        ({"other": 1}, "This is no file of edits: extra inputs are not permitted at “other”."),
        ({"edits": ["mute:conv1.3"] * 5_000}, "list should have at most 2000 items"),
    ],
)
def test_a_file_of_edits_that_does_not_fit_is_refused(
    client: TestClient, change: dict[str, object], problem: str
) -> None:
    file = client.post("/api/models/digits/edits.json", data={"edits": "mute:conv1.3"}).json()
    answer = client.post("/api/models/digits/edits", data={"edits": json.dumps(file | change)})
    assert answer.status_code == 422 and problem in answer.json()["detail"]


def test_a_file_of_edits_of_a_like_model_with_other_weights_is_refused(client: TestClient) -> None:
    file = client.post("/api/models/digits/edits.json", data={"edits": "mute:conv1.3"}).text
    answer = client.post("/api/models/digits-min/edits", data={"edits": file})
    assert answer.status_code == 422 and "its layers or weights are others" in answer.json()["detail"]
    broken = client.post("/api/models/digits/edits", data={"edits": file[:20]})
    assert broken.status_code == 422 and "This is no file of edits: invalid json" in broken.json()["detail"]


def test_digits_are_read_before_and_after_the_edits(client: TestClient, library: Library) -> None:
    fields = {"count": "60", "edits": "mute:conv1;bias:answer.3=50"}
    found = client.post("/api/models/digits/evaluation", data=fields).json()
    whole = client.post("/api/models/digits/evaluation", data={"count": "60"}).json()
    assert whole["before"] is None
    assert {key: found["before"][key] for key in ("accuracy", "confusion")} == {
        key: whole[key] for key in ("accuracy", "confusion")
    }
    assert sum(row[3] for row in found["confusion"]) == 60  # the bias makes all of them threes

    page = client.get("/digits", params=fields | {"model": "digits"}).text  # remembered by now
    assert "Before and after the edits" in page and "answer unit 3 has the bias 50" in page
    other = client.get("/digits", params=fields | {"model": "digits-min", "edits_of": "digits", "run": "false"})
    assert other.status_code == 200 and "bias" not in other.text  # another model is as it was trained


def test_the_evaluation_of_edits_is_that_of_keras(client: TestClient, library: Library) -> None:
    model = keras.models.load_model(library.entry("digits").file.path)
    kernel, bias = model.get_layer("conv1").get_weights()
    kernel[..., 0], bias[0] = 0, 0
    model.get_layer("conv1").set_weights([kernel, bias])
    digits = DigitSet.TEST.load().take(np.arange(200))
    card = library.network("digits").card
    images = np.stack([to_image(each, card) for each in digits.images])
    answers = model.predict(images, verbose=0).argmax(axis=1)
    found = client.post("/api/models/digits/evaluation", data={"count": "200", "edits": "mute:conv1.0"}).json()
    expected = np.zeros((10, 10), int)
    np.add.at(expected, (digits.labels, answers), 1)
    assert found["confusion"] == expected.tolist()


def test_edits_that_overflow_have_no_accuracy(client: TestClient) -> None:
    edits = "weight:conv1.kernel.0.0.0.0=3e38;weight:conv1.kernel.1.1.0.0=3e38;weight:conv2.kernel.0.0.0.0=-3e38"
    answer = client.post("/api/models/digits/evaluation", data={"count": "30", "edits": edits})
    assert answer.status_code == 422
    assert "not always a number, since the edits make its weights overflow" in answer.json()["detail"]


def test_a_comparison_of_an_edited_network_names_no_accuracy(client: TestClient, four: bytes) -> None:
    whole = post(client, "digits/comparison", four).json()
    edited = post(client, "digits/comparison", four, edits="mute:conv1.3").json()
    keys = ("test_accuracy", "retrained_test_accuracy")
    assert any(mode[key] is not None for mode in whole["modes"] for key in keys)
    assert all(mode[key] is None for mode in edited["modes"] for key in keys)
