"""A person's own models over the API. Files are opened in this process here, but for the first test."""

import errno
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import keras
import numpy as np
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from app.library import library as library_module
from app.library import uploads as uploads_module
from app.main import create_app
from app.settings import Settings
from app.web import uploads
from tests.model_files.files import numbers, save_h5, save_zip, sequential
from tests.pictures import four_png
from tests.small_models import HTML, HTML_LAYER
from tests.web.test_errors import assert_problem

HERE = "http://127.0.0.1:8000"
DRAWING = {"drawing": ("drawing.png", four_png(), "image/png")}
Serve = Callable[..., TestClient]


@pytest.fixture
def serve(built_in: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Starts the app with folders of models and with settings."""
    monkeypatch.setattr(library_module, "_REFRESH_SECONDS", -1)
    with ExitStack() as running:

        def serve(*folders: Path, base_url: str = HERE, **settings: Any) -> TestClient:
            app = create_app(Settings(built_in_models=built_in, models=folders, **settings))
            client = TestClient(app, base_url=base_url, raise_server_exceptions=False)
            return running.enter_context(client)

        yield serve


def send(client: TestClient, model: Path | bytes, filename: str = "mine.keras", **headers: str) -> Response:
    content = model if isinstance(model, bytes) else model.read_bytes()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/api/models", files={"model": (filename, content)}, headers=named)


def listed(client: TestClient) -> dict[str, dict[str, Any]]:
    response = client.get("/api/models")
    assert response.status_code == 200
    return {model["name"]: model for model in response.json()}


def old_file(folder: Path) -> Path:
    """As Keras 2 wrote it, with a layer whose name HTML gives a meaning."""
    return save_h5(
        folder / "old.h5",
        sequential(
            ("InputLayer", {"name": "i", "batch_input_shape": [None, 8, 8, 1]}),
            ("Conv2D", {"name": HTML_LAYER, "filters": 2, "kernel_size": 3}),
            ("Flatten", {"name": "f"}),
            ("Dense", {"name": "d", "units": 2, "activation": "softmax"}),
        ),
        {HTML_LAYER: [numbers(3, 3, 1, 2), numbers(2)], "d": [numbers(72, 2), numbers(2)]},
    )


def test_with_real_child_processes(built_in: Path, mine: Path, tmp_path: Path) -> None:
    """One in the background for a folder, one for an upload."""
    path = old_file(tmp_path)
    app = create_app(Settings(built_in_models=built_in, models=(tmp_path,)))
    with TestClient(app, base_url=HERE) as client:
        assert send(client, mine).status_code == 201
        expected = keras.models.load_model(mine)(np.zeros((1, 8, 8, 1)))
        files = {"drawing": ("d.png", four_png())}
        answer = client.post("/api/models/mine/prediction", files=files).json()
        assert len(answer["probabilities"]) == expected.shape[-1]
        old = client.get("/api/models/old").json()
    assert [layer["name"] for layer in old["layers"]] == [HTML_LAYER, "f", "d"]
    assert old["file_size"] == path.stat().st_size


def test_an_upload_is_answered_with_its_summary_and_its_place(serve: Serve, mine: Path) -> None:
    client = serve()
    response = send(client, mine)
    assert response.status_code == 201
    assert response.headers["location"] == "/api/models/mine"
    assert response.json() == listed(client)["mine"]
    model = response.json()
    assert (model["name"], model["origin"], model["state"]) == ("mine", "uploaded", "ready")
    assert model["file_size"] == mine.stat().st_size
    assert model["parameters"] == model["weights"] + model["biases"]
    assert len(client.post("/api/models/mine/prediction", files=DRAWING).json()["probabilities"]) == 3


def test_a_zip_of_a_model_and_its_labels(serve: Serve, tmp_path: Path) -> None:
    """As Teachable Machine exports it: its model is called keras_model.h5."""
    contents = {"keras_model.h5": old_file(tmp_path).read_bytes(), "labels.txt": b"0 cat\n1 dog"}
    client = serve()
    response = send(client, save_zip(tmp_path / "m.zip", contents), "converted_keras.zip")
    assert response.status_code == 201
    model = response.json()
    assert (model["name"], model["classes"]) == ("converted_keras", ["cat", "dog"])
    assert (model["value_range"], model["fit"], model["ink"]) == ([-1, 1], "fill", "dark")
    refused = send(client, save_zip(tmp_path / "none.zip", {"../m.h5": b"x"}), "none.zip")
    detail = "The archive's member “../m.h5” points out of the archive, which no model needs."
    assert_problem(refused, HTTPStatus.UNPROCESSABLE_ENTITY, detail)


def test_an_h5_file_with_a_layer_that_is_html(serve: Serve, tmp_path: Path) -> None:
    client = serve()
    response = send(client, old_file(tmp_path), "old.h5")
    assert response.status_code == 201
    assert response.json()["architecture"][0]["name"] == HTML_LAYER
    for page in ("/", "/models"):
        shown = client.get(page, params={"model": "old"})
        assert shown.status_code == 200


@pytest.mark.parametrize(
    "filename",
    [
        f"{HTML}.keras",
        "two words.keras",
        "Zoë’s 模型 🖊.keras",
        'it\'s "quoted".keras',
        "50% #1 & ?.keras",
        "x" * 300 + ".keras",
        "prediction.keras",
        "card.keras",
        "..",
        "../../../etc/passwd",
        "a\\..\\b.h5",
    ],
)
def test_file_names_that_are_odd(serve: Serve, mine: Path, filename: str) -> None:
    client = serve()
    response = send(client, mine, filename)
    assert response.status_code == 201
    location, name = response.headers["location"], response.json()["name"]
    assert location.isascii() and location.isprintable() and location.count("/") == 3
    assert unquote(location) == f"/api/models/{name}"
    assert client.get(location).json()["name"] == name
    disposition = client.get(f"{location}/card").headers["content-disposition"]
    assert disposition.isascii() and disposition.count('"') == 2
    for page in ("/", "/models"):
        shown = client.get(page, params={"model": name})
        assert shown.status_code == 200
        assert "<script>alert" not in shown.text
    assert client.delete(location).status_code == 204


def test_a_second_one_of_the_same_name(serve: Serve, mine: Path) -> None:
    client = serve()
    assert [send(client, mine).json()["name"] for _ in range(2)] == ["mine", "mine-2"]
    assert send(client, mine, "digits.h5").json()["name"] == "digits-2"
    assert client.delete("/api/models/mine").status_code == 204
    assert list(listed(client)) == ["digits", "digits-2", "mine-2"]


def test_an_upload_is_forgotten(serve: Serve, mine: Path) -> None:
    client = serve()
    send(client, mine)
    response = client.delete("/api/models/mine")
    assert (response.status_code, response.content) == (204, b"")
    assert list(listed(client)) == ["digits"]
    assert client.get("/api/models/mine").status_code == 404
    assert client.delete("/api/models/mine").status_code == 404


def test_what_was_not_uploaded_is_not_taken_away(serve: Serve, mine: Path, tmp_path: Path) -> None:
    shutil.copy(mine, tmp_path / "own.keras")
    client = serve(tmp_path)
    for name in ("digits", "own"):
        detail = f"The model “{name}” was not uploaded, so it is not taken away from here."
        assert_problem(client.delete(f"/api/models/{name}"), HTTPStatus.FORBIDDEN, detail)
    assert (tmp_path / "own.keras").exists()


def test_a_card_changes_what_the_network_sees_and_its_classes(serve: Serve, mine: Path) -> None:
    client = serve()
    send(client, mine)
    first = client.post("/api/models/mine/activations.npz", files=DRAWING).content
    card = client.get("/api/models/mine/card").json()
    changed = card | {"classes": [HTML, "two", "three"], "value_range": [1, 0]}
    response = client.put("/api/models/mine/card", json=changed)
    assert response.status_code == 200
    assert response.json()["classes"] == changed["classes"]
    assert listed(client)["mine"]["value_range"] == [1, 0]
    answer = client.post("/api/models/mine/prediction", files=DRAWING).json()
    assert {each["label"] for each in answer["probabilities"]} == set(changed["classes"])
    assert client.post("/api/models/mine/activations.npz", files=DRAWING).content != first
    assert "<script>alert" not in client.get("/?model=mine").text


def test_a_card_in_part_changes_what_it_says(serve: Serve, mine: Path) -> None:
    client = serve()
    send(client, mine)
    card = client.get("/api/models/mine/card").json()
    for fields in ({"classes": ["a", "b", "c"]}, {"value_range": [-1, 1], "std": [2]}, {"std": None}, {}):
        card |= fields
        response = client.put("/api/models/mine/card", json=fields)
        assert (response.status_code, response.json()) == (200, card)
    assert client.get("/api/models/mine/card").json() == card


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"classes": ["a"]}, "The card names 1 classes, and the model answers with 3: name each of them"),
        ({"colour": 1}, "The card has fields that no card has: “colour”; correct or remove them."),
        ({"parameters": 3}, "The card says parameters 3, and the model has"),
        ({"transposed": "yes"}, "The card's field “transposed” should be a valid boolean, and it is “yes”"),
    ],
)
def test_a_card_in_part_is_refused_as_one_beside_a_file_is(
    fields: dict[str, Any], sentence: str, serve: Serve, mine: Path
) -> None:
    client = serve()
    send(client, mine)
    card = client.get("/api/models/mine/card").json()
    response = client.put("/api/models/mine/card", json=fields)
    assert response.status_code == 422 and response.json()["detail"].startswith(sentence)
    assert client.get("/api/models/mine/card").json() == card


def test_a_card_that_is_saved_beside_the_file_says_the_same(serve: Serve, mine: Path, tmp_path: Path) -> None:
    client = serve()
    send(client, mine)
    card = client.get("/api/models/mine/card").json() | {"title": "My own", "classes": ["a", "b", "c"]}
    client.put("/api/models/mine/card", json=card)
    response = client.get("/api/models/mine/card")
    assert response.headers["content-disposition"] == 'attachment; filename="mine.json"'
    shutil.copy(mine, tmp_path / "mine.keras")
    (tmp_path / "mine.json").write_bytes(response.content)
    assert serve(tmp_path).get("/api/models/mine/card").content == response.content


def test_a_card_that_contradicts_the_model(serve: Serve, mine: Path) -> None:
    client = serve()
    send(client, mine)
    card = client.get("/api/models/mine/card").json()
    response = client.put("/api/models/mine/card", json=card | {"parameters": -3})
    assert response.status_code == 422
    assert client.get("/api/models/mine/card").json() == card


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"3", b'{"titel": "none"}', b'{"title": NaN}', b"[" * 10_000, b"\xff"],
)
def test_a_card_that_is_none(serve: Serve, mine: Path, body: bytes) -> None:
    client = serve()
    send(client, mine)
    response = client.put("/api/models/mine/card", content=body, headers={"content-type": "application/json"})
    assert response.status_code in (400, 422)
    assert response.headers["content-type"] == "application/problem+json"
    assert len(response.json()["detail"]) > 20
    assert "multipart" not in response.json()["detail"]


def test_a_card_that_breaks_off_is_told_where(serve: Serve) -> None:
    headers = {"content-type": "application/json"}
    response = serve().put("/api/models/digits/card", content=b'{"title": "half', headers=headers)
    detail = "The request's body is not JSON: Unterminated string starting at, at character 10."
    assert_problem(response, HTTPStatus.UNPROCESSABLE_ENTITY, detail)


@pytest.mark.parametrize("card", ['"{}"', '{{"title": "{}"}}', '{{"siblings": {{"max": "{}"}}}}', '{{"{}": 1}}'])
def test_a_card_with_half_a_character(serve: Serve, mine: Path, card: str) -> None:
    """JSON can hold it, and no answer can."""
    client, body = serve(), card.format("\\ud800")
    send(client, mine)
    response = client.put("/api/models/mine/card", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 422, response.json()


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999"])
def test_a_card_with_a_number_that_is_none(serve: Serve, mine: Path, value: str) -> None:
    client = serve()
    send(client, mine)
    card = client.get("/api/models/mine/card").json() | {"value_range": [0, "?"]}
    body = json.dumps(card).replace('"?"', value)
    response = client.put("/api/models/mine/card", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 422
    assert client.get("/api/models").status_code == 200


def test_a_card_that_is_too_large(serve: Serve, mine: Path) -> None:
    client = serve()
    send(client, mine)
    card = client.get("/api/models/mine/card").json() | {"mends": ["x" * 2000] * 600}
    response = client.put("/api/models/mine/card", json=card)
    assert response.status_code == 422
    assert "at most 1,048,576 are kept" in response.json()["detail"]


def test_the_card_of_a_built_in_model_is_not_changed(serve: Serve) -> None:
    client = serve()
    card = client.get("/api/models/digits/card").json()
    detail = "The model “digits” came with Layerglass, and so did its card. Bring a model of your own."
    assert_problem(client.put("/api/models/digits/card", json=card), HTTPStatus.FORBIDDEN, detail)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "The file is empty"),
        (b"hello", "This is not a Keras model"),
        (b"PK\x03\x04" + bytes(100), "has no end: it was cut"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "damaged or cut"),
        (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "PyTorch"),
    ],
)
def test_a_file_that_does_not_open(serve: Serve, content: bytes, says: str) -> None:
    client = serve()
    response = send(client, content)
    assert response.status_code == 422
    assert says in response.json()["detail"]
    assert list(listed(client)) == ["digits"]


@pytest.mark.parametrize("body", [{}, {"data": {"model": "text"}}, {"files": {"file": b"x"}}, {"json": {}}], ids=str)
def test_without_a_file(serve: Serve, body: dict[str, Any]) -> None:
    detail = "No model was sent: send a .keras or .h5 file as the file “model” of a multipart/form-data request."
    assert_problem(serve().post("/api/models", **body), HTTPStatus.UNPROCESSABLE_ENTITY, detail)


def test_two_files(serve: Serve) -> None:
    response = serve().post("/api/models", files=[("model", b"x"), ("model", b"x")])
    assert response.status_code == 400


def test_a_file_that_appears_changes_and_goes(serve: Serve, mine: Path, tmp_path: Path) -> None:
    client = serve(tmp_path)
    assert client.get("/api/models/own").status_code == 404
    shutil.copy(mine, tmp_path / "own.keras")
    assert client.get("/api/models/own").status_code == 200
    (tmp_path / "own.keras").write_bytes(b"hello")
    response = client.get("/api/models/own")
    assert response.status_code == 422
    assert response.json()["detail"].startswith("The model “own” cannot be opened. This is not a Keras model")
    own = listed(client)["own"]
    assert own["state"] == "broken" and own["reason"].startswith("This is not a Keras model")
    assert client.get("/models").status_code == 200
    (tmp_path / "own.keras").unlink()
    assert client.get("/api/models/own").status_code == 404
    assert list(listed(client)) == ["digits"]


def test_a_wrong_card_beside_a_file(serve: Serve, mine: Path, tmp_path: Path) -> None:
    shutil.copy(mine, tmp_path / "own.keras")
    (tmp_path / "own.json").write_text("{")
    client = serve(tmp_path)
    assert listed(client)["own"]["reason"].startswith("Its card “own.json” is not valid JSON (line 1, column 2).")
    (tmp_path / "own.json").write_text('{"classes": ["a", "b", "c"]}')
    assert client.get("/api/models/own/card").json()["classes"] == ["a", "b", "c"]


def test_a_server_that_others_can_reach_takes_no_models(serve: Serve, mine: Path, tmp_path: Path) -> None:
    shutil.copy(mine, tmp_path / "own.keras")
    client = serve(tmp_path, host="0.0.0.0")
    card = client.get("/api/models/own/card").json()
    refused = [
        send(client, mine),
        client.put("/api/models/own/card", json=card),
        client.delete("/api/models/own"),
        client.post("/api/models", content=b"x" * 5_000_000),
    ]
    for response in refused:
        assert response.status_code == 403
        assert "LAYERGLASS_UPLOADS=true" in response.json()["detail"]
    assert send(serve(host="0.0.0.0", uploads=True, base_url="https://example.org"), mine).status_code == 201
    assert send(serve(uploads=False), mine).status_code == 403


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1:8000", "[::1]:8000"])
def test_this_machine_under_each_of_its_names(serve: Serve, mine: Path, name: str) -> None:
    assert send(serve(), mine, host=name).status_code == 201


@pytest.mark.parametrize("name", ["evil.example:8000", "127.0.0.1.evil.example", "192.168.0.5"])
def test_a_foreign_name_that_was_made_to_lead_to_this_machine(serve: Serve, mine: Path, name: str) -> None:
    assert send(serve(), mine, host=name).status_code == 400
    assert send(serve(allowed_hosts="*"), mine, host=name).status_code == 403


def test_what_is_no_name(serve: Serve, mine: Path) -> None:
    assert send(serve(allowed_hosts="*"), mine, host="[::1").status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
    ],
    ids=str,
)
def test_a_page_of_another_site_cannot_bring_a_model(serve: Serve, mine: Path, headers: dict[str, str]) -> None:
    client = serve()
    detail = "This was sent by a page of another website, which may not do that. Open Layerglass itself."
    assert_problem(send(client, mine, **headers), HTTPStatus.FORBIDDEN, detail)
    assert list(listed(client)) == ["digits"]


@pytest.mark.parametrize(
    "headers", [{"sec_fetch_site": "same-origin"}, {"sec_fetch_site": "none"}, {"origin": HERE}], ids=str
)
def test_layerglass_own_page_can(serve: Serve, mine: Path, headers: dict[str, str]) -> None:
    assert send(serve(), mine, **headers).status_code == 201


def test_uploads_are_bounded(serve: Serve, mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads_module, "MAX_MODELS", 1)
    client = serve()
    assert send(client, mine).status_code == 201
    response = send(client, mine)
    assert response.status_code == 507
    assert response.json()["detail"].startswith("This server already keeps 1 uploaded models")


def test_few_are_opened_at_once_and_the_others_wait(serve: Serve, mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = serve()
    running: list[int] = []
    most: list[int] = []
    open_in_sandbox: Callable[[Path, str], Any] = vars(library_module)["open_in_sandbox"]  # the one of this process

    def counting(path: Path, lambdas: str) -> Any:
        running.append(1)
        most.append(len(running))
        try:
            return open_in_sandbox(path, lambdas)
        finally:
            running.pop()

    monkeypatch.setattr(library_module, "open_in_sandbox", counting)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: send(client, mine).status_code, range(6)))
    assert answers == [201] * 6
    assert max(most) <= 2


def test_one_too_many_at_once_is_told_to_try_again(serve: Serve, mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_UPLOADS", 0)
    response = send(serve(), mine)
    assert response.status_code == 503
    assert response.headers["retry-after"] == "10"
    assert "Try again in 10 seconds" in response.json()["detail"]


def test_an_upload_that_fails_makes_room_for_the_next(
    serve: Serve, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MAX_UPLOADS", 1)
    client = serve()
    for content in (b"hello", b"", b"hello"):
        assert send(client, content).status_code == 422
    assert send(client, mine).status_code == 201


def test_a_model_that_is_too_large_for_memory_and_the_disk(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    client = serve()
    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", refuse)
    detail = "The file cannot be kept on this machine: No space left on device."
    assert_problem(send(client, bytes(5_000_000)), HTTPStatus.INSUFFICIENT_STORAGE, detail)
    drawing = {"drawing": ("d.png", four_png() + bytes(3_000_000))}
    assert client.post("/api/models/digits/prediction", files=drawing).status_code == 200


def test_a_state_folder_that_cannot_be_written(serve: Serve, mine: Path, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("A file.")
    client = serve(state=tmp_path / "state")
    assert client.get("/").status_code == 200
    response = send(client, mine)
    assert response.status_code == 507
    assert response.json()["detail"].startswith("The file cannot be kept on this machine: ")


def carnd(folder: Path) -> Path:
    """As Keras 2 wrote it, with a Lambda first."""
    lambda_ = {"name": "scale", "batch_input_shape": [None, 6, 6, 3], "function": ["4wEAAAA=", None, None]}
    layers: list[tuple[str, Any]] = [
        ("Lambda", lambda_),
        ("Flatten", {"name": "f"}),
        ("Dense", {"name": "d", "units": 2}),
    ]
    return save_h5(folder / "carnd.h5", sequential(*layers), {"d": [numbers(108, 2), numbers(2)]})


DECLARED = {"scale": {"scale": 1 / 127.5, "offset": -1.0}}


def test_a_lambda_is_named_declared_and_kept(serve: Serve, tmp_path: Path, opened: list[str]) -> None:
    client = serve(state=tmp_path / "state")
    refused = send(client, carnd(tmp_path), "carnd.h5")
    assert refused.status_code == 422
    assert refused.json()["lambdas"] == ["scale"]
    assert "carnd" not in listed(client)
    files = {"model": ("carnd.h5", carnd(tmp_path).read_bytes())}
    taken = client.post("/api/models", files=files, data={"lambdas": json.dumps(DECLARED)})
    assert taken.status_code == 201
    model = client.get("/api/models/carnd").json()
    assert [layer["kind"] for layer in model["layers"]] == ["Rescaling", "Flatten", "Dense"]
    assert client.post("/api/models/carnd/prediction", files=DRAWING).status_code == 200
    card = client.get("/api/models/carnd/card").json()
    assert card["lambdas"]["scale"].items() >= DECLARED["scale"].items() and card["value_range"] == [0, 255]
    for stored in (tmp_path / "state").glob("*.model"):
        stored.unlink()  # as if it had been evicted
    again = serve(state=tmp_path / "state")
    assert again.post("/api/models/carnd/prediction", files=DRAWING).status_code == 200


def test_a_card_declares_another_lambda(serve: Serve, tmp_path: Path) -> None:
    client = serve()
    files = {"model": ("carnd.h5", carnd(tmp_path).read_bytes())}
    client.post("/api/models", files=files, data={"lambdas": json.dumps(DECLARED)})
    card = client.get("/api/models/carnd/card").json()
    assert client.put("/api/models/carnd/card", json=card | {"lambdas": {}}).status_code == 422
    assert client.get("/api/models/carnd").json()["layers"][0]["kind"] == "Rescaling"
    other = {"scale": {"layer": "Identity"}}
    assert client.put("/api/models/carnd/card", json=card | {"lambdas": other}).status_code == 200
    assert client.get("/api/models/carnd").json()["layers"][0]["kind"] == "Identity"


def test_the_card_beside_a_file_declares_its_lambdas(serve: Serve, tmp_path: Path) -> None:
    path = carnd(tmp_path)
    client = serve(tmp_path)
    refused = client.get("/api/models/carnd")
    assert refused.status_code == 422 and "“scale” is a Lambda" in refused.json()["detail"]
    path.with_suffix(".json").write_text(json.dumps({"lambdas": DECLARED}), encoding="utf-8")
    assert client.get("/api/models/carnd").json()["layers"][0]["kind"] == "Rescaling"
    path.with_suffix(".json").write_text(json.dumps({"lambdas": {"scale": {"scael": 1}}}), encoding="utf-8")
    assert "“scale.scael”" in client.get("/api/models/carnd").json()["detail"]


def test_a_declaration_that_is_wrong_is_refused(serve: Serve, tmp_path: Path) -> None:
    files = {"model": ("carnd.h5", carnd(tmp_path).read_bytes())}
    refused = serve().post("/api/models", files=files, data={"lambdas": '{"scale": {"scale": "x"}}'})
    assert refused.status_code == 422
    assert "“scale.scale”" in refused.json()["detail"]


def test_the_name_of_an_upload_tells_what_its_bytes_do_not(serve: Serve) -> None:
    refused = send(serve(), b"\xf0\x01\xde\xad", "variables.data-00000-of-00001")
    assert "TensorFlow checkpoint" in refused.json()["detail"]
