from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from keras import Input, Sequential, layers
from numpy.typing import NDArray

from app.cnn.network import Network
from app.cnn.preprocessing import to_levels, to_values
from app.cnn.types import PoolingMode
from app.explore.comparison import (
    ComparedLayer,
    Comparison,
    NoPooling,
    accuracies,
    compare,
    distance,
    pool_image,
)
from app.explore.exploration import RenderOptions, draw_answer, explore
from app.explore.forward_passes import preprocess, swap_ink_and_paper
from app.imaging.colormap import Colormap, Scale
from app.imaging.grid import draw_grid, draw_grids, draw_strips
from app.library.library import Library
from tests import reference
from tests.pictures import decode_rgba
from tests.small_models import build_branches, build_digits, card, parts, with_random_weights

EVERY_MODE = pytest.mark.parametrize("mode", list(PoolingMode))
VECTORS = arrays(np.float32, 6, elements=st.floats(-1e6, 1e6, width=32))


@pytest.fixture
def digits(library: Library) -> Network:
    return library.network("digits")


@pytest.fixture
def image(digits: Network, four: bytes) -> NDArray[np.float32]:
    return preprocess(four, digits.card)


@pytest.fixture
def comparison(image: NDArray[np.float32], digits: Network) -> Comparison:
    return compare(digits, partial(digits.run, image), RenderOptions(), differences=True)


def cells(comparison: Comparison, layer: str) -> dict[PoolingMode, ComparedLayer]:
    return {
        column.pooling: next(cell for cell in column.layers if cell.view.layer.name == layer)
        for column in comparison.columns
    }


def test_there_is_a_column_for_each_mode(comparison: Comparison) -> None:
    assert [column.pooling for column in comparison.columns] == ["max", "average", "min"]
    assert [column.is_as_trained for column in comparison.columns] == [True, False, False]
    assert comparison.as_trained is comparison.columns[0]


def test_it_starts_with_the_first_pooling_layer(comparison: Comparison, digits: Network) -> None:
    names = [layer.name for layer in digits.layers]
    for column in comparison.columns:
        assert [cell.view.layer.name for cell in column.layers] == names[names.index("pool1") :]


def test_each_column_is_pooled_by_the_book(comparison: Comparison, digits: Network, image: NDArray[np.float32]) -> None:
    convolved = digits.run(image).activations["conv1"]
    for mode, cell in cells(comparison, "pool1").items():
        expected = reference.pool(convolved, mode, (2, 2), (2, 2), "valid")
        np.testing.assert_allclose(cell.view.activation, expected, rtol=1e-5, atol=1e-6)


@EVERY_MODE
def test_each_column_is_what_the_explorer_shows(
    comparison: Comparison, digits: Network, image: NDArray[np.float32], mode: PoolingMode
) -> None:
    exploration = explore(digits, digits.run(image, mode), RenderOptions())
    (column,) = [column for column in comparison.columns if column.pooling is mode]
    assert column.prediction == exploration.prediction
    shown = {view.layer.name: view.activation for view in exploration.layers}
    for cell in column.layers:
        np.testing.assert_array_equal(cell.view.activation, shown[cell.view.layer.name])


@pytest.mark.parametrize("scale", list(Scale))
def test_the_three_pictures_of_a_layer_share_one_scale(
    digits: Network, image: NDArray[np.float32], scale: Scale
) -> None:
    comparison = compare(digits, partial(digits.run, image), RenderOptions(scale=scale, columns=3))
    for name in ("pool1", "conv2"):
        row = list(cells(comparison, name).values())
        activations = [cell.view.activation for cell in row]
        signed = Colormap.BERLIN if min(activation.min() for activation in activations) < 0 else Colormap.VIRIDIS
        # The same three one above the other, as one activation, have one scale by draw_grid's own rule.
        whole = draw_grid(np.concatenate(activations), signed, scale, 1)
        assert {cell.view.grid.colormap for cell in row} == {signed}
        assert {(cell.view.grid.low, cell.view.grid.high) for cell in row} == {(whole.low, whole.high)}
        expected = decode_rgba(whole.png)[: whole.map_height]
        found = [decode_rgba(cell.view.grid.png)[: cell.view.grid.map_height, : whole.map_width] for cell in row]
        np.testing.assert_array_equal(np.concatenate(found), expected)


def test_a_vector_s_strips_share_one_scale(comparison: Comparison) -> None:
    row = list(cells(comparison, "answer").values())
    values = np.stack([cell.view.activation for cell in row])
    assert {(cell.view.grid.low, cell.view.grid.high) for cell in row} == {(values.min(), values.max())}


def test_a_difference_is_the_activation_minus_the_one_as_trained(comparison: Comparison) -> None:
    row = list(cells(comparison, "conv2").values())
    apart = [cell.view.activation - row[0].view.activation for cell in row]
    for cell, expected in zip(row, draw_grids(apart, Colormap.BERLIN), strict=True):
        assert cell.difference == expected
    largest = max(np.abs(each).max() for each in apart)
    assert row[1].difference is not None
    assert (row[1].difference.low, row[1].difference.high) == (-largest, largest)


