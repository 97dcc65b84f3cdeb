import asyncio
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.explore.forward_passes import preprocess
from app.explore.inspection import feature_map_kernel
from app.hosting.metrics import RUNNING
from app.library.library import Library

BASE = "/api/models/digits/layers"


def post(client: TestClient, four: bytes, path: str, **form: str) -> dict[str, Any]:
    answer = client.post(f"{BASE}/{path}", files={"drawing": four}, data=form)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_convolutions_json_adds_up_to_the_networks_value(client: TestClient, library: Library, four: bytes) -> None:
    network = library.network("digits")
    activation = network.run(preprocess(four, network.card)).activations["conv2"]
    answer = post(client, four, "conv2/feature-maps/7/cells/0,3")
    cell = answer["cell"]
    assert cell["arithmetic"] == "convolution"
    partials = [np.sum(np.multiply(term["inputs"], term["kernel"])) for term in cell["terms"]]
    np.testing.assert_allclose([term["partial_sum"] for term in cell["terms"]], partials, atol=1e-12)
    assert sum(partials) + cell["bias"] == pytest.approx(cell["pre_activation"])
    assert cell["pre_activation"] == pytest.approx(answer["value"], abs=1e-5)
    assert answer["value"] == activation[0, 3, 7]
    assert answer["receptive_field"] == answer["receptive_fields"]["input"]
    assert answer["receptive_fields"]["pool1"] == cell["window"] == [-1, 1, 2, 6]


@pytest.mark.parametrize("mode", ["max", "average", "min"])
def test_poolings_json_has_all_three_values(client: TestClient, four: bytes, mode: str) -> None:
    answer = post(client, four, "pool2/feature-maps/0/cells/5,5", pooling=mode)
    cell = answer["cell"]
    inside = [value for row in cell["inputs"] for value in row if value is not None]
    assert (cell["maximum"], cell["minimum"]) == (max(inside), min(inside))
    assert cell["average"] == pytest.approx(np.mean(inside))
    assert answer["pooling"] == cell["mode"] == mode
    assert answer["value"] == pytest.approx(
        {"max": max(inside), "average": np.mean(inside), "min": min(inside)}[mode], abs=1e-6
    )


def test_a_unit_of_a_vector_is_row_0_of_channel_0(client: TestClient, four: bytes) -> None:
    answer = post(client, four, "answer/feature-maps/0/cells/0,7")
    shares = answer["cell"]["softmax"]
    assert shares["exponentials"][7] / shares["total"] == pytest.approx(answer["value"], abs=1e-6)
    assert answer["receptive_field"] == [0, 0, 28, 28]


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("conv1/feature-maps/9/cells/0,0", "It has 0 to 3"),
        ("conv1/feature-maps/0/cells/26,0", "rows 0 to 25"),
        ("conv9/feature-maps/0/cells/0,0", "It has: conv1"),
        ("answer/feature-maps/1/cells/0,0", "It has 0 only"),
    ],
)
def test_outside_of_the_model_is_404_with_the_range(client: TestClient, four: bytes, path: str, sentence: str) -> None:
    answer = client.post(f"{BASE}/{path}", files={"drawing": four})
    assert answer.status_code == 404
    assert sentence in answer.json()["detail"]


def test_kernels_as_numbers_and_as_a_picture(client: TestClient, library: Library) -> None:
    answer = client.get(f"{BASE}/conv2/kernels/3").json()
    stored = library.network("digits").weights(library.network("digits").layer("conv2"))
    np.testing.assert_array_equal(
        np.asarray(answer["kernels"], dtype=np.float32), stored["kernel"][:, :, :, 3].transpose(2, 0, 1)
    )
    picture = client.get(f"{BASE}/conv2/kernels/3.png")
    assert picture.headers["content-type"] == "image/png"
    assert picture.content.startswith(b"\x89PNG")
    assert client.get(f"{BASE}/pool1/kernels/0").status_code == 404
    assert client.get(f"{BASE}/conv2/kernels/99.png").status_code == 404


