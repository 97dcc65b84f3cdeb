import io
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.attribution.attribution import attribute
from app.attribution.case import Settings
from app.attribution.method import METHODS
from app.explore.forward_passes import preprocess
from app.library.library import Library
from tests.pictures import decode_rgba

PATH = "/api/models/{}/attributions/{}"


def post(client: TestClient, four: bytes, method: str, model: str = "digits", **form: Any) -> Any:
    return client.post(PATH.format(model, method), files={"drawing": four}, data=form)


def test_every_method_says_what_it_can_and_cannot_say(client: TestClient) -> None:
    listed = client.get("/api/attributions").json()
    assert [each["name"] for each in listed] == list(METHODS)
    assert all(each["can"].endswith(".") and each["cannot"].endswith(".") for each in listed)


@pytest.mark.parametrize("method", METHODS)
def test_the_answer_is_the_service_s(client: TestClient, library: Library, four: bytes, method: str) -> None:
    form = {"target": "3", "seed": "5", "patch_rows": "9", "patch_columns": "8", "stride": "7", "steps": "6"}
    layer = "conv2" if "cam" in method else None
    answer = post(client, four, method, **form, **({"layer": layer} if layer else {})).json()
    network = library.network("digits")
    forward = network.run(preprocess(four, network.card))
    settings = Settings(layer, np.zeros_like(forward.image), 6, (9, 8), 7)
    found = attribute(network, forward, METHODS[method], "3", None, settings, 5)
    np.testing.assert_allclose(answer["values"], found.map, rtol=1e-5)
    assert answer["number"] == pytest.approx(found.number)
    assert answer["completeness_error"] == pytest.approx(answer["total"] - answer["expected"])
    assert found.randomisation is not None
    assert answer["randomisation"] == {"seed": 5, "correlation": pytest.approx(found.randomisation.correlation)}


def test_the_picture_has_a_pixel_a_cell(client: TestClient, four: bytes) -> None:
    answer = post(client, four, "hires-cam.png", layer="pool1", signed="rdbu", zoom="3")
    assert answer.headers["content-type"] == "image/png"
    assert decode_rgba(answer.content).shape[:2] == (39, 39)


def test_the_arrays_are_downloaded(client: TestClient, four: bytes) -> None:
    arrays = np.load(io.BytesIO(post(client, four, "gradient-x-input.npz", layer="conv1", target="2").content))
    assert arrays["attribution"].shape == arrays["values"].shape == (26, 26, 4)
    answer = post(client, four, "gradient-x-input", layer="conv1", target="2", check="false").json()
    assert answer["randomisation"] is None
    assert arrays["attribution"].sum(dtype=np.float64) == pytest.approx(answer["total"])


@pytest.mark.parametrize("baseline", ["paper", "zero", "mean"])
def test_a_baseline_is_taken_from_the_sum(client: TestClient, four: bytes, baseline: str) -> None:
    answer = post(client, four, "integrated-gradients", baseline=baseline, check="false", steps="100").json()
    assert answer["total"] == pytest.approx(answer["expected"], rel=0.05, abs=0.05)


def test_bad_requests_are_refused_with_a_sentence(client: TestClient, four: bytes) -> None:
    def refusal(method: str, model: str = "digits", **form: str) -> tuple[int, str]:
        answer = post(client, four, method, model, **form)
        return answer.status_code, answer.json()["detail"]

    status, sentence = refusal("lime")
    assert status == 404 and "no attribution method “lime”" in sentence
    status, sentence = refusal("occlusion", patch_rows="40")
    assert status == 422 and "does not fit in the image" in sentence
    status, sentence = refusal("saliency", target="cat")
    assert status == 422 and "no class “cat”" in sentence
    status, sentence = refusal("grad-cam", layer="answer")
    assert status == 422 and "has no maps" in sentence
    status, sentence = refusal("saliency", layer="nothing")
    assert status == 404 and "no layer “nothing”" in sentence
    status, sentence = refusal("saliency", model="picture")
    assert status == 422 and "answers with a picture" in sentence
    assert refusal("saliency", steps="0")[0] == 422
