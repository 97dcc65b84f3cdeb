"""What a model is given: the input that is drawn into, and the others beside it."""

from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from app.cnn.card import Fit
from app.model_files.config.inputs import TakenInput, choose_drawn
from app.model_files.errors import ModelError
from app.model_files.infer_card import complete_card, infer_card
from app.model_files.loading import LoadedModel, load_model
from app.model_files.serialization import deserialize, serialize
from tests.model_files.files import node, numbers, save_h5
from tests.small_models import build_conditional, build_decoder, build_siamese, build_with_facts


def load(model: keras.Model, folder: Path) -> LoadedModel:
    model.save(path := folder / "m.keras")
    return load_model(path)


@pytest.mark.parametrize(
    ("shapes", "drawn"),
    [
        ([(4,), (28, 28, 1)], 1),
        ([(28, 28, 1), (28, 28, 1)], 0),
        ([(50, 6), (8, 8, 3)], 1),
        ([(10,), (784,)], 1),
        ([(100,), (784,)], 1),
        ([(3,), (10,)], 0),
        ([(16,)], 0),
        ([(4, 8, 8, 3), (5,)], 0),
        ([(4, 8, 8, 3), (8, 8, 3)], 1),
        ([(None, None, 3), (None, None, 1)], 0),
    ],
)
def test_the_input_that_is_most_like_an_image_is_drawn_into(shapes: list[tuple[int | None, ...]], drawn: int) -> None:
    inputs = [TakenInput(str(number), shape) for number, shape in enumerate(shapes)]
    assert choose_drawn(inputs) is inputs[drawn]


