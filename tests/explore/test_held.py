"""What the inputs hold that are not drawn into."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.cnn.card import Card
from app.cnn.errors import UnknownInput
from app.cnn.network import Network
from app.explore.forward_passes import ForwardPasses, preprocess
from app.explore.held import Held, digest
from app.imaging.drawing import InvalidDrawing, draw_sample
from app.library.library import Library
from tests.small_models import save_models_of_several_inputs

SEVEN = draw_sample("7")


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder: Path = tmp_path_factory.mktemp("several")
    save_models_of_several_inputs(folder)
    library = Library(folder)
    yield library
    library.close()


@pytest.fixture
def siamese(opened: Library) -> Network:
    return opened.network("siamese")


@pytest.fixture
def facts(opened: Library) -> Network:
    return opened.network("facts")


def test_a_picture_is_prepared_as_the_drawing_is(siamese: Network, four: bytes) -> None:
    forward = ForwardPasses().run(siamese, SEVEN, held={"right": four})
    np.testing.assert_array_equal(forward.activations["right"], preprocess(four, siamese.card))
    np.testing.assert_array_equal(forward.image, preprocess(SEVEN, siamese.card))
    swapped = ForwardPasses().run(siamese.drawing_into("right"), four, held={"left": SEVEN})
    np.testing.assert_array_equal(swapped.output, forward.output)


def test_a_passes_key_has_what_is_held(facts: Network, four: bytes) -> None:
    passes = ForwardPasses()
    first = passes.run(facts, four, held={"facts": [1, 2, 3, 4]})
    assert passes.run(facts, four, held={"facts": [1, 2, 3, 4]}) is first
    second = passes.run(facts, four, held={"facts": [1, 2, 3, 5]})
    assert second is not first and second.activations["facts"][3] == 5
    assert not passes.run(facts, four).activations["facts"].any()


def test_values_that_differ_have_other_digests() -> None:
    values: list[Held] = [
        {},
        {"a": 1},
        {"a": 2},
        {"b": 1},
        {"a": [1, 2]},
        {"a": b"1"},
        {"a": b"", "b": b""},
        {"a": b""},
    ]
    assert len({digest(each) for each in values}) == len(values)
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})


def test_the_card_says_what_is_held_unless_a_request_does(facts: Network, four: bytes) -> None:
    card = Card.model_validate(facts.card.model_dump() | {"held": {"facts": [4, 3, 2, 1]}})
    network = facts.with_card(card)
    assert ForwardPasses().run(network, four).activations["facts"].tolist() == [4, 3, 2, 1]
    assert ForwardPasses().run(network, four, held={"facts": -1}).activations["facts"].tolist() == [-1] * 4


def test_a_vector_needs_no_drawing(opened: Library) -> None:
    network = opened.network("decoder")
    forward = ForwardPasses().run(network, b"", held={"z": [0.5, -2]})
    assert forward.image.shape == (1, 2, 1) and forward.image.ravel().tolist() == [0.5, -2]
    assert forward.output.shape == (28, 28, 1)


@pytest.mark.parametrize(
    ("model", "held", "sentence"),
    [
        ("facts", {"weight": 1}, "The model “facts” holds nothing in “weight”. Its other inputs: “facts”."),
        ("facts", {"facts": [1]}, "The input “facts” of 4 numbers was given 1 number"),
        ("facts", {"facts": b"picture"}, "“facts” is no image, so it holds no picture"),
        ("facts", {"image": 0}, "“image” is drawn into, so it holds nothing else"),
        ("decoder", {"z": [1, 2, 3]}, "The input “z” of 2 numbers was given 3 numbers"),
        ("decoder", {"z": b"picture"}, "“z” is no image"),
    ],
)
def test_what_an_input_cannot_hold(opened: Library, model: str, held: Held, sentence: str, four: bytes) -> None:
    with pytest.raises(UnknownInput, match=sentence):
        ForwardPasses().run(opened.network(model), four, held=held)


def test_a_held_picture_that_is_none(siamese: Network, four: bytes) -> None:
    with pytest.raises(InvalidDrawing):
        ForwardPasses().run(siamese, four, held={"right": b"no picture"})
