"""Edits of a network over the API and in a page's address."""

import keras
import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.explore.forward_passes import preprocess
from app.library.library import Library
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