def test_differences_are_drawn_on_demand_only(digits: Network, image: NDArray[np.float32]) -> None:
    comparison = compare(digits, partial(digits.run, image), RenderOptions())
    assert all(cell.difference is None for column in comparison.columns for cell in column.layers)


def test_the_column_as_trained_differs_nowhere(comparison: Comparison) -> None:
    column = comparison.columns[0]
    assert [cell.distance for cell in column.layers] == [0] * len(column.layers)
    assert [cell.farthest_map for cell in column.layers] == [None] * len(column.layers)
    assert column.farthest is None


def test_distances_by_the_book(comparison: Comparison) -> None:
    for row in comparison.rows:
        trained = row[0].view.activation.ravel().tolist()
        for cell in row[1:]:
            own = cell.view.activation.ravel().tolist()
            apart = sum(abs(a - t) for a, t in zip(own, trained, strict=True))
            size = sum(abs(a) + abs(t) for a, t in zip(own, trained, strict=True))
            assert cell.distance == pytest.approx(apart / size)


def test_the_map_that_differs_most(comparison: Comparison) -> None:
    row = cells(comparison, "conv2")
    sums = [
        np.abs(row[PoolingMode.MIN].view.activation[..., channel] - row[PoolingMode.MAX].view.activation[..., channel])
        .astype(float)
        .sum()
        for channel in range(20)
    ]
    assert row[PoolingMode.MIN].farthest_map == sums.index(max(sums))
    assert cells(comparison, "answer")[PoolingMode.MIN].farthest_map is None


def test_where_a_column_differs_most_is_before_the_answer(comparison: Comparison) -> None:
    for column in comparison.columns[1:]:
        largest = max(cell.distance for cell in column.layers[:-1])
        assert column.farthest is not None
        # Of equals, such as a layer and its flattening, the first.
        assert column.farthest is next(cell for cell in column.layers if cell.distance == largest)
    assert comparison.farthest is max(
        comparison.columns[1:], key=lambda column: column.farthest.distance if column.farthest else 0
    )


def test_nothing_differs_for_a_network_that_is_blind(digits: Network, image: NDArray[np.float32]) -> None:
    model = build_digits()
    for weight in model.weights:
        weight.assign(np.zeros(weight.shape))
    blind = Network("blind", parts(model), card(model, pooling="max"))
    comparison = compare(blind, partial(blind.run, image), RenderOptions(), differences=True)
    assert comparison.farthest is None
    assert all(cell.distance == 0 for column in comparison.columns for cell in column.layers)


def test_values_that_are_not_finite_count_for_nothing() -> None:
    odd = np.array([np.inf, np.nan, 1, 1], dtype=np.float32)
    assert distance(odd, np.array([np.inf, 5, -np.inf, 3], dtype=np.float32)) == 0.5


@given(VECTORS, VECTORS)
def test_a_distance_is_from_0_to_1_and_the_same_both_ways(
    first: NDArray[np.float32], second: NDArray[np.float32]
) -> None:
    assert 0 <= distance(first, second) <= 1
    assert distance(first, second) == distance(second, first)
    assert distance(first, first) == 0


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [([1, 2], [1, 2], 0), ([0, 0], [0, 0], 0), ([1, 0], [0, 3], 1), ([1, -2], [-3, 4], 1), ([1, 1], [3, 3], 0.5)],
)
def test_distances_that_can_be_reckoned_in_the_head(first: list[float], second: list[float], expected: float) -> None:
    assert distance(np.array(first, np.float32), np.array(second, np.float32)) == expected


def test_a_network_of_several_modes_is_compared_with_itself_as_trained(library: Library, four: bytes) -> None:
    network = library.network("branches")
    image = preprocess(four, network.card)
    comparison = compare(network, partial(network.run, image), RenderOptions())
    assert comparison.as_trained is None
    trained = network.run(image).activations
    for row in comparison.rows:
        for cell in row:
            assert cell.distance == distance(cell.view.activation, trained[cell.view.layer.name])
    # Its left branch was trained with max, its right one with average.
    assert cells(comparison, "left_max")[PoolingMode.MAX].distance == 0
    assert cells(comparison, "left_max")[PoolingMode.AVERAGE].distance > 0
    assert cells(comparison, "right_average")[PoolingMode.AVERAGE].distance == 0


def test_a_network_without_pooling_cannot_be_compared(library: Library, image: NDArray[np.float32]) -> None:
    with pytest.raises(NoPooling, match="“logistic” has no pooling layer"):
        compare(library.network("logistic"), lambda mode: library.network("logistic").run(image, mode), RenderOptions())


