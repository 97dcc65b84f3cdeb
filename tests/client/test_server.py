"""A model on a server gives what the same model gives in this process."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import keras
import numpy as np
import pytest
from fastapi.testclient import TestClient

import app
from app.client.server import Server
from app.client.transport import NotThere, Refused, ServerError, Transport
from app.scripting.run import Run


@pytest.fixture(scope="module")
def server(client: TestClient) -> Server:
    return app.connect("http://testserver", client=client)


@pytest.fixture(scope="module")
def local(models: Path, four: bytes) -> Iterator[Run]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAYERGLASS_BUILT_IN_MODELS", str(models))
        with app.open("digits") as model:
            yield model.run(four, pooling="min")


@pytest.fixture(scope="module")
def remote(server: Server, four: bytes) -> Run:
    return server.model("digits").run(four, pooling="min")


def test_both_give_the_same(local: Run, remote: Run) -> None:
    assert remote.prediction == local.prediction
    assert list(remote.arrays) == list(local.arrays)
    for name, array in local.arrays.items():
        np.testing.assert_array_equal(remote.arrays[name], array)
    assert remote.map_layers == local.map_layers
    assert remote.grid_png("conv1", zoom=2, differences=True) == local.grid_png("conv1", zoom=2, differences=True)
    assert remote.cell("conv1", 1, 5, 6).document == local.cell("conv1", 1, 5, 6).document
    assert remote.compare("pool1").document == local.compare("pool1").document
    assert repr(remote) == repr(local)


def test_both_explain_the_same(local: Run, remote: Run) -> None:
    for layer in (None, "pool1"):
        own, other = (run.contributions("7", 4, layer=layer) for run in (local, remote))
        assert own == other and own.document == other.document
        assert list(own.cells) == list(other.cells)
        for name, cells in own.cells.items():
            np.testing.assert_array_equal(cells, other.cells[name])
    for method, options in (("hires-cam", {"layer": "conv1"}), ("occlusion", {"patch_rows": 7, "check": False})):
        first, second = (run.attribution(method, "7", **options) for run in (local, remote))
        assert first == second and first.document == second.document
        np.testing.assert_array_equal(first.values, second.values)


def test_both_make_the_same_edits(server: Server, models: Path, four: bytes) -> None:
    edits = ["mute:conv1.3", "pooling:pool1=min"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAYERGLASS_BUILT_IN_MODELS", str(models))
        with app.open("digits") as model:
            own = model.edited(";".join(edits)).run(four)
    other = server.model("digits").edited(edits[0]).edited(edits[1]).run(four)
    for name, array in own.arrays.items():
        np.testing.assert_array_equal(array, other.arrays[name])
    with pytest.raises(Refused, match="is no edit"):
        server.model("digits").edited("nonsense")


def test_it_names_its_models(server: Server) -> None:
    assert server.names()[0] == "digits"
    assert server.model("digits").layers[0].name == "conv1"


def test_its_models_are_a_mapping(server: Server) -> None:
    assert list(server.models) == server.names()
    assert len(server.models) == len(server.names())
    assert server.models["digits"].details == server.model("digits").details
    assert "digits" in server.models and "nowhere" not in server.models
    assert server.models.get("nowhere") is None
    assert repr(server.models).startswith("<models digits, ")
    with pytest.raises(KeyError, match=r"^There is no model “nowhere”"):
        server.models["nowhere"]


def test_a_picture_as_an_answer_is_no_prediction(server: Server, four: bytes) -> None:
    run = server.model("picture").run(four)
    assert run.prediction is None and "input" in run.arrays


def test_refusals_have_the_server_s_sentence(server: Server, remote: Run) -> None:
    with pytest.raises(NotThere, match="There is no model “nowhere”"):
        server.model("nowhere")
    with pytest.raises(LookupError, match="nowhere"):
        remote.grid("nowhere")
    with pytest.raises(Refused, match="This is not a picture that can be read") as refused:
        server.model("digits").run(b"no picture")
    assert refused.value.status == 422


def test_a_server_that_is_not_there_is_said() -> None:
    with pytest.raises(ServerError, match="There is no server at"):
        app.connect("http://127.0.0.1:9")


def answering(*answers: httpx2.Response | Exception) -> Transport:
    left = list(answers)

    def answer(_: httpx2.Request) -> httpx2.Response:
        found = left.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    return Transport(httpx2.Client(base_url="http://server", transport=httpx2.MockTransport(answer)))


def test_a_busy_server_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    busy = [httpx2.Response(503, headers={"Retry-After": wait}) for wait in ("2", "9999", "soon")]
    assert answering(*busy, httpx2.Response(200)).get("/").status_code == 200
    assert waits == [2, 10, 1]
    problem = [httpx2.Response(503, json={"detail": "The server is busy."}) for _ in range(4)]
    with pytest.raises(ServerError, match="The server is busy"):
        answering(*problem).get("/")


def test_an_answer_that_is_late_or_no_answer_is_said() -> None:
    with pytest.raises(ServerError, match="did not answer in time"):
        answering(httpx2.ReadTimeout("late")).get("/")
    with pytest.raises(ServerError, match="answered 502, and not as Layerglass does"):
        answering(httpx2.Response(502, text="<html>")).get("/")


def test_an_edited_model_is_the_same_here_and_there(server: Server, models: Path, four: bytes, tmp_path: Path) -> None:
    edits = "mute:conv1.3;cell:pool1.0.2.3=5"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAYERGLASS_BUILT_IN_MODELS", str(models))
        with app.open("digits") as model:
            here = model.edited("mute:conv1.3").edited("cell:pool1.0.2.3=5")
            there = server.model("digits").edited("mute:conv1.3").edited("cell:pool1.0.2.3=5")
            ran = [each.run(four).arrays["answer"] for each in (here, there, server.model("digits").edited(edits))]
            assert not np.allclose(ran[0], model.run(four).arrays["answer"], atol=1e-5)
            np.testing.assert_array_equal(ran[1], ran[0])
            np.testing.assert_array_equal(ran[2], ran[0])
            here.save(tmp_path / "here.keras", pooling="min")
            there.save(tmp_path / "there.keras", pooling="min")
            expected = here.run(four, pooling="min").arrays
    image = expected["input"][np.newaxis]
    for name in ("here", "there"):
        found = keras.models.load_model(tmp_path / f"{name}.keras")(image).numpy()[0]
        np.testing.assert_allclose(found, expected["answer"], atol=1e-4)


def test_an_edit_that_cannot_be_made_is_a_value_error(server: Server) -> None:
    with pytest.raises(ValueError, match="“conv1” has no map 99"):
        server.model("digits").edited("mute:conv1.99")
