import io
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from numpy.typing import NDArray
from PIL import Image

from app.cnn.network import ForwardPass, Network
from app.cnn.types import PoolingMode
from app.explore.exploration import (
    LayerView,
    MapRange,
    NotAFeatureMap,
    RenderOptions,
    draw_answer,
    draw_feature_map,
    draw_image,
    draw_layer,
    explore,
)
from app.explore.forward_passes import preprocess
from app.explore.inspection import Place, inspect
from app.explore.microscope import view_inspection
from app.explore.prediction import NoClasses, predict
from app.imaging.colormap import Colormap, Scale, find_extremes
from app.imaging.grid import draw_grid, draw_strip
from app.imaging.ink import normalise, read_ink
from app.library.library import Library
from tests.explore.test_preprocess import colours, of_shape
from tests.pictures import decode_rgba, encode
from tests.small_models import build_logistic, card, parts


@pytest.fixture
def digits(library: Library) -> Network:
    return library.network("digits")


@pytest.fixture
def image(digits: Network, four: bytes) -> NDArray[np.float32]:
    return preprocess(four, digits.card)


def test_exploring_shows_every_layer_in_order(digits: Network, image: NDArray[np.float32]) -> None:
    exploration = explore(digits, digits.run(image, None), RenderOptions())
    assert [view.layer for view in exploration.layers] == list(digits.layers)
    assert exploration.network is digits
    for view in exploration.layers:
        assert view.activation is exploration.forward.activations[view.layer.name]
        assert view.receptive_field == digits.receptive_fields[view.layer.name]


def test_exploring_shows_the_layers_that_are_named(digits: Network, image: NDArray[np.float32]) -> None:
    shown = [MapRange(digits.layer("pool1")), MapRange(digits.layer("answer"))]
    exploration = explore(digits, digits.run(image, None), RenderOptions(), shown)
    assert [view.layer.name for view in exploration.layers] == ["pool1", "answer"]
    assert list(exploration.forward.activations) == [layer.name for layer in digits.layers]


def test_feature_maps_are_drawn_as_a_grid_and_vectors_as_a_strip(digits: Network, image: NDArray[np.float32]) -> None:
    options = RenderOptions(columns=3)
    views = {view.layer.name: view for view in explore(digits, digits.run(image, None), options).layers}
    pool1, answer = views["pool1"], views["answer"]
    assert pool1.grid == draw_grid(pool1.activation, Colormap.VIRIDIS, Scale.LAYER, 3)
    assert answer.grid == draw_strip(answer.activation, Colormap.VIRIDIS)


def test_only_feature_maps_lie_over_the_image(digits: Network, image: NDArray[np.float32]) -> None:
    views = {view.layer.name: view for view in explore(digits, digits.run(image, None), RenderOptions()).layers}
    assert views["conv1"].extent == (1, 1, 27, 27)
    assert views["flatten"].extent is None


def test_another_pooling_gives_another_exploration(digits: Network, image: NDArray[np.float32]) -> None:
    by_mode = {mode: explore(digits, digits.run(image, mode), RenderOptions()) for mode in PoolingMode}
    assert [exploration.prediction.pooling for exploration in by_mode.values() if exploration.prediction] == list(
        PoolingMode
    )
    activations = [exploration.forward.activations["pool1"] for exploration in by_mode.values()]
    assert (activations[0] >= activations[1]).all() and (activations[1] >= activations[2]).all()


def test_a_prediction_is_read_from_the_last_layer(digits: Network, image: NDArray[np.float32]) -> None:
    forward = digits.run(image)
    prediction = predict(digits, forward)
    assert [each.label for each in prediction.probabilities] == list("0123456789")
    assert [each.probability for each in prediction.probabilities] == forward.output.tolist()
    assert prediction.label == str(forward.output.argmax())
    assert prediction.probability == forward.output.max()
    assert (prediction.model, prediction.pooling) == ("digits", PoolingMode.MAX)
    assert not prediction.is_binary


