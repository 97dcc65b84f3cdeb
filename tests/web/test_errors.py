from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any

import keras
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from keras import layers
from PIL import Image

from app.imaging.drawing import MAX_BYTES
from app.main import create_app
from app.settings import Settings
from tests.pictures import four_png, png_claiming
from tests.small_models import card, save

NO_DRAWING = "No drawing was sent: send a picture as the file “drawing” of a multipart/form-data request."
PREDICTION = "/api/models/digits/prediction"
MAX_BODY_SIZE = Settings().max_body
DRAWING = {"drawing": ("drawing.png", four_png(), "image/png")}

DRAWING_ROUTES = pytest.mark.parametrize(
    "path",
    [
        "/api/models/digits/prediction",
        "/api/models/digits/feature-maps",
        "/api/models/digits/layers/conv1/feature-maps.png",
        "/api/models/digits/layers/conv1/feature-maps/0.png",
        "/api/models/digits/activations.npz",
        "/api/picture.png",
    ],
)


def assert_problem(response: Response, status: HTTPStatus, detail: str) -> None:
    """The one shape in which the API says no."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {"title": status.phrase, "status": int(status), "detail": detail}


@DRAWING_ROUTES
def test_without_a_drawing(client: TestClient, path: str) -> None:
    assert_problem(client.post(path), HTTPStatus.UNPROCESSABLE_ENTITY, NO_DRAWING)


@DRAWING_ROUTES
def test_an_empty_drawing(client: TestClient, path: str) -> None:
    response = client.post(path, files={"drawing": ("drawing.png", b"", "image/png")})
    detail = "The drawing is an empty file (0 bytes). Send a picture: PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF."
    assert_problem(response, HTTPStatus.UNPROCESSABLE_ENTITY, detail)


@DRAWING_ROUTES
def test_what_is_no_picture(client: TestClient, path: str) -> None:
    response = client.post(path, files={"drawing": ("drawing.png", b"not a picture", "image/png")})
    detail = "This is not a picture that can be read: PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF."
    assert_problem(response, HTTPStatus.UNPROCESSABLE_ENTITY, detail)


@pytest.mark.parametrize(
    "body",
    [{"data": {"drawing": "a string"}}, {"json": {"drawing": "a string"}}, {"content": four_png()}, {"content": b""}],
    ids=["a string", "JSON", "the bare file", "nothing"],
)
def test_a_drawing_that_is_not_sent_as_a_file(client: TestClient, body: dict[str, Any]) -> None:
    assert_problem(client.post(PREDICTION, **body), HTTPStatus.UNPROCESSABLE_ENTITY, NO_DRAWING)


def test_a_file_under_another_name(client: TestClient) -> None:
    response = client.post(PREDICTION, files={"picture": four_png()})
    assert_problem(response, HTTPStatus.UNPROCESSABLE_ENTITY, NO_DRAWING)


def test_two_drawings(client: TestClient) -> None:
    response = client.post(PREDICTION, files=[("drawing", DRAWING["drawing"])] * 2)
    assert response.status_code == 400
    assert "two files have the same name" in response.json()["detail"]


def test_more_pictures_than_a_model_has_inputs(client: TestClient) -> None:
    response = client.post(PREDICTION, files=[(f"held_{number}", DRAWING["drawing"]) for number in range(17)])
    assert response.status_code == 400
    assert "Too many files" in response.json()["detail"]


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=x"])
def test_a_form_that_cannot_be_taken_apart(client: TestClient, content_type: str) -> None:
    response = client.post(PREDICTION, content=b"no form", headers={"content-type": content_type})
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"].startswith("The request's body cannot be read: ")


def test_too_many_fields(client: TestClient) -> None:
    response = client.post(PREDICTION, files=DRAWING, data={f"field{number}": "1" for number in range(200)})
    assert response.status_code == 400
    assert "Too many fields" in response.json()["detail"]


def test_an_unknown_model(client: TestClient) -> None:
    detail = "There is no model “nine”. There is: digits, a-plain, branches, digits-min, logistic, picture."
    assert_problem(client.get("/api/models/nine"), HTTPStatus.NOT_FOUND, detail)
    assert_problem(client.post("/api/models/nine/prediction", files=DRAWING), HTTPStatus.NOT_FOUND, detail)


@pytest.mark.parametrize("name", ["conv9", "CONV1", "0", "%20", "%3Cscript%3E"])
def test_an_unknown_layer(client: TestClient, name: str) -> None:
    response = client.post(f"/api/models/digits/layers/{name}/feature-maps.png", files=DRAWING)
    assert response.status_code == 404
    assert response.json()["detail"].endswith("It has: conv1, pool1, conv2, pool2, flatten, dropout, answer.")


def test_a_layer_without_feature_maps(client: TestClient) -> None:
    response = client.post("/api/models/digits/layers/answer/feature-maps.png", files=DRAWING)
    detail = "The layer “answer” (Dense) has no feature maps: its output is a vector."
    assert_problem(response, HTTPStatus.NOT_FOUND, detail)


@pytest.mark.parametrize("channel", ["-1", "4", "99999999999999999999"])
def test_a_feature_map_that_is_not_there(client: TestClient, channel: str) -> None:
    response = client.post(f"/api/models/digits/layers/conv1/feature-maps/{channel}.png", files=DRAWING)
    detail = f"The layer “conv1” has no feature map {channel}. It has 0 to 3."
    assert_problem(response, HTTPStatus.NOT_FOUND, detail)


@pytest.mark.parametrize("channel", ["one", "1.5", "0x1", "NaN"])
def test_a_feature_map_s_number_that_is_none(client: TestClient, channel: str) -> None:
    response = client.post(f"/api/models/digits/layers/conv1/feature-maps/{channel}.png", files=DRAWING)
    assert response.status_code == 422
    assert response.json()["detail"].startswith("“channel”: ")
    assert response.json()["detail"].endswith(f"Received: “{channel}”.")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pooling", "median"),
        ("pooling", "MAX"),
        ("colormap", "jet"),
        ("scale", "log"),
        ("columns", "0"),
        ("columns", "65"),
        ("columns", "-3"),
        ("columns", "many"),
        ("columns", "1e3"),
    ],
)
def test_a_choice_that_there_is_not(client: TestClient, field: str, value: str) -> None:
    response = client.post("/api/models/digits/feature-maps", files=DRAWING, data={field: value})
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"].startswith(f"“{field}”: ")
    assert response.json()["detail"].endswith(f"Received: “{value}”.")


def test_two_wrong_choices_are_both_named(client: TestClient) -> None:
    response = client.post("/api/models/digits/feature-maps", files=DRAWING, data={"pooling": "median", "columns": "0"})
    assert "“pooling”" in response.json()["detail"] and "“columns”" in response.json()["detail"]


def test_a_long_wrong_value_is_not_repeated_in_full(client: TestClient) -> None:
    response = client.post(PREDICTION, files=DRAWING, data={"pooling": "m" * 3000})
    assert response.status_code == 422
    assert len(response.json()["detail"]) < 300


def test_a_model_that_answers_with_a_picture_has_no_prediction(client: TestClient) -> None:
    response = client.post("/api/models/picture/prediction", files=DRAWING)
    detail = "The model “picture” answers with a picture, not with a class. Ask for its feature maps."
    assert_problem(response, HTTPStatus.UNPROCESSABLE_ENTITY, detail)


def test_a_file_over_the_limit(client: TestClient) -> None:
    response = client.post(PREDICTION, files={"drawing": bytes(MAX_BYTES + 1)})
    detail = "The drawing has 4,194,305 bytes; at most 4,194,304 are read. Send a smaller picture."
    assert_problem(response, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)


def test_an_enormous_picture_in_a_small_file(client: TestClient) -> None:
    response = client.post(PREDICTION, files={"drawing": png_claiming(50_000, 50_000)})
    detail = "The drawing has 50,000×50,000 pixels; at most 4,096×4,096 are read. Send a smaller picture."
    assert_problem(response, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_wrong_method(client: TestClient, method: str) -> None:
    response = client.request(method, PREDICTION)
    assert_problem(response, HTTPStatus.METHOD_NOT_ALLOWED, f"{PREDICTION} does not take {method}.")
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize("path", ["/api/", "/api/model", "/api/models/digits/layers"])
def test_an_unknown_path(client: TestClient, path: str) -> None:
    detail = f"There is nothing at {path}. The page is at /, the API's description at /docs."
    assert_problem(client.post(path), HTTPStatus.NOT_FOUND, detail)


def test_an_unknown_page_is_answered_with_a_page(client: TestClient) -> None:
    response = client.get("/nothing")
    assert response.status_code == 404
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "<h1>Not Found</h1>" in response.text
    assert "There is nothing at /nothing." in response.text


def test_a_refused_form_is_answered_with_a_sentence_alone(client: TestClient) -> None:
    response = client.post("/exploration")
    assert response.status_code == 422
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.text.strip() == f"<p>{NO_DRAWING}</p>"


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"model": "nine"}, 404), ({"pooling": "median"}, 422), ({"columns": "0"}, 422), ({"scale": "log"}, 422)],
    ids=str,
)
def test_a_wrong_choice_of_the_page_s_form(client: TestClient, fields: dict[str, str], status: int) -> None:
    response = client.post("/exploration", files=DRAWING, data=fields)
    assert response.status_code == status
    assert response.text.startswith("<p>")
    assert "<html" not in response.text


@pytest.fixture(scope="module")
def broken(app: FastAPI, client: TestClient) -> TestClient:
    """The app with two routes that have a bug."""
    router = APIRouter()

    @router.get("/api/bug")
    @router.get("/bug")
    def bug() -> None:
        raise RuntimeError("The secret of this machine.")

    with_bugs = create_app(Settings(allowed_hosts="testserver"))
    with_bugs.state.library = app.state.library
    with_bugs.include_router(router)
    return TestClient(with_bugs, raise_server_exceptions=False)


@pytest.mark.parametrize("path", ["/api/bug", "/bug"])
def test_a_bug_is_ours_and_tells_nothing(broken: TestClient, path: str) -> None:
    response = broken.get(path)
    assert response.status_code == 500
    assert "it is our fault" in response.text
    assert "secret" not in response.text and "RuntimeError" not in response.text


def test_a_drawing_too_small_for_the_windows_is_refused_with_a_sentence(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((None, None, 1)), layers.Conv2D(1, 40, name="answer")])
    save(model, card(model, classes=[], fit="original", test_accuracy=None), tmp_path / "picture.keras")
    png = BytesIO()
    picture = Image.new("L", (3, 4), 255)
    picture.putpixel((1, 2), 0)
    picture.save(png, "PNG")
    with TestClient(
        create_app(Settings(built_in_models=tmp_path, allowed_hosts="testserver")), raise_server_exceptions=False
    ) as client:
        answer = client.post("/api/models/picture/activations.npz", files={"drawing": png.getvalue()})
    assert answer.status_code == 422
    assert "An image of 32×32 pixels is too small" in answer.json()["detail"]