@pytest.mark.parametrize(
    ("shapes", "sentence"),
    [
        ([(2, 4, 8, 8, 3)], "no vector to set"),
        ([(None,)], "no vector to set"),
        ([(None, 8, 8, 3), (None, 5)], "None of the model's inputs is an image to draw into"),
        ([(28, 28, 1), (None,)], "“1” may have any size"),
        ([(28, 28, 1), (None, None, 1)], "“1” may have any size"),
    ],
)
def test_what_nobody_can_give_is_refused(shapes: list[tuple[int | None, ...]], sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        choose_drawn([TakenInput(str(number), shape) for number, shape in enumerate(shapes)])


@pytest.mark.parametrize(
    ("shape", "others", "image"),
    [((784,), (784,), (28, 28, 1)), ((100,), (784,), None), ((100,), (28, 28, 1), None), ((8, 8), (28, 28, 1), None)],
)
def test_a_vector_beside_an_image_is_no_flattened_one(
    shape: tuple[int, ...], others: tuple[int, ...], image: tuple[int, int, int] | None
) -> None:
    assert TakenInput("b", shape).image_beside(TakenInput("a", others)) == image


def test_numbers_in_a_row_are_an_image_where_fewer_are_made_of_them(tmp_path: Path) -> None:
    def card_of(taken: int, made: int) -> Any:
        model = keras.Sequential([keras.Input((taken,)), layers.Dense(made, name="answer")])
        return infer_card(load(model, tmp_path), "m")

    assert (card_of(784, 10).fit, card_of(784, 10).input_shape) == (Fit.DIGIT, (28, 28, 1))
    assert card_of(784, 784).fit is Fit.DIGIT  # an autoencoder
    for taken, made in [(100, 784), (64, 65), (13, 3), (4, 3)]:
        card = card_of(taken, made)
        assert (card.fit, card.input_shape) == (Fit.NUMBERS, (1, taken, 1))
        assert list(card.inputs.values()) == [[taken]]


@pytest.mark.parametrize("build", [build_siamese, build_with_facts, build_decoder, build_conditional])
def test_a_model_of_several_inputs_is_built_as_it_was(build: Any, tmp_path: Path) -> None:
    model = build()
    opened = load(model, tmp_path)
    again = deserialize(b"".join(map(bytes, serialize(opened))))
    assert again.definition.layers == opened.definition.layers
    assert again.plan.takes_numbers == opened.plan.takes_numbers
    rng = np.random.default_rng(0)
    given = {
        name: rng.normal(size=(2, *(size or 1 for size in shape))).astype(np.float32)
        for name, shape in infer_card(opened, "m").inputs.items()
    }

    def answer(model: keras.Model) -> Any:
        inputs = [given[each.name].reshape(2, *each.shape[1:]) for each in model.inputs]
        return model(inputs if len(inputs) > 1 else inputs[0])

    np.testing.assert_allclose(answer(again.model), answer(model), rtol=1e-5, atol=1e-6)


def _shared(first_call: int) -> dict[str, Any]:
    """The graph of Keras 2 of two images and one nested model, whose calls are counted from 0 or from 1."""
    shape = {"batch_input_shape": [None, 4, 4, 1]}
    dense = {"class_name": "Dense", "config": {"name": "code", "units": 2}}
    flatten = {"class_name": "Flatten", "config": {"name": "flat", **shape}}
    encoder = {
        "class_name": "Sequential",
        "name": "encoder",
        "config": {"name": "encoder", "layers": [flatten, dense]},
        "inbound_nodes": [[["a", 0, 0, {}]], [["b", 0, 0, {}]]],
    }
    subtract = node("Subtract", {"name": "apart"}, "encoder", "encoder")
    subtract["inbound_nodes"] = [[["encoder", first_call, 0, {}], ["encoder", first_call + 1, 0, {}]]]
    nodes = [node("InputLayer", {"name": name, **shape}) for name in "ab"]
    ends = {"input_layers": [["a", 0, 0], ["b", 0, 0]], "output_layers": [["apart", 0, 0]]}
    return {"class_name": "Functional", "config": {"name": "m", "layers": [*nodes, encoder, subtract], **ends}}


@pytest.mark.parametrize("first_call", [0, 1])
def test_a_nested_model_that_is_used_twice(first_call: int, tmp_path: Path) -> None:
    kernel, bias = numbers(16, 2), numbers(2)
    path = save_h5(tmp_path / "m.h5", _shared(first_call), {"encoder": []}, "2.9.0")
    with h5py.File(path, "a") as file:
        group = file["model_weights/encoder"]
        group.attrs["weight_names"] = [b"code/kernel:0", b"code/bias:0"]
        group["code/kernel:0"], group["code/bias:0"] = kernel, bias
    opened = load_model(path)
    a, b = numbers(1, 4, 4, 1, seed=1), numbers(1, 4, 4, 1, seed=2)
    expected = a.reshape(1, 16) @ kernel - b.reshape(1, 16) @ kernel
    np.testing.assert_allclose(opened.model([a, b]), expected, rtol=1e-4, atol=1e-5)
    assert opened.mends == ("The model uses the model “encoder” several times; each use has layers of its own here.",)


def test_text_is_refused(tmp_path: Path) -> None:
    nodes = [
        node("InputLayer", {"name": "in", "batch_input_shape": [None, 4], "dtype": "string"}),
        node("Dense", {"name": "d", "units": 2}, "in"),
    ]
    ends = {"input_layers": [["in", 0, 0]], "output_layers": [["d", 0, 0]]}
    config = {"class_name": "Functional", "config": {"name": "m", "layers": nodes, **ends}}
    with pytest.raises(ModelError, match="“in” is text"):
        load_model(save_h5(tmp_path / "m.h5", config, {}, "2.9.0"))


def test_a_card_says_what_is_drawn_into_and_what_is_held(tmp_path: Path) -> None:
    inferred = infer_card(load(build_siamese((8, 8, 1)), tmp_path), "m")
    card = complete_card({"input": "right", "held": {"left": 0.5}}, inferred)
    assert (card.input, card.held, list(card.held_inputs)) == ("right", {"left": 0.5}, ["left"])
    for written, sentence in [
        ({"input": "middle"}, "One cannot draw into “middle”. One can draw into: “left”, “right”."),
        ({"held": {"middle": 1}}, "“held” names “middle”, and the inputs are “left”, “right”"),
        ({"held": {"right": [1, 2]}}, "the input “right” of 8×8×1 numbers was given 2 numbers"),
        ({"held": {"right": "dark"}}, "a number, or a list of numbers"),
        ({"inputs": {}}, "The card says inputs {}"),
        ({"fit": "numbers"}, "“fit” is numbers, and the input is an image"),
    ]:
        with pytest.raises(ModelError, match=sentence.replace("(", r"\(")):
            complete_card(written, inferred)


def test_a_card_cannot_make_a_vector_an_image(tmp_path: Path) -> None:
    inferred = infer_card(load(build_decoder(), tmp_path), "m")
    with pytest.raises(ModelError, match="The card says fit “digit”, and the model starts from a vector"):
        complete_card({"fit": "digit"}, inferred)
    assert complete_card({"held": {"z": [1, -1]}}, inferred).held == {"z": [1, -1]}


def test_words_are_refused(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((5,)), layers.Embedding(10, 3, name="words"), layers.Flatten()])
    model.save(path := tmp_path / "m.keras")
    with pytest.raises(ModelError, match="“words” is an “Embedding”, which reads whole numbers such as words"):
        load_model(path)