def test_the_ranking_begins_with_the_most_likely(digits: Network, image: NDArray[np.float32]) -> None:
    ranked = predict(digits, digits.run(image)).ranked
    assert [each.probability for each in ranked] == sorted((each.probability for each in ranked), reverse=True)
    assert {each.label for each in ranked} == set("0123456789")


def lone_neuron(value: float) -> tuple[Network, ForwardPass]:
    """A network of one logistic neuron, and what it made of an image whose answer is this value."""
    model = keras.Sequential([keras.Input((2, 2, 1)), layers.Flatten(), layers.Dense(1, activation="sigmoid")])
    model.layers[-1].set_weights([np.zeros((4, 1)), np.array([np.log(value / (1 - value))])])
    network = Network("lone", parts(model), card(model, classes=["no", "yes"]))
    return network, network.run(np.zeros((2, 2, 1), dtype=np.float32))


@pytest.mark.parametrize(("value", "label"), [(0.9, "yes"), (0.2, "no")])
def test_a_lone_neuron_gives_the_probability_of_the_second_class(value: float, label: str) -> None:
    prediction = predict(*lone_neuron(value))
    assert prediction.is_binary
    assert prediction.label == label
    assert [each.label for each in prediction.probabilities] == ["no", "yes"]
    assert [each.probability for each in prediction.probabilities] == pytest.approx([1 - value, value], abs=1e-6)


def test_a_network_that_answers_with_a_picture_predicts_no_class(library: Library, four: bytes) -> None:
    network = library.network("picture")
    image = preprocess(four, network.card)
    with pytest.raises(NoClasses, match="“picture” answers with a picture"):
        predict(network, network.run(image))
    assert explore(network, network.run(image, None), RenderOptions()).prediction is None


@pytest.mark.parametrize(
    ("options", "lowest", "colormap"),
    [
        (RenderOptions(), 0.0, Colormap.VIRIDIS),
        (RenderOptions(), -0.1, Colormap.BERLIN),
        (RenderOptions(Colormap.MAGMA), 0.0, Colormap.MAGMA),
        (RenderOptions(Colormap.MAGMA), -0.1, Colormap.BERLIN),
        (RenderOptions(Colormap.MAGMA, signed=None), -0.1, Colormap.MAGMA),
    ],
)
def test_maps_with_negative_values_have_their_own_colour_map(
    options: RenderOptions, lowest: float, colormap: Colormap
) -> None:
    assert options.colormap_for(np.array([lowest, 1], dtype=np.float32)) is colormap


@pytest.mark.parametrize("scale", [Scale.LAYER, Scale.MAP])
def test_a_layer_s_picture_is_that_of_its_activation(digits: Network, image: NDArray[np.float32], scale: Scale) -> None:
    forward = digits.run(image)
    grid = draw_layer(forward, MapRange(digits.layer("conv2")), RenderOptions(scale=scale, columns=5))
    assert forward.activations["conv2"].min() < 0
    assert grid == draw_grid(forward.activations["conv2"], Colormap.BERLIN, scale, 5)


def test_a_vector_has_no_grid_of_feature_maps(digits: Network, image: NDArray[np.float32]) -> None:
    with pytest.raises(NotAFeatureMap, match=r"“answer” \(Dense\) has no feature maps"):
        draw_layer(digits.run(image), MapRange(digits.layer("answer")), RenderOptions())


@pytest.mark.parametrize("channel", [0, 7, 19])
def test_one_feature_map_is_cut_out_of_its_layer_s_picture(
    digits: Network, image: NDArray[np.float32], channel: int
) -> None:
    forward, layer = digits.run(image), digits.layer("conv2")
    whole = decode_rgba(draw_layer(forward, MapRange(layer), RenderOptions(columns=1)).png)
    height = forward.activations["conv2"].shape[0]
    alone = decode_rgba(draw_feature_map(forward, layer, channel, RenderOptions()).png)
    np.testing.assert_array_equal(alone, whole[channel * (height + 1) :][:height])


@pytest.mark.parametrize("channel", [-1, 20, 10**9])
def test_a_feature_map_that_is_not_there_is_refused_with_those_that_are(
    digits: Network, image: NDArray[np.float32], channel: int
) -> None:
    with pytest.raises(NotAFeatureMap, match=f"no feature map {channel}. It has 0 to 19"):
        draw_feature_map(digits.run(image), digits.layer("conv2"), channel, RenderOptions())


