"""The REST API of "why this answer"."""

import io

import numpy as np
import pytest
from fastapi.testclient import TestClient

PATH = "/api/models/digits/contributions"


@pytest.mark.parametrize("pooling", [None, "max", "average", "min"])
def test_every_layer_sums_to_the_difference_of_two_logits(client: TestClient, four: bytes, pooling: str | None) -> None:
    form = {"target": "7", "against": "4", "most": "3"} | ({"pooling": pooling} if pooling else {})
    answer = client.post(PATH, files={"drawing": four}, data=form).json()
    assert (answer["target"], answer["against"], answer["stopped"]) == ("7", "4", None)
    assert [each["layer"] for each in answer["layers"]][:2] == [None, "conv1"]
    for each in answer["layers"]:
        assert each["sum"] == pytest.approx(answer["number"], rel=1e-9)
        terms = ("total", "beside", "bias_after", "left_over_after", "rounding_after")
        assert sum(each[name] for name in terms) == pytest.approx(each["sum"], rel=1e-9)
        assert abs(each["rounding_after"]) <= answer["rounding"] < 1e-5
        assert len(each["cells"]) == 3
        sizes = [abs(cell["contribution"]) for cell in each["cells"]]
        assert sizes == sorted(sizes, reverse=True)


def test_the_arrays_hold_what_each_cell_contributes(client: TestClient, four: bytes) -> None:
    form = {"target": "7", "layers": "pool1"}
    terms = client.post(PATH, files={"drawing": four}, data=form).json()["layers"]
    total = next(each["total"] for each in terms if each["layer"] == "pool1")
    arrays = np.load(io.BytesIO(client.post(f"{PATH}.npz", files={"drawing": four}, data=form).content))
    assert arrays.files == ["pool1"]
    assert arrays["pool1"].sum(dtype=np.float64) == pytest.approx(total, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize(
    ("model", "form", "status", "words"),
    [
        ("digits", {"target": "eleven"}, 422, "no class “eleven”"),
        ("digits", {"target": "3", "against": "3"}, 422, "with itself"),
        ("digits", {"layers": "nowhere"}, 404, "no layer “nowhere”"),
        ("picture", {}, 422, "answers with a picture"),
    ],
)
def test_what_cannot_be_explained_is_refused(
    client: TestClient, four: bytes, model: str, form: dict[str, str], status: int, words: str
) -> None:
    answer = client.post(f"/api/models/{model}/contributions", files={"drawing": four}, data=form)
    assert answer.status_code == status
    assert words in answer.json()["detail"]
