import io
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from app.main import create_app
from app.settings import Settings, count_cores
from tests.pictures import encode

PREDICTION = "/api/models/digits/prediction"
README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_in_the_readme(name: str) -> None:
    assert f"`{name.upper()}`" in README or f"`LAYERGLASS_{name.upper()}`" in README


def test_as_many_computations_as_cores() -> None:
    assert Settings().computations == count_cores() >= 1


def small(app: Any, **limits: Any) -> TestClient:
    made = create_app(Settings(allowed_hosts="testserver", **limits))
    made.state.library = app.state.library
    return TestClient(made)


@pytest.mark.parametrize(
    ("limits", "detail"),
    [
        ({"max_side": 100}, "The drawing has 200×50 pixels; at most 100×100 are read. Send a smaller picture."),
        ({"max_drawing": 2000}, "The drawing has 30,054 bytes; at most 2,000 are read. Send a smaller picture."),
    ],
    ids=str,
)
def test_a_smaller_drawing_can_be_the_most(client: TestClient, app: Any, limits: dict[str, int], detail: str) -> None:
    drawing = encode(Image.new("RGB", (200, 50)), "BMP")
    response = small(app, **limits).post(PREDICTION, files={"drawing": io.BytesIO(drawing)})
    assert (response.status_code, response.json()["detail"]) == (413, detail)


def test_a_form_may_be_allowed_less(client: TestClient, app: Any) -> None:
    fields = {f"field{number}": "1" for number in range(17)}
    response = small(app, max_fields=16).post(PREDICTION, data=fields, files={"drawing": b""})
    assert response.status_code == 400
    assert "Too many fields" in response.json()["detail"]