def test_a_vector_has_no_single_feature_map(digits: Network, image: NDArray[np.float32]) -> None:
    with pytest.raises(NotAFeatureMap, match="its output is a vector"):
        draw_feature_map(digits.run(image), digits.layer("flatten"), 0, RenderOptions())


def view_of(digits: Network, activation: NDArray[np.float32]) -> LayerView:
    image = np.zeros((28, 28, 1), dtype=np.float32)
    return LayerView(digits, image, digits.layer("conv1"), activation, find_extremes(activation), draw_grid(activation))


@pytest.fixture
def three_maps(digits: Network) -> LayerView:
    """Map 0 is 2 everywhere, map 1 goes from -9 to 0, map 2 from 0 to 6."""
    activation = np.zeros((2, 2, 3), dtype=np.float32)
    activation[..., 0] = 2
    activation[..., 1] = [[-9, 0], [-9, -8]]
    activation[..., 2] = [[0, 6], [6, 6]]
    return view_of(digits, activation)


def test_a_view_knows_its_extremes_and_its_mean(three_maps: LayerView) -> None:
    assert (three_maps.minimum, three_maps.maximum) == (-9, 6)
    assert three_maps.mean == pytest.approx((8 - 26 + 18) / 12)


def test_constant_maps_are_named(three_maps: LayerView) -> None:
    assert three_maps.constant_maps == [0]


def test_the_strongest_map_has_the_largest_mean_absolute_value(three_maps: LayerView) -> None:
    assert three_maps.strongest_map == 1


@pytest.mark.parametrize(("paper", "full"), [(0, 1), (1, 0), (-1, 1)])
def test_what_the_network_sees_is_shown_as_bright_ink_on_black(four: bytes, paper: float, full: float) -> None:
    facts = card(build_logistic(), value_range=(paper, full))
    shown = np.asarray(Image.open(io.BytesIO(draw_image(preprocess(four, facts), facts))))
    assert np.abs(shown.astype(int) - normalise(read_ink(four))).max() <= 1


def test_an_answer_that_is_a_picture_is_shown_in_grey(library: Library, four: bytes) -> None:
    network = library.network("picture")
    forward = network.run(preprocess(four, network.card))
    shown = np.asarray(Image.open(io.BytesIO(draw_answer(forward))))
    np.testing.assert_allclose(shown / 255, forward.output[..., 0], atol=0.5 / 255 + 1e-6)


def test_a_model_s_file_changes_nothing_about_its_answer(models: Path, digits: Network, four: bytes) -> None:
    loaded = keras.models.load_model(models / "digits.keras", compile=False)
    image = preprocess(four, digits.card)
    expected = np.asarray(loaded(image[np.newaxis]))[0]
    found = [each.probability for each in predict(digits, digits.run(image)).probabilities]
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_what_the_network_sees_in_colour_is_shown_in_colour(order: str) -> None:
    pixels = colours(8, 9)
    norm = {"value_range": (0, 255), "mean": [100, 110, 120], "std": [50, 60, 70], "channel_order": order}
    facts = of_shape(8, 9, 3, fit="fit", ink="dark", **norm)
    shown = draw_image(preprocess(encode(Image.fromarray(pixels)), facts), facts)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(shown))), pixels)


def test_alpha_is_shown_on_paper() -> None:
    pad = Image.new("RGBA", (4, 4))
    pad.putpixel((1, 1), (200, 0, 0, 255))
    for ink, paper, stroke in (("dark", 255, [200, 0, 0]), ("bright", 0, [55, 255, 255])):
        facts = of_shape(4, 4, 4, fit="fit", ink=ink)
        shown = np.asarray(Image.open(io.BytesIO(draw_image(preprocess(encode(pad), facts), facts))))
        assert shown[0, 0].tolist() == [paper] * 3 and shown[1, 1].tolist() == stroke