def test_a_lone_logistic_neuron_answers(image: NDArray[np.float32]) -> None:
    model = Sequential(
        [
            Input((28, 28, 1)),
            layers.Conv2D(2, 3),
            layers.AveragePooling2D(2, name="pool"),
            layers.Flatten(),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    network = Network("one", parts(with_random_weights(model)), card(model, classes=["even", "odd"], pooling="average"))
    comparison = compare(network, partial(network.run, image), RenderOptions())
    for column in comparison.columns:
        assert column.prediction is not None and column.prediction.is_binary
        assert column.prediction.probabilities[1].probability == pytest.approx(float(column.forward.output[0]))
    assert [column.is_as_trained for column in comparison.columns] == [False, True, False]


def test_an_answer_that_is_a_picture(image: NDArray[np.float32]) -> None:
    model = Sequential(
        [
            Input((28, 28, 1)),
            layers.MaxPooling2D(2, name="pool"),
            layers.UpSampling2D(2),
            layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
        ]
    )
    network = Network("picture", parts(with_random_weights(model)), card(model, classes=[], pooling="max"))
    comparison = compare(network, partial(network.run, image), RenderOptions())
    for column in comparison.columns:
        assert column.prediction is None
        assert column.picture == draw_answer(column.forward)


def test_swapping_turns_colours_round_and_leaves_alpha() -> None:
    levels = np.random.default_rng(0).integers(0, 256, (4, 4, 4), dtype=np.uint8)
    own = card(build_digits(), input_shape=(4, 4, 4), mean=[0.5, 0.4, 0.3, 0], std=[0.2, 0.3, 0.4, 1])
    swapped = to_levels(swap_ink_and_paper(to_values(levels, own), own), own)
    np.testing.assert_allclose(swapped[..., :3], 255 - levels[..., :3], atol=1e-3)
    np.testing.assert_allclose(swapped[..., 3], levels[..., 3], atol=1e-3)


@pytest.mark.parametrize(("paper", "full"), [(0, 1), (1, 0), (-1, 1), (0, 255)])
def test_swapping_ink_and_paper(paper: float, full: float) -> None:
    ink = np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3, 1)
    own_card = card(build_branches(), value_range=(paper, full))
    image = (paper + ink * (full - paper)).astype(np.float32)
    swapped = swap_ink_and_paper(image, own_card)
    assert swapped.dtype == np.float32
    np.testing.assert_allclose(swapped, paper + (1 - ink) * (full - paper), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(swap_ink_and_paper(swapped, own_card), image, rtol=1e-5, atol=1e-5)


@EVERY_MODE
@pytest.mark.parametrize("shape", [(6, 4, 1), (5, 7, 3), (2, 3, 2)])
def test_the_picture_itself_is_pooled_by_the_book(mode: PoolingMode, shape: tuple[int, int, int]) -> None:
    image = np.random.default_rng(0).normal(0, 1, shape).astype(np.float32)
    np.testing.assert_allclose(pool_image(image, mode), reference.pool(image, mode, (2, 2), (2, 2), "valid"), rtol=1e-5)


@EVERY_MODE
@pytest.mark.parametrize("shape", [(1, 5, 1), (3, 1, 2)])
def test_a_picture_of_one_row_or_column_stays_as_it_is(mode: PoolingMode, shape: tuple[int, int, int]) -> None:
    image = np.ones(shape, dtype=np.float32)
    assert pool_image(image, mode) is image


def test_min_pooling_of_dark_ink_is_max_pooling_of_bright_ink(image: NDArray[np.float32], digits: Network) -> None:
    dark = swap_ink_and_paper(image, digits.card)
    expected = swap_ink_and_paper(pool_image(image, PoolingMode.MAX), digits.card)
    np.testing.assert_array_equal(pool_image(dark, PoolingMode.MIN), expected)


def test_the_picture_is_shown_pooled_once_and_twice(comparison: Comparison) -> None:
    for column in comparison.columns:
        once, twice = column.pooled
        assert (once.map_height, once.map_width) == (14, 14)
        assert (twice.map_height, twice.map_width) == (7, 7)


def test_accuracies_are_those_of_the_cards(library: Library) -> None:
    found = accuracies(library.network("digits"), library)
    assert {mode: each.same_weights for mode, each in found.items()} == {"max": 0.9, "average": 0.8, "min": 0.7}
    assert {mode: each.retrained_model for mode, each in found.items()} == {
        "max": "digits",
        "average": None,  # the cards name no such model
        "min": "digits-min",
    }
    assert found[PoolingMode.MIN].retrained == library.network("digits-min").card.test_accuracy
    assert found[PoolingMode.AVERAGE].retrained is None


def test_a_model_whose_card_says_nothing_has_no_accuracies(library: Library) -> None:
    found = accuracies(library.network("branches"), library)
    assert all(each.same_weights is None and each.retrained is None for each in found.values())


def test_strips_of_several_rows_are_cut_where_a_single_one_is() -> None:
    vectors = [np.arange(7, dtype=np.float32), np.arange(7, 14, dtype=np.float32)]
    first, second = draw_strips(vectors, columns=3)
    assert (first.rows, first.columns, first.low, first.high) == (3, 3, 0, 13)
    assert decode_rgba(second.png)[2, :, 3].tolist() == [255, 0, 0]
