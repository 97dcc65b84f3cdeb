from pathlib import Path

import pytest

from app.cnn.network import Network
from app.cnn.pooling import PoolingMode
from app.library import EmptyLibrary, Library, UnknownModel
from tests.small_models import build_logistic, card, save


def network(name: str) -> Network:
    model = build_logistic()
    return Network(name, model, card(model, classes=["no", "yes"]))


def test_every_model_with_a_card_is_loaded(library: Library, models: Path) -> None:
    assert {network.name for network in library} == {path.stem for path in models.glob("*.keras")}


def test_the_default_comes_first_and_the_others_by_name(library: Library) -> None:
    assert [network.name for network in library] == [
        "digits",
        "a-plain",
        "branches",
        "digits-min",
        "logistic",
        "picture",
    ]
    assert library.default.name == "digits"


def test_without_the_default_the_first_by_name_is_it() -> None:
    assert Library([network("b"), network("a")]).default.name == "a"


def test_a_model_without_card_is_left_out(tmp_path: Path) -> None:
    model = build_logistic()
    save(model, card(model, classes=["no", "yes"]), tmp_path / "with.keras")
    model.save(tmp_path / "without.keras")
    (tmp_path / "neither.txt").write_text("A note.")
    assert [network.name for network in Library.load(tmp_path)] == ["with"]


def test_a_network_is_found_by_its_name(library: Library) -> None:
    assert library.network("branches").name == "branches"


def test_an_unknown_model_s_sentence_names_the_models(library: Library) -> None:
    with pytest.raises(UnknownModel) as caught:
        library.network("nine")
    assert str(caught.value) == (
        "There is no model “nine”. There is: digits, a-plain, branches, digits-min, logistic, picture."
    )


def test_an_empty_folder_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(EmptyLibrary, match=r"expected NAME\.keras with its card NAME\.json") as caught:
        Library.load(tmp_path)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "pooling", "sibling"),
    [
        ("digits", PoolingMode.MIN, "digits-min"),
        ("digits-min", PoolingMode.MAX, "digits"),
        ("digits", PoolingMode.MAX, "digits"),
        ("digits", PoolingMode.AVERAGE, "digits"),
        ("digits", None, "digits"),
        ("a-plain", PoolingMode.MIN, "a-plain"),
    ],
)
def test_the_sibling_was_trained_with_the_pooling(
    library: Library, name: str, pooling: PoolingMode | None, sibling: str
) -> None:
    assert library.sibling(library.network(name), pooling).name == sibling


def test_a_sibling_that_is_not_there_is_the_network_itself() -> None:
    model = build_logistic()
    lonely = Network("lonely", model, card(model, siblings={"min": "missing"}))
    assert Library([lonely]).sibling(lonely, PoolingMode.MIN) is lonely