def test_the_page_shows_the_panel_in_a_place_of_its_own(client: TestClient, four: bytes) -> None:
    form = {"model": "digits", "layer": "conv2", "channel": "3"}
    page = client.post("/exploration", files={"drawing": four}, data=form).text
    assert page.count('id="microscope"') == 1
    assert page.index('hx-target="#stage"') < page.index('id="microscope"')


@pytest.mark.parametrize("layer", ["conv1", "conv2", "pool1", "pool2", "flatten", "dropout", "answer"])
@pytest.mark.parametrize("more", [{}, {"precise": "true", "everything": "true"}])
def test_the_panel_renders_for_every_kind_of_layer(
    client: TestClient, four: bytes, layer: str, more: dict[str, str]
) -> None:
    answer = client.post("/microscope", files={"drawing": four}, data={"model": "digits", "layer": layer, **more})
    assert answer.status_code == 200
    assert f"<h2>{layer}" in answer.text


@pytest.mark.parametrize("form", [{"layer": "nope"}, {"layer": "conv1", "channel": "99"}, {}])
def test_a_place_that_the_model_has_not_shows_no_panel(client: TestClient, four: bytes, form: dict[str, str]) -> None:
    answer = client.post("/exploration", files={"drawing": four}, data={"model": "digits", **form})
    assert answer.status_code == 200
    assert 'id="microscope"' not in answer.text


def test_kernels_that_are_too_large_are_refused_with_their_size(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.cnn.errors.MOST_NUMBERS", 59)
    for path in ("kernels/3", "kernels/3.png"):
        answer = client.get(f"{BASE}/conv2/{path}")
        assert answer.status_code == 422
        assert "reads 60 numbers; it is shown for 59 at most" in answer.json()["detail"]


def test_kernels_of_very_many_numbers_are_not_written_out(
    client: TestClient, four: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.explore.microscope.terms._MOST_KERNEL_CELLS", 8)
    for path in ("/exploration", "/compared-cell"):
        fields = {"model": "digits", "layer": "conv2", "channel": "1"}
        response = client.post(path, files={"drawing": four}, data=fields)
        assert response.status_code == 200
        assert "more numbers than can be shown here" in response.text


def test_a_cell_that_reads_too_much_has_a_reason(
    client: TestClient, four: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.cnn.errors.MOST_NUMBERS", 59)
    answer = post(client, four, "conv2/feature-maps/7/cells/0,3")
    assert answer["cell"] is None
    assert answer["reason"] == "The arithmetic here reads 60 numbers; it is shown for 59 at most."
    page = client.post("/microscope", files={"drawing": four}, data={"model": "digits", "layer": "conv2"}).text
    assert answer["reason"] in page


def test_a_large_window_is_answered_without_its_values(
    client: TestClient, four: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = post(client, four, "pool2/feature-maps/0/cells/5,5")["cell"]
    monkeypatch.setattr("app.cnn.kinds.pooling.MOST_NUMBERS", 8)
    assert post(client, four, "pool2/feature-maps/0/cells/5,5")["cell"] == {
        **small,
        "inputs": None,
        "average": pytest.approx(small["average"]),
    }
    page = client.post("/microscope", files={"drawing": four}, data={"model": "digits", "layer": "pool2"}).text
    assert "A window of 9 values." in page


@pytest.mark.parametrize("path", ["kernels/3", "kernels/3.png"])
def test_kernels_are_computed_in_a_turn_and_not_in_the_event_loop(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    turns: list[bool] = []

    def look(*arguments: Any) -> Any:
        (running,) = RUNNING.collect()
        turns.append(running.samples[0].value == 1)
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        return feature_map_kernel(*arguments)

    monkeypatch.setattr("app.web.api.feature_map_kernel", look)
    assert client.get(f"{BASE}/conv2/{path}").status_code == 200
    assert turns == [True]
