"""The Python interface gives what the API answers, from the same services."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

import app
from app.scripting.model import Model
from app.scripting.pictures import Picture
from app.scripting.run import Run
from tests.pictures import draw_four
from tests.small_models import build_digits


@pytest.fixture(scope="module")
def model(models: Path) -> Iterator[Model]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAYERGLASS_BUILT_IN_MODELS", str(models))
        with app.open("digits") as model:
            yield model


@pytest.fixture(scope="module")
def run(model: Model, four: bytes) -> Run:
    return model.run(four, pooling="min")


def ask(client: TestClient, path: str, drawing: bytes, **form: str) -> bytes:
    answer = client.post(f"/api/models/digits/{path}", files={"drawing": drawing}, data={"pooling": "min", **form})
    assert answer.status_code == 200, answer.text
    return answer.content


def test_the_npz_is_the_api_s(client: TestClient, run: Run, four: bytes) -> None:
    made = b"".join(run.npz())
    expected = ask(client, "activations.npz", four)
    assert _without_dates(made) == _without_dates(expected)
    with np.load(io.BytesIO(expected)) as arrays:
        assert list(arrays) == list(run.arrays)
        for name, array in run.arrays.items():
            np.testing.assert_array_equal(array, arrays[name])
        assert list(arrays)[:-2] == list(run.activations)
        np.testing.assert_array_equal(run.input, arrays["input"])


def _without_dates(file: bytes) -> bytes:
    """A zip says when each member was written, in two seconds' steps."""
    with io.BytesIO(file) as content, zipfile.ZipFile(content) as archive:
        return b"".join(archive.read(name) for name in archive.namelist())


def test_the_contributions_are_the_api_s(client: TestClient, run: Run, four: bytes) -> None:
    why = run.contributions("7", against=4)
    assert why.document == json.loads(ask(client, "contributions", four, target="7", against="4"))
    with np.load(io.BytesIO(ask(client, "contributions.npz", four, target="7", against="4"))) as arrays:
        assert list(arrays) == list(why.cells)
        for name, array in arrays.items():
            np.testing.assert_array_equal(why.cells[name], array)
    assert list(why.layers)[:2] == [None, "conv1"]
    for name, terms in why.layers.items():
        assert terms.sum == pytest.approx(why.number, rel=1e-9)
        assert why.cells[name or "input"].sum(dtype=np.float64) == pytest.approx(terms.total, rel=1e-6, abs=1e-6)
    assert list(run.contributions(layer="pool1").cells) == ["pool1"]
    assert "Why 7, not 4" in why._repr_html_()


def test_an_attribution_is_the_api_s(client: TestClient, run: Run, four: bytes) -> None:
    form = {"target": "7", "steps": "4", "baseline": "mean"}
    found = run.attribution("integrated-gradients", 7, steps=4, baseline="mean")
    assert found.document == json.loads(ask(client, "attributions/integrated-gradients", four, **form))
    with np.load(io.BytesIO(ask(client, "attributions/integrated-gradients.npz", four, **form))) as arrays:
        np.testing.assert_array_equal(found.values, arrays["attribution"])
    assert found.values.sum() == pytest.approx(found.total)
    assert found.completeness_error == pytest.approx(found.total - found.expected)
    assert found.correlation is not None


def test_what_cannot_be_explained_is_said(run: Run) -> None:
    with pytest.raises(ValueError, match="no class “eleven”"):
        run.contributions("eleven")
    with pytest.raises(LookupError, match="no layer “nowhere”"):
        run.contributions(layer="nowhere")
    with pytest.raises(LookupError, match="no attribution method “guess”"):
        run.attribution("guess")
    with pytest.raises(ValueError, match="There is no keyword “size”"):
        run.attribution("occlusion", size=3)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="“steps”"):
        run.attribution("integrated-gradients", steps=0)


def test_an_edited_model_answers_as_the_api_with_these_edits(client: TestClient, model: Model, four: bytes) -> None:
    once = model.edited("mute:conv1.3")
    twice = once.edited("pooling:pool1=min;mute:conv2.0")
    for edited, edits in ((once, "mute:conv1.3"), (twice, "mute:conv1.3;pooling:pool1=min;mute:conv2.0")):
        with np.load(io.BytesIO(ask(client, "activations.npz", four, edits=edits))) as arrays:
            for name, array in edited.run(four, pooling="min").arrays.items():
                np.testing.assert_array_equal(array, arrays[name])
    once.close()
    assert model.run(four).activations["conv1"][..., 3].any()
    with pytest.raises(ValueError, match="is no edit"):
        model.edited("nonsense")


def test_the_answer_is_the_api_s(client: TestClient, run: Run, four: bytes) -> None:
    assert run.prediction is not None
    document = run.prediction.document
    assert (
        client.post("/api/models/digits/prediction", files={"drawing": four}, data={"pooling": "min"}).json()
        == document
    )
    assert list(run.prediction.probabilities) == list("0123456789")
    (label, probability), *_ = run.prediction.top(3)
    assert (label, probability) == (run.prediction.label, run.prediction.probability)


@pytest.mark.parametrize("options", [{}, {"zoom": 3}, {"first": 1, "count": 2}, {"colormap": "gray", "scale": "map"}])
def test_a_grid_is_the_api_s(client: TestClient, run: Run, four: bytes, options: dict[str, object]) -> None:
    form = {name: str(value) for name, value in options.items()}
    assert run.grid_png("conv1", **options) == ask(client, "layers/conv1/feature-maps.png", four, **form)  # type: ignore[arg-type]


