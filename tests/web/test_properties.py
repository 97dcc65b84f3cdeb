"""Whatever is sent, the answer is an answer: never a server's error, and of refusals a sentence."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.main import create_app
from app.settings import Settings
from tests.pictures import draw_four, encode, four_png

# The client is shared by all examples, which is what it is for.
shared = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])

PICTURES = [encode(draw_four(40), format) for format in ("PNG", "JPEG", "WEBP", "GIF", "BMP")]
MODELS = st.sampled_from(["digits", "branches", "logistic", "picture"])
LAYERS = st.sampled_from(["conv1", "pool1", "answer", "trunk"]) | st.text(max_size=20)
FORM = "multipart/form-data; boundary=x"


def cut_and_patched(picture: bytes, end: int, at: int, patch: bytes) -> bytes:
    at %= len(picture)
    return (picture[:at] + patch + picture[at + len(patch) :])[: end % len(picture) + 1]


broken = st.builds(
    cut_and_patched, st.sampled_from(PICTURES), st.integers(0, 10_000), st.integers(0, 10_000), st.binary(max_size=8)
)
drawings = st.binary(max_size=200) | broken

# Half of all values are ones that are taken somewhere, so that others beside them are reached.
words = st.sampled_from(
    ["max", "min", "digits", "conv1", "layer", "map", "viridis", "true", "0", "-1", "64", "1e9", ""]
)
values = words | st.text(max_size=30) | st.integers().map(str) | st.floats().map(str)
FIELDS = """
    model pooling weights colormap scale columns layer channel row column precise everything invert differences card_of
    listed shown
"""
forms = st.dictionaries(st.sampled_from(FIELDS.split()), values, max_size=6)

numbers = st.integers() | st.floats()
leaves = st.none() | st.booleans() | numbers | st.text(max_size=20)
trees = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner))


# What some key of a card takes
taken: st.SearchStrategy[object] = st.sampled_from(
    ["fit", "fill", "stretch", "original", "digit", "dark", "logits", "values", "bgr", "max"]
)
taken |= st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=3)
taken |= st.lists(st.text(max_size=9), min_size=3, max_size=3)


def assert_answered(response: Response) -> None:
    """With what was asked for, or with a sentence that says why not."""
    assert response.status_code < 500, response.text
    if response.status_code >= 400 and response.headers["content-type"] == "application/problem+json":
        assert response.json()["detail"].strip()


@shared
@given(drawings, MODELS)
def test_any_bytes_as_a_drawing(client: TestClient, drawing: bytes, model: str) -> None:
    assert_answered(client.post(f"/api/models/{model}/feature-maps", files={"drawing": drawing}))
    assert_answered(client.post("/exploration", files={"drawing": drawing}, data={"model": model}))
    assert_answered(client.post("/live", params={"model": model}, content=drawing))


@shared
@given(forms, MODELS)
def test_any_form(client: TestClient, fields: dict[str, str], model: str) -> None:
    files = {"drawing": four_png()}
    paths = (f"/api/models/{model}/feature-maps", f"/api/models/{model}/comparison")
    for path in (*paths, "/exploration", "/microscope", "/comparison"):
        assert_answered(client.post(path, files=files, data=fields))
    assert_answered(client.post("/live", params=fields, content=four_png()))


@shared
@given(forms)
def test_any_address(client: TestClient, query: dict[str, str]) -> None:
    assert_answered(client.get("/", params=query))
    assert_answered(client.get("/compare", params=query))


@shared
@given(MODELS, LAYERS, st.integers() | st.text(max_size=8), st.integers(), st.integers())
def test_any_cell(client: TestClient, model: str, layer: str, channel: Any, row: int, column: int) -> None:
    maps = f"/api/models/{model}/layers/{layer_path(layer)}"
    cell = f"{maps}/feature-maps/{layer_path(str(channel))}/cells/{row},{column}"
    assert_answered(client.post(cell, files={"drawing": four_png()}))
    assert_answered(client.get(f"{maps}/kernels/{layer_path(str(channel))}.png"))


def layer_path(name: str) -> str:
    """A name as it is written in a path; dots alone would be taken for folders by the client."""
    return "".join(f"%{byte:02X}" for byte in name.encode("utf-8", "surrogatepass")) or "%20"


@shared
@given(st.binary(max_size=300))
def test_any_body(client: TestClient, body: bytes) -> None:
    for content_type in (FORM, "application/json", "text/plain"):
        headers = {"content-type": content_type}
        assert_answered(client.post("/api/models/digits/prediction", content=body, headers=headers))


@pytest.fixture
def own(built_in: Path, mine: Path, opened: list[str]) -> Iterator[TestClient]:
    """The app with a model of one's own, whose card may be changed."""
    app = create_app(Settings(built_in_models=built_in, model=(mine,)))
    with TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False) as client:
        yield client


@shared
@given(st.data())
def test_any_card(own: TestClient, mine: Path, data: st.DataObject) -> None:
    path = f"/api/models/{mine.stem}"
    card = own.get(f"{path}/card").json()
    sent = data.draw(trees | st.builds(with_value, st.just(card), st.sampled_from(sorted(card)), trees | taken))
    body = json.dumps(sent).encode()  # NaN and Infinity included, which are no JSON
    assert_answered(own.put(f"{path}/card", content=body, headers={"content-type": "application/json"}))
    assert_answered(own.post(f"{path}/feature-maps", files={"drawing": four_png()}))
    assert_answered(own.get("/", params={"model": mine.stem}))


def with_value(card: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    return card | {key: value}
