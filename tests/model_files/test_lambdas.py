"""Lambda layers: never run, and opened where a person declares what they compute."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from app.model_files.config.lambdas import parse_lambdas, write_lambdas
from app.model_files.errors import ModelError, UndeclaredLambdas
from app.model_files.infer_card import infer_card
from app.model_files.loading import LoadedModel, load_model
from app.model_files.serialization import dump_scan_result, parse_scan_result
from tests.model_files.files import graph, node, numbers, save_h5, sequential
from tests.model_files.watching import watched

SHAPE = [None, 6, 6, 3]
WEIGHTS = [numbers(108, 2), numbers(2)]
LAMBDA = ("Lambda", {"name": "change", "batch_input_shape": SHAPE, "function": ["4wEAAAA=", None, None]})


def behind(folder: Path, layer: tuple[str, dict[str, Any]] = LAMBDA) -> Path:
    """A model of Keras 2 with this layer first, as CarND's are."""
    last: list[tuple[str, dict[str, Any]]] = [("Flatten", {"name": "f"}), ("Dense", {"name": "d", "units": 2})]
    return save_h5(folder / "m.h5", sequential(layer, *last), {"d": WEIGHTS})


def declared(folder: Path, **what: Any) -> LoadedModel:
    return load_model(behind(folder), parse_lambdas({"change": what}))


@pytest.mark.parametrize(
    ("what", "computes"),
    [
        ({"scale": 1 / 127.5, "offset": -1}, lambda x: x / 127.5 - 1),
        ({"offset": -0.5}, lambda x: x - 0.5),
        ({"scale": [1, 2, 3], "offset": [0, -1, 1.5]}, lambda x: x * [1, 2, 3] + [0, -1, 1.5]),
        ({"channels": "reversed"}, lambda x: x[..., ::-1]),
        ({"channels": [1, 2, 0]}, lambda x: x[..., [1, 2, 0]]),
        (
            {"channels": "reversed", "scale": 2, "offset": [-103.939, -116.779, -123.68]},  # in this order
            lambda x: x[..., ::-1] * 2 - [103.939, 116.779, 123.68],
        ),
        ({"layer": "Identity"}, lambda x: x),
        ({"layer": "Activation", "settings": {"activation": "tanh"}}, np.tanh),
        ({"layer": "Permute", "settings": {"dims": [2, 1, 3]}}, lambda x: x.transpose(0, 2, 1, 3)),
    ],
)
def test_a_declared_lambda_computes_what_was_declared(what: dict[str, Any], computes: Any, tmp_path: Path) -> None:
    opened = declared(tmp_path, **what)
    x = np.random.default_rng(1).uniform(0, 1, (2, 6, 6, 3)).astype(np.float32)
    expected = computes(x).reshape(2, -1) @ WEIGHTS[0] + WEIGHTS[1]
    np.testing.assert_allclose(opened.model(x), expected, rtol=1e-4, atol=1e-5)
    assert opened.mends[0].startswith("Declared: the Lambda “change” ")


def test_the_range_of_a_declared_scale_is_that_of_bytes(tmp_path: Path) -> None:
    card = infer_card(declared(tmp_path, scale=1 / 255), "m")
    assert card.value_range == (0, 255)
    assert write_lambdas(card.lambdas) == '{"change": {"scale": 0.00392156862745098}}'


def test_a_lambda_of_two_inputs(tmp_path: Path) -> None:
    nodes = [
        node("InputLayer", {"name": "in", "batch_input_shape": SHAPE}),
        node("ReLU", {"name": "r"}, "in"),
        node("Lambda", {"name": "both"}, "in", "r"),
    ]
    path = save_h5(tmp_path / "m.h5", graph("in", "both", *nodes), {})
    opened = load_model(path, parse_lambdas({"both": {"layer": "Subtract"}}))
    x = numbers(1, 6, 6, 3)
    np.testing.assert_allclose(opened.model(x), x - np.maximum(x, 0))


def test_a_lambda_as_keras_3_writes_it_is_left_unread(tmp_path: Path) -> None:
    lines = [keras.Input((6, 6, 3)), keras.layers.Lambda(lambda x: x / 2, name="half"), keras.layers.Flatten()]
    model = keras.Sequential([*lines, keras.layers.Dense(2)])
    model.save(tmp_path / "m.keras")
    with watched() as deeds:
        opened = load_model(tmp_path / "m.keras", parse_lambdas({"half": {"scale": 0.5}}))
    assert deeds == []
    x = numbers(1, 6, 6, 3)
    np.testing.assert_allclose(opened.model(x), model(x), rtol=1e-4, atol=1e-5)