def test_differences_are_the_api_s(client: TestClient, run: Run, four: bytes) -> None:
    expected = ask(client, "layers/pool1/feature-maps.png", four, differences="true")
    assert run.grid_png("pool1", differences=True) == expected != run.grid_png("pool1")


def test_a_notebook_shows_a_grid_by_itself(run: Run) -> None:
    grid = run.grid("conv1", zoom=2)
    assert isinstance(grid, Image.Image)
    assert (grid._repr_png_() or b"").startswith(b"\x89PNG")


def test_a_cell_is_the_api_s(client: TestClient, run: Run, four: bytes) -> None:
    cell = run.cell("conv1", 1, 5, 6)
    answer = client.post(
        "/api/models/digits/layers/conv1/feature-maps/1/cells/5,6", files={"drawing": four}, data={"pooling": "min"}
    )
    assert cell.document == answer.json()
    assert cell.value == run.activations["conv1"][5, 6, 1]
    assert cell.arithmetic == answer.json()["cell"]


def test_a_comparison_is_the_api_s(client: TestClient, run: Run, four: bytes) -> None:
    comparison = run.compare()
    assert comparison.document == client.post("/api/models/digits/comparison", files={"drawing": four}).json()
    assert set(comparison.modes) == {"max", "average", "min"}
    trained = [mode for mode in comparison.modes.values() if mode.as_trained]
    assert [set(mode.distances.values()) for mode in trained] == [{0.0}]


def test_the_details_are_the_api_s(client: TestClient, model: Model) -> None:
    assert model.details.model_dump(mode="json") == client.get("/api/models/digits").json()


def test_a_run_is_saved_as_files(run: Run, tmp_path: Path) -> None:
    paths = run.save(tmp_path / "a" / "maps")
    expected = {*(f"{name}.png" for name in run.map_layers), "activations.npz", "prediction.json"}
    assert {path.name for path in paths} == expected == {path.name for path in (tmp_path / "a" / "maps").iterdir()}
    assert (tmp_path / "a" / "maps" / "conv1.png").read_bytes() == run.grid_png("conv1")
    with np.load(tmp_path / "a" / "maps" / "activations.npz") as arrays:
        np.testing.assert_array_equal(arrays["conv1"], run.activations["conv1"])


def test_nothing_is_written_where_a_layer_is_not_there(run: Run, tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="nowhere"):
        run.save(tmp_path / "maps", layers=["conv1", "nowhere"])
    assert not (tmp_path / "maps").exists()


def test_many_pictures_are_run_one_by_one(model: Model, four: bytes) -> None:
    pictures: list[Picture] = [four, draw_four(56), np.asarray(draw_four())]
    runs = model.run_all(pictures, pooling="average")
    assert len(runs) == 3
    assert [run.pooling for run in runs] == ["average"] * 3
    assert [run.prediction for run in model.run(pictures, pooling="average")] == [run.prediction for run in runs]
    assert len(runs[1:]) == 2


def test_an_array_with_one_more_axis_is_many_pictures(model: Model) -> None:
    stack = np.stack([np.asarray(draw_four())] * 2)
    assert len(model.run_all(stack)) == 2


def test_notebooks_show_models_and_runs(model: Model, run: Run) -> None:
    assert repr(run).startswith("<digits, min pooling: ")
    assert model._repr_html_().count("<tr>") == 1 + len(model.layers)
    assert run._repr_html_().count("<img ") == len(run.map_layers)
    assert "as trained" in run.compare()._repr_html_()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"pooling": "median"}, "There is no pooling “median”. There is: max, average, min"),
        ({"region": (1, 2, 3)}, "A region is"),
        ({"region": (0, 0, 9999, 9999)}, "reaches out of the picture"),
        ({"input": "second"}, "one input"),
    ],
)
def test_what_cannot_be_run_is_said(model: Model, four: bytes, options: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        model.run(four, **options)  # type: ignore[call-overload]


@pytest.mark.parametrize("options", [{"zoom": 33}, {"columns": 0}, {"colormap": "jet"}, {"size": 3}])
def test_a_wrong_keyword_of_a_grid_is_said(run: Run, options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"“?{next(iter(options))}”?"):
        run.grid("conv1", **options)  # type: ignore[arg-type]


def test_a_model_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="There is no file"):
        app.open(tmp_path / "nowhere.keras")
    with pytest.raises(LookupError, match="There is no model “nowhere”"):
        app.open("nowhere")
    with pytest.raises(TypeError, match="A dict is no model"):
        app.open({})  # type: ignore[arg-type]


def test_a_keras_model_in_memory_gives_what_keras_gives() -> None:
    built = build_digits()
    picture = np.zeros((28, 28), np.uint8)
    picture[6:20, 12:15] = 255
    card = {"fit": "stretch", "classes": [f"class {number}" for number in range(10)]}
    with app.open(built, card=card) as model:
        run = model.run(picture)
    expected = np.asarray(built(run.input[np.newaxis]))[0]
    np.testing.assert_allclose(run.arrays["probabilities"], expected, rtol=1e-4, atol=1e-4)
    assert run.prediction is not None and run.prediction.label == f"class {expected.argmax()}"