def test_two_channels_are_shown_in_grey() -> None:
    facts = of_shape(4, 4, 2, fit="fit", ink="dark")
    shown = Image.open(io.BytesIO(draw_image(preprocess(encode(Image.new("L", (4, 4), 77)), facts), facts)))
    assert (shown.mode, shown.getpixel((0, 0))) == ("L", 77)


def test_a_picture_that_is_not_a_number_is_drawn_all_the_same() -> None:
    output = np.array([[[np.nan], [np.inf]], [[-np.inf], [0.5]]], dtype=np.float32)
    drawn = np.asarray(Image.open(io.BytesIO(draw_answer(ForwardPass(output, None, {"answer": output})))))
    assert drawn.tolist() == [[0, 255], [0, 128]]


@pytest.mark.parametrize("mode", [PoolingMode.AVERAGE, PoolingMode.MIN])
def test_a_held_scale_is_the_one_as_trained(digits: Network, image: NDArray[np.float32], mode: PoolingMode) -> None:
    trained, other = digits.run(image), digits.run(image, mode)
    held = explore(digits, other, RenderOptions(scale=Scale.HOLD, trained=trained)).layers
    own = explore(digits, trained, RenderOptions()).layers
    for view, as_trained in zip(held, own, strict=True):
        low, high = as_trained.grid.low, as_trained.grid.high
        assert (view.grid.low, view.grid.high) == (low, high)
        if view.layer.is_spatial:  # what lies beyond the ends has the colour of the end
            clipped = np.clip(view.activation, low, high)
            ends = find_extremes(as_trained.activation)
            assert view.grid.png == draw_grid(clipped, view.grid.colormap, extremes=ends).png
    layer = digits.layer("pool1")
    options = RenderOptions(scale=Scale.HOLD, trained=trained)
    whole = decode_rgba(draw_layer(other, MapRange(layer), options).png)
    one = decode_rgba(draw_feature_map(other, layer, 0, options).png)
    np.testing.assert_array_equal(one, whole[: one.shape[0], : one.shape[1]])


def test_a_held_scale_is_the_own_one_where_values_are_not_finite(digits: Network, image: NDArray[np.float32]) -> None:
    trained = digits.run(image)
    other = digits.run(np.full_like(image, np.nan), PoolingMode.MIN)
    for view in explore(digits, other, RenderOptions(scale=Scale.HOLD, trained=trained)).layers:
        assert view.grid.scale is Scale.LAYER


def test_differences_are_from_the_pass_as_trained(digits: Network, image: NDArray[np.float32]) -> None:
    trained, other = digits.run(image), digits.run(image, PoolingMode.MIN)
    for view in explore(digits, other, RenderOptions(trained=trained, differences=True)).layers:
        change = other.activations[view.layer.name] - trained.activations[view.layer.name]
        assert view.is_difference
        draw = draw_grid if view.layer.is_spatial else draw_strip
        assert view.grid.png == draw(change, Colormap.BERLIN).png
    assert not any(view.is_difference for view in explore(digits, other, RenderOptions(differences=True)).layers)


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [(0, 0, "upper left"), (4, 4, "middle"), (8, 4, "lower middle"), (4, 8, "middle right")],
)
def test_a_map_is_described_by_where_it_is_strongest(row: int, column: int, words: str) -> None:
    image = np.zeros((9, 9, 1), np.float32)
    image[row, column] = -9.0
    image[3, 3] = 1.0
    model = keras.Sequential([keras.Input((9, 9, 1)), layers.MaxPooling2D(1, name="same")])
    network = Network("one", parts(model), card(model, classes=[], pooling="max"))
    forward = network.run(image)
    inspection = inspect(network, forward, network.layer("same"), Place(0, 0, 0))
    assert view_inspection(inspection, RenderOptions()).map_words == f"strongest at the {words}, mean {-8 / 81:.3g}"


def test_the_map_to_begin_with_has_the_first_convolution_s_highest_value(
    digits: Network, image: NDArray[np.float32]
) -> None:
    forward = digits.run(image)
    highest = forward.activations["conv1"].max(axis=(0, 1)).argmax()
    assert explore(digits, forward, RenderOptions()).example == ("conv1", highest)
    assert explore(digits, forward, RenderOptions(), []).example is None
