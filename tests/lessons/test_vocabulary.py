"""What lessons say of models, against Keras' own models and against NumPy."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.explore.forward_passes import ForwardPasses
from app.imaging.drawing import draw_sample
from app.lessons.errors import Fault
from app.lessons.expressions import Value, parse_expression
from app.lessons.places import Place
from app.lessons.vocabulary import Vocabulary
from app.library.library import Library
from app.settings import resource

PAGES = frozenset({"/", "/compare"})


@pytest.fixture(scope="module")
def keras_models() -> dict[str, Any]:
    import keras

    names = ("digits", "figure-6-3", "section-6-3", "five-layer-dense", "five-layer-convolutional")
    return {name: keras.models.load_model(Path(resource("models"), f"{name}.keras")) for name in names}


def work_out(vocabulary: Vocabulary, text: str, page: str = "/?model=digits&sample=7") -> Value:
    return vocabulary.resolver(Place.parse(page, PAGES))(parse_expression(text))


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["digits", "figure-6-3", "section-6-3", "five-layer-dense", "five-layer-convolutional"]
)
def test_counts_are_those_of_keras(vocabulary: Vocabulary, keras_models: dict[str, Any], name: str) -> None:
    model = keras_models[name]
    assert work_out(vocabulary, f"model.parameters of {name}") == model.count_params()
    biases = sum(int(np.prod(weight.shape)) for weight in model.weights if weight.name == "bias")
    assert work_out(vocabulary, f"model.biases of {name}") == biases
    assert work_out(vocabulary, f"model.weights of {name}") == model.count_params() - biases
    shown = [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]
    assert work_out(vocabulary, f"model.layers of {name}") == len(shown)
    for layer in shown:
        facts = [f"layer.{layer.name}.{fact} of {name}" for fact in ("parameters", "weights", "biases")]
        bias = layer.bias.shape[0] if hasattr(layer, "bias") else 0
        counts = [layer.count_params(), layer.count_params() - bias, bias]
        assert [work_out(vocabulary, fact) for fact in facts] == counts
        shape = layer.output.shape[1:]
        if None in shape:
            continue
        assert work_out(vocabulary, f"layer.{layer.name}.size of {name}") == "×".join(map(str, shape))
        if len(shape) == 3:
            facts = [f"layer.{layer.name}.{fact} of {name}" for fact in ("height", "width", "maps")]
            assert tuple(work_out(vocabulary, fact) for fact in facts) == shape


@pytest.mark.slow
def test_what_is_said_of_a_drawing_is_what_keras_computes(shipped: TestClient, keras_models: dict[str, Any]) -> None:
    """The image is the page's own, and the rest is Keras' and NumPy's."""
    import keras

    vocabulary: Vocabulary = shipped.app.state.vocabulary  # type: ignore[attr-defined]
    model = keras_models["digits"]
    network = vocabulary.library.network("digits")
    image = vocabulary.passes.run(network, draw_sample("7"), None).image
    every = keras.Model(model.inputs, [layer.output for layer in model.layers])
    outputs = dict(zip((layer.name for layer in model.layers), every.predict(image[None], verbose=0), strict=True))
    conv_2, pool_1 = outputs["conv_2"][0], outputs["pool_1"][0]

    def said(text: str, page: str = "") -> Value:
        return work_out(vocabulary, text, f"/?model=digits&sample=7{page}")

    assert said("layer.conv_2.zeros") == pytest.approx((conv_2 == 0).mean(), abs=1e-3)
    assert said("layer.conv_2.highest") == pytest.approx(conv_2.max(), abs=1e-4)
    assert said("layer.conv_2.lowest") == conv_2.min() == 0
    assert said("layer.conv_2.mean") == pytest.approx(conv_2.mean(), abs=1e-5)
    assert said("layer.conv_2.strongest") == conv_2.sum(axis=(0, 1)).argmax()
    assert said("layer.conv_4.constant") == (np.ptp(outputs["conv_4"][0], axis=(0, 1)) == 0).sum()
    assert said("answer.label") == str(outputs["digit"][0].argmax())
    assert said("answer.probability") == pytest.approx(outputs["digit"][0].max(), abs=1e-4)
    assert said("answer.second") == str(outputs["digit"][0].argsort()[-2])
    window = conv_2[8:10, 4:6, 6]
    page = "&layer=pool_1&channel=6&row=4&column=2"
    assert said("cell.value", page) == pytest.approx(pool_1[4, 2, 6], abs=1e-4)
    for fact, value in {"maximum": window.max(), "average": window.mean(), "minimum": window.min()}.items():
        assert said(f"cell.{fact}", page) == pytest.approx(value, abs=1e-4)
    assert said("cell.value under min", page) != said("cell.value", page)
    averaged = conv_2.reshape(12, 2, 12, 2, 16).mean(axis=(1, 3))
    assert said("layer.pool_1.zeros under average") == pytest.approx((averaged == 0).mean(), abs=1e-3)
    kernel, bias = (np.asarray(each) for each in model.get_layer("conv_1").get_weights())
    page = "&layer=conv_1&channel=14&row=7&column=12"
    total = (image[7:10, 12:15, 0] * kernel[:, :, 0, 14]).sum() + bias[14]
    assert said("cell.sum", page) == pytest.approx(total, abs=1e-4)
    assert said("cell.bias", page) == pytest.approx(bias[14], abs=1e-6)


