from collections.abc import Iterator
from http import HTTPStatus

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.limits import FORM_BYTES
from app.main import create_app
from app.settings import Settings
from app.web.body_limit import BodySizes, is_upload
from tests.web.test_errors import PREDICTION, assert_problem

MAX_BODY_SIZE = Settings().max_body
TOO_LARGE = "The request is larger than 4,259,840 bytes, the most that is read. Send a smaller picture."
MODEL_TOO_LARGE = (
    "The request is larger than 1,114,112 bytes, the most that is read. "
    "Send a smaller model, or serve its folder with --models."
)
FORM = {"content-type": "multipart/form-data; boundary=x"}


@pytest.fixture(scope="module")
def small(app: FastAPI, client: TestClient) -> TestClient:
    """The app that takes models of 1 MB, less than a drawing may have."""
    taking = create_app(Settings(upload_megabytes=1))
    taking.state.library = app.state.library
    return TestClient(taking, base_url="http://127.0.0.1")


def endless_form(name: str = "drawing", size: int = MAX_BODY_SIZE) -> Iterator[bytes]:
    """A form in pieces, so that it has no Content-Length, with a file over the limit."""
    yield f'--x\r\nContent-Disposition: form-data; name="{name}"; filename="file"\r\n\r\n'.encode()
    for _ in range(size // 65_536 + 1):
        yield bytes(65_536)
    yield b"\r\n--x--\r\n"


def test_a_request_whose_length_is_over_the_limit(client: TestClient) -> None:
    response = client.post(PREDICTION, files={"drawing": bytes(MAX_BODY_SIZE)})
    assert_problem(response, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)


def test_a_request_of_unknown_length_that_grows_over_the_limit(client: TestClient) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    response = client.post(PREDICTION, content=endless_form(), headers=headers)
    assert "content-length" not in response.request.headers
    assert_problem(response, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)


@pytest.mark.parametrize("chunked", [True, False], ids=["of unknown length", "of known length"])
def test_a_form_over_the_limit_is_answered_with_a_sentence(client: TestClient, chunked: bool) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    content = endless_form() if chunked else b"".join(endless_form())
    response = client.post("/exploration", content=content, headers=headers)
    assert response.status_code == 413
    assert response.text.strip() == f"<p>{TOO_LARGE}</p>"


@pytest.mark.parametrize("chunked", [True, False], ids=["of unknown length", "of known length"])
def test_a_model_over_its_own_limit(small: TestClient, chunked: bool) -> None:
    form = endless_form("model", 2**20 + FORM_BYTES)
    response = small.post("/api/models", content=form if chunked else b"".join(form), headers=FORM)
    assert_problem(response, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, MODEL_TOO_LARGE)


def test_one_request_alone_may_bring_a_model() -> None:
    sizes = BodySizes(usual=10, upload=20)
    for method, path in (("POST", "/api/models/"), ("POST", "/api/models/m/prediction"), ("PUT", "/api/models")):
        assert sizes.of({"type": "http", "method": method, "path": path}) == 10
    assert sizes.of({"type": "http", "method": "POST", "path": "/api/models"}) == 20
    assert not is_upload({"type": "websocket", "path": "/api/models"})