def test_what_was_not_declared_is_named_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(UndeclaredLambdas, match="“change” is a Lambda, which is Python code") as raised:
        load_model(behind(tmp_path))
    assert raised.value.names == ("change",)
    assert '{"change": {"scale": 0.003921569, "offset": 0}}' in str(raised.value)
    assert "keras.layers.Rescaling(1 / 255)" in str(raised.value)
    found = parse_scan_result(dump_scan_result(raised.value))
    assert isinstance(found, UndeclaredLambdas)
    assert (found.names, str(found)) == (("change",), str(raised.value))


def test_the_name_of_its_function_is_said(tmp_path: Path) -> None:
    with pytest.raises(UndeclaredLambdas, match="a Lambda with the function “preprocess_input”"):
        load_model(behind(tmp_path, ("Lambda", {"name": "change", "function": "preprocess_input"})))


@pytest.mark.parametrize("names", [["a"], {"a": 1}, [], "a"])
def test_a_refusal_that_names_no_lambdas_is_no_refusal(names: Any) -> None:
    dumped = {"reason": "No.", "lambdas": names}
    if names == ["a"]:
        assert isinstance(parse_scan_result(dumped), UndeclaredLambdas)
    else:
        with pytest.raises(ValueError):
            parse_scan_result(dumped)


def test_what_declaring_would_not_mend_is_refused_first(tmp_path: Path) -> None:
    layers: list[tuple[str, dict[str, Any]]] = [LAMBDA, ("Mine", {"name": "mine"})]
    with pytest.raises(ModelError, match="“Mine”") as raised:
        load_model(save_h5(tmp_path / "m.h5", sequential(*layers), {}))
    assert not isinstance(raised.value, UndeclaredLambdas)


@pytest.mark.parametrize(
    ("lambdas", "says"),
    [
        ("{", "Invalid JSON"),
        ([1], "should be an object"),
        ({"change": {}}, "either scale, offset and channels, some or all, or a layer"),
        ({"change": {"scale": 1, "layer": "Identity"}}, "some or all, or a layer"),
        ({"change": {"scale": 1, "settings": {"a": 1}}}, "settings belong to a layer"),
        ({"change": {"scael": 1}}, "“change.scael”"),
        ({"change": {"scale": "1"}}, "“change.scale”"),
        ({"change": {"scale": True}}, "“change.scale”"),
        ('{"change": {"scale": NaN}}', "“change.scale”"),
        ({"change": {"scale": 1e300}}, "“change.scale”"),
        ({"change": {"channels": [-1]}}, "“change.channels”"),
        ({"change": {"channels": [0, 3]}}, "the channel 3, counted from 0, of an image of 3"),
        ({"change": {"scale": [1, 2]}}, "has 2 numbers for 3 channels"),
        ({"change": {"layer": "Dense", "settings": {"units": 3}}}, "has weights, and a Lambda has none"),
        ({"change": {"layer": "Lambda"}}, "none that Layerglass knows"),
        ({"change": {"layer": "Resizing", "settings": {"hight": 3}}}, "“hight”, which is none of its settings: height"),
        ({"change": {"layer": "Resizing", "settings": {"height": "a", "width": 1}}}, "expected a whole number"),
        ({"other": {"scale": 1}}, "“other”, no Lambda layer of this model: its Lambdas are “change”"),
        ({"change": {"scale": 1}, "d": {"scale": 1}}, "“d”, no Lambda layer"),
    ],
)
def test_a_declaration_that_cannot_be(lambdas: str | Mapping[str, Any], says: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as raised:
        load_model(behind(tmp_path), parse_lambdas(lambdas))
    assert says in str(raised.value)


def test_a_declaration_for_a_model_without_lambdas(tmp_path: Path) -> None:
    path = behind(tmp_path, ("ReLU", {"name": "change", "batch_input_shape": SHAPE}))
    with pytest.raises(ModelError, match="no Lambda layer of this model: it has none"):
        load_model(path, parse_lambdas({"change": {"scale": 1}}))