def test_the_card_tells_accuracies(vocabulary: Vocabulary) -> None:
    card = vocabulary.library.card("digits")
    assert work_out(vocabulary, "accuracy") == card.test_accuracy
    for mode, accuracy in card.test_accuracy_by_pooling.items():
        assert work_out(vocabulary, f"accuracy.{mode}") == accuracy
        assert work_out(vocabulary, f"accuracy.{mode} of digits", "/?model=untrained") == accuracy
    assert work_out(vocabulary, "digits.test") == 10_000


def test_a_step_is_of_its_own_page(vocabulary: Vocabulary) -> None:
    assert work_out(vocabulary, "answer.label", "/?model=digits&sample=3") == "3"
    assert work_out(vocabulary, "answer.label for 4", "/?model=digits&sample=3") == "4"
    assert work_out(vocabulary, "answer.label", "/?model=digits&pooling=min&sample=3") == "1"
    assert work_out(vocabulary, "answer.label under max", "/?model=digits&pooling=min&sample=3") == "3"
    assert work_out(vocabulary, "model.name", "/?model=digits&pooling=min&weights=retrained") == "digits-min"
    assert work_out(vocabulary, "model.name", "/") == vocabulary.library.default_name
    assert work_out(vocabulary, "input.width", "/?model=five-layer-convolutional&sample=3") == 280
    assert work_out(vocabulary, "layer.outline.width", "/?model=five-layer-convolutional&sample=3") == 280
    assert work_out(vocabulary, "layer.outline.sees", "/?model=five-layer-convolutional") == "11×11"
    assert work_out(vocabulary, "model.heaviest") == "dense_1"
    assert work_out(vocabulary, "layer.conv_1.silent", "/?model=untrained&sample=7") == 15


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("weather.today", "There is no “weather.today”. An expression begins with layer, model, accuracy, input,"),
        ("layer.conv_1", "write layer.NAME.FACT"),
        ("layer.conv_9.width", "has no layer “conv_9”"),
        ("layer.conv_1.colour", "There is no “layer.colour”. There is: width, height, maps"),
        ("layer.flatten.window", "has no window"),
        ("layer.conv_1.silent", "no map that is zero everywhere"),
        ("model.name of missing", "There is no model “missing”"),
        ("answer.label under mid", "There is no pooling mode “mid”"),
        ("answer.label for x", "There is no sample “x”"),
        ("answer.label of five-layer-convolutional", "answers with a picture"),
        ("answer.second of five-layer-convolutional", "answers with a picture"),
        ("accuracy of five-layer-convolutional", "tells no accuracy"),
        ("accuracy.min of five-layer-dense", "tells no accuracy under “min”"),
        ("cell.value", "No cell is held here"),
    ],
)
def test_what_there_is_not_is_said(vocabulary: Vocabulary, text: str, sentence: str) -> None:
    with pytest.raises(Fault) as raised:
        work_out(vocabulary, text)
    assert sentence in str(raised.value)


@pytest.mark.parametrize(
    ("page", "text", "sentence"),
    [
        ("/?model=digits#d=x", "answer.label", "a person's own"),
        ("/?model=digits&layer=conv_1", "cell.maximum", "does not pool"),
        ("/?model=digits&layer=pool_1", "cell.bias", "no sum with a bias"),
        ("/?model=digits&layer=conv_9", "cell.value", "no layer “conv_9”"),
        ("/?model=digits&layer=conv_1&channel=99", "cell.value", "There is no feature map 99"),
    ],
)
def test_what_a_page_does_not_hold_is_said(vocabulary: Vocabulary, page: str, text: str, sentence: str) -> None:
    with pytest.raises(Fault) as raised:
        work_out(vocabulary, text, page)
    assert sentence in str(raised.value)


def test_where_all_would_wait_other_models_are_refused(mine: Path, models: Path) -> None:
    library = Library(models, (), (mine,), None)
    try:
        resolve = Vocabulary(library, ForwardPasses()).of_built_in_models().resolver(Place.parse("/", PAGES))
        assert resolve(parse_expression("model.name of digits")) == "digits"
        with pytest.raises(Fault, match=f"No number of “{mine.stem}” is worked out"):
            resolve(parse_expression(f"model.name of {mine.stem}"))
    finally:
        library.close()


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        ("/?model=missing", "There is no model “missing”"),
        ("/?model=digits&layer=conv_9", "has no layer “conv_9”"),
        ("/?model=digits&layer=conv_1&channel=16", "has no map 16. It has 16, from 0 to 15"),
        ("/?model=digits&layer=conv_1&row=26&column=0", "has no row 26"),
        ("/?model=digits&layer=digit&column=10", "has no column 10"),
    ],
)
def test_a_page_that_there_is_not_is_said(vocabulary: Vocabulary, page: str, sentence: str) -> None:
    with pytest.raises(Fault) as raised:
        vocabulary.check_place(Place.parse(page, PAGES))
    assert sentence in str(raised.value)
