"""The cloud of digits, as a page and by REST."""

import io
import re

import numpy as np
import pytest
from fastapi.testclient import TestClient

API = "/api/models/digits/layers/answer"
PLACE = "/atlas/cloud/place"


@pytest.fixture(scope="module")
def cloud(client: TestClient) -> str:
    """Run what the page waits for, and return the last fragment of the stream."""
    answer = client.get("/atlas/cloud/run?model=digits&layer=answer")
    first, *_, last = answer.text.strip().split("\n\n")
    assert "hx-partial" in first and "of 1,000 runs" in first
    return "\n".join(line.removeprefix("data: ") for line in last.splitlines())


def test_the_page_runs_by_itself_what_is_not_known_yet(client: TestClient) -> None:
    page = client.get("/atlas/cloud?model=digits&layer=pool2&pooling=min").text
    assert 'hx-get="/atlas/cloud/run?model=digits&amp;pooling=min&amp;layer=pool2"' in page
    assert "data-digit" not in page


def test_each_digit_stands_where_the_api_says(client: TestClient, cloud: str) -> None:
    marks = re.findall(r'x="([-\d.]+)" y="([-\d.]+)" data-digit="(test-\d+)">(\d)<', cloud)
    points = client.get(f"{API}/cloud").json()["points"]
    assert [mark[2:] for mark in marks] == [(each["digit"], str(each["label"])) for each in points]
    shown = np.array([mark[:2] for mark in marks], float)
    placed = np.array([(each["x"], -each["y"]) for each in points])
    # One scale for both axes: all distances are in one proportion.
    scales = np.ptp(shown, axis=0) / np.ptp(placed, axis=0)
    assert scales[0] == pytest.approx(scales[1], rel=1e-2)
    saved = np.load(io.BytesIO(client.get(f"{API}/cloud.npz").content))
    assert np.allclose(saved["points"] * (1, -1), placed, atol=1e-5)


@pytest.mark.usefixtures("cloud")
def test_a_digit_that_is_sent_lies_on_its_own_mark(client: TestClient) -> None:
    page = client.get("/atlas/cloud?model=digits&layer=answer").text
    mark = re.search(r'x="([-\d.]+)" y="([-\d.]+)" data-digit="test-(10)"', page)
    assert mark
    picture = client.get(f"/api/digits/test/{mark[3]}.png").content
    answer = client.post(PLACE, files={"drawing": picture}, data={"model": "digits", "layer": "answer"}).text
    ring = re.search(r'id="cloud-drawing" cx="([-\d.]+)" cy="([-\d.]+)"', answer)
    assert ring and (float(ring[1]), float(ring[2])) == pytest.approx((float(mark[1]), float(mark[2])), abs=0.05)
    assert "Nearest to your drawing" in answer and "data-digit" in answer
    nearest = re.findall(r'href="/atlas/cloud[^"]*digit=(test-\d+)" title', answer)
    asked = client.post("/api/models/digits/nearest", files={"drawing": picture}, data={"layer": "answer"}).json()
    assert nearest == [each["digit"] for each in asked["nearest"]] and nearest[0] == f"test-{mark[3]}"
    assert asked["nearest"][0]["distance"] == pytest.approx(0, abs=1e-4) and asked["digits"] == 1000
    assert asked["share"] == pytest.approx(1) and len(asked["nearest"]) == 9
    shown = re.search(r'name="cloud_of" form="cloud" value="([^"]+)"', answer)
    assert shown
    data = {"model": "digits", "layer": "answer", "cloud_of": shown[1].replace("&amp;", "&")}
    again = client.post(PLACE, files={"drawing": picture}, data=data).text
    assert "data-digit" not in again and ring[0] in again


def test_a_layer_of_another_model_gives_way_to_one_of_this_model(client: TestClient) -> None:
    assert 'value="dense_9"' not in client.get("/atlas/cloud?model=digits&layer=dense_9").text


def test_what_has_no_cloud_says_why(client: TestClient) -> None:
    answer = client.get("/api/models/digits/layers/flatten/cloud")
    assert answer.status_code == 422 and "look at the layer before it" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("data", "status", "sentence"),
    [
        ({"layer": "none"}, 404, "has no layer “none”"),
        ({"layer": "flatten"}, 422, "look at the layer before it"),
        ({"digits": "5"}, 422, "Ask for 100 to 10,000 digits"),
        ({"digits": "3000"}, 422, "2,000 digits at most"),
        ({"count": "0"}, 422, "count"),
    ],
)
def test_what_is_near_cannot_be_found_and_says_why(
    client: TestClient, data: dict[str, str], status: int, sentence: str
) -> None:
    picture = client.get("/api/digits/test/7.png").content
    answer = client.post("/api/models/digits/nearest", files={"drawing": picture}, data=data)
    assert answer.status_code == status and sentence in answer.json()["detail"]
