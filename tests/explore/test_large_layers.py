"""Large layers are shown in little memory, few at once, and given back."""

import threading
from collections.abc import Callable
from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers

from app.cnn.card import Answer
from app.cnn.network import ForwardPass, Network
from app.cnn.types import PoolingMode
from app.explore import comparison, exploration, large_layers
from app.explore import prediction as predictions
from app.explore.comparison import Comparison, compare, distance
from app.explore.exploration import (
    LayerView,
    MapRange,
    RenderOptions,
    TooManyPixels,
    count_pixels,
    draw_answer,
    draw_feature_map,
    draw_image,
    draw_layer,
    explore,
)
from app.explore.inspection import Place, find_place, inspect, strongest_cell
from app.explore.large_layers import LARGE, reading
from app.explore.microscope import MicroscopeView, own_map, path, terms, view, view_inspection
from app.explore.prediction import predict
from app.imaging import colormap as colormaps
from app.imaging.colormap import find_extremes
from app.imaging.grid import draw_grid
from tests.explore.large_pass import CHANNELS, SIDE, Mapped, large_network, large_pass
from tests.peaks import MEGABYTE, large, peak_of
from tests.pictures import decode_rgba
from tests.small_models import card, parts

SIZE = SIDE * SIDE * CHANNELS  # of a layer, 8 million
OPTIONS = RenderOptions()


def compare_all(differences: bool, mapped: Mapped | None = None, most_pixels: int | None = None) -> Comparison:
    network = large_network()
    return compare(
        network,
        lambda mode: large_pass(mapped, mode or PoolingMode.MAX),
        OPTIONS,
        differences,
        network.layers,
        most_pixels=most_pixels,
    )


def look_at(layer: str, everything: bool = False, mapped: Mapped | None = None) -> MicroscopeView:
    network, forward = large_network(), large_pass(mapped)
    place = find_place(forward, network.layer(layer), 3, None, None)
    return view_inspection(inspect(network, forward, network.layer(layer), place), OPTIONS, everything)


def explore_all(mapped: Mapped | None = None) -> tuple[LayerView, ...]:
    return explore(large_network(), large_pass(mapped), OPTIONS).layers


CALLS: dict[str, Callable[[Mapped | None], object]] = {
    "exploration": explore_all,
    "one layer": lambda mapped: draw_layer(large_pass(mapped), MapRange(large_network().layer("first")), OPTIONS),
    "one map": lambda mapped: draw_feature_map(large_pass(mapped), large_network().layer("first"), 2, OPTIONS),
    "comparison": lambda mapped: compare_all(True, mapped),
    "microscope of a convolution": lambda mapped: look_at("second", mapped=mapped),
    "microscope of pooling": lambda mapped: look_at("pooled", mapped=mapped),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_large_pass_is_shown_without_a_copy_of_a_layer(name: str) -> None:
    CALLS[name](None)
    # Two layers are drawn at once, each as bytes: half a float32 copy of one. Beside them are their PNGs.
    assert peak_of(lambda: CALLS[name](None)) < 3 * SIZE + 8 * MEGABYTE


def test_everything_of_a_large_layer_needs_little_more() -> None:
    look_at("second", everything=True)
    # The parts of the map are kept until their common scale is known.
    parts_kept = 4 * terms._MOST_RESULTS
    assert peak_of(lambda: look_at("second", everything=True)) < parts_kept + 12 * MEGABYTE


@pytest.mark.parametrize("name", CALLS)
def test_what_was_read_is_given_back(name: str) -> None:
    mapped = Mapped()
    CALLS[name](mapped)
    assert mapped.times > 0


def test_a_small_layer_is_not_given_back_by_itself() -> None:
    mapped = Mapped()
    draw_layer(
        replace(large_pass(mapped), activations={"first": large(8, 8, 4)}),
        MapRange(large_network().layer("first")),
        OPTIONS,
    )
    assert mapped.times == 0


def test_a_pass_in_memory_of_its_own_gives_nothing_back() -> None:
    large_pass().release_pages()


def test_few_large_layers_are_read_at_once() -> None:
    inside, most, lock, done = 0, 0, threading.Lock(), threading.Event()

    def read() -> None:
        nonlocal inside, most
        with reading(LARGE + 1):
            with lock:
                inside += 1
                most = max(most, inside)
            done.wait(0.05)
            with lock:
                inside -= 1

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


def test_a_layer_that_fails_ends_its_turn() -> None:
    for _ in range(5):
        with pytest.raises(ZeroDivisionError), reading(LARGE + 1):
            raise ZeroDivisionError
    assert large_layers._turns._value == 2


def view_of(activation: np.ndarray) -> LayerView:
    layer = large_network().layer("first")
    return LayerView(
        large_network(), large(8, 8, 1), layer, activation, find_extremes(activation), draw_grid(activation, count=1)
    )


def test_statistics_of_a_large_layer_need_no_copy() -> None:
    activation = large_pass().activations["first"]
    view = view_of(activation)
    assert peak_of(lambda: view.measure(activation)) < 4 * MEGABYTE


def test_a_large_layer_is_measured_when_it_is_drawn() -> None:
    (view,) = explore(large_network(), large_pass(), OPTIONS, [MapRange(large_network().layer("first"), 0, 1)]).layers
    assert {"mean", "strongest_map"} <= set(vars(view))
    assert view.mean == pytest.approx(float(view.activation.mean(dtype=np.float64)))
    assert view.strongest_map == np.abs(view.activation).sum(axis=(0, 1), dtype=np.float64).argmax()


@pytest.mark.parametrize("odd", [None, np.nan, np.inf])
@pytest.mark.parametrize("shape", [(40, 30, 7), (1, 2, 500), (900, 1, 1)])
def test_the_strongest_map_is_the_same_in_blocks(
    shape: tuple[int, ...], odd: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    activation = np.random.default_rng(3).normal(size=shape).astype(np.float32)
    if odd is not None:
        activation[-1, -1, shape[2] // 2] = odd
    expected = view_of(activation).strongest_map
    monkeypatch.setattr(exploration, "LARGE", 10)
    monkeypatch.setattr(exploration, "_MANY_MAPS", 64)
    monkeypatch.setattr(colormaps, "_BLOCK", 20)
    assert view_of(activation).strongest_map == expected


def test_millions_of_constant_maps_are_counted_and_not_all_named() -> None:
    activation = np.zeros((1, 2, 2**20), dtype=np.float32)
    activation[0, 1, :3] = 1
    forward = ForwardPass(large(8, 8, 1), None, {"first": activation})
    network = large_network()
    (view,) = explore(
        network, replace(large_pass(), activations=large_pass().activations | forward.activations), OPTIONS,
        [MapRange(network.layer("first"), 0, 4)],
    ).layers  # fmt: skip
    assert view.constant_count == 2**20 - 3
    assert view.constant_maps == list(range(3, 1003))
    assert (view.minimum, view.maximum) == (0, 1)
    assert view.extremes.low.size == 0


@pytest.mark.parametrize("odd", [None, np.nan, np.inf])
@pytest.mark.parametrize("shape", [(9, 11, 1), (1, 99, 1), (99,)])
def test_the_strongest_cell_is_the_same_in_blocks(
    shape: tuple[int, ...], odd: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = np.random.default_rng(4).normal(size=shape).astype(np.float32)
    if odd is not None:
        output[(0,) * (len(shape) - 2) + (5,) + (0,) * (len(shape) == 3)] = odd
    layer = large_network().layer("first")
    forward = ForwardPass(large(9, 11, 1), None, {"first": output})
    expected = strongest_cell(forward, layer, 0)
    monkeypatch.setattr(colormaps, "_BLOCK", 7)
    assert strongest_cell(forward, layer, 0) == expected


def test_the_distance_of_large_layers_is_that_of_all_their_values(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    first, second = (rng.normal(size=(30, 20, 6)).astype(np.float32) for _ in range(2))
    first[0, 0, 0] = np.nan
    expected = distance(first, second)
    monkeypatch.setattr(colormaps, "_BLOCK", 50)
    assert distance(first, second) == pytest.approx(expected, rel=1e-12)


def test_a_large_picture_is_drawn_some_cells_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    facts = large_network().card
    for channels in (1, 2, 3, 4, 5):
        image = rng.random((9, 7, channels)).astype(np.float32)
        forward = ForwardPass(image, None, {"answer": image})
        expected = draw_image(image, facts), draw_answer(forward)
        with monkeypatch.context() as patch:
            patch.setattr(exploration, "_AT_ONCE", 16)
            assert (draw_image(image, facts), draw_answer(forward)) == expected
    picture = large(1024, 1024, 4)
    # The levels, and the same as differences: a byte a pixel each. Then the PNG and its copies.
    assert peak_of(lambda: draw_answer(ForwardPass(picture, None, {"answer": picture}))) < 2 * 2**20 + 14 * MEGABYTE


def test_pixels_are_those_of_the_pictures() -> None:
    forward, network = large_pass(), large_network()
    for maps in (MapRange(network.layer("first"), 4, 9), MapRange(network.layer("strongest"), 2)):
        (view,) = explore(network, forward, OPTIONS, [maps]).layers
        assert count_pixels(forward, maps, OPTIONS) == view.grid.width * view.grid.height


def test_more_pixels_than_allowed_are_refused_before_they_are_drawn() -> None:
    network, forward = large_network(), large_pass()
    pixels = sum(count_pixels(forward, MapRange(layer), OPTIONS) for layer in network.layers)
    assert explore(network, forward, OPTIONS, None, pixels).layers
    with pytest.raises(TooManyPixels, match=f"{pixels:,} pixels; {pixels - 1:,} is the most.*layers="):
        explore(network, forward, OPTIONS, None, pixels - 1)
    with pytest.raises(TooManyPixels, match=f"{6 * pixels:,} pixels"):
        compare_all(True, most_pixels=6 * pixels - 1)
    with pytest.raises(TooManyPixels, match="count="):
        draw_layer(forward, MapRange(network.layer("first")), OPTIONS, 1000)


def test_the_farthest_layer_of_some_is_among_them() -> None:
    network = large_network()
    other = large_pass().activations | {"first": large_pass().activations["second"]}

    def run(mode: PoolingMode | None) -> ForwardPass:
        forward = large_pass(mode=mode or PoolingMode.MAX)
        return forward if mode is PoolingMode.MAX else replace(forward, activations=other)

    comparison = compare(network, run, OPTIONS, layers=[network.layer("first")], maps=1)
    assert [column.farthest is not None for column in comparison.columns] == [False, True, True]


# -- the microscope ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def eight_channels() -> tuple[Network, ForwardPass]:
    """A convolution that reads eight channels."""
    model = keras.Sequential(
        [keras.Input((12, 10, 8)), layers.Conv2D(4, 3, padding="same", name="conv"), layers.Flatten(), layers.Dense(3)]
    )
    network = Network("eight", parts(model), card(model, classes=[]))
    return network, network.run(np.random.default_rng(0).normal(size=(12, 10, 8)).astype(np.float32))


def look(given: tuple[Network, ForwardPass], everything: bool = False) -> MicroscopeView:
    network, forward = given
    return view_inspection(inspect(network, forward, network.layer("conv"), Place(1, 4, 5)), OPTIONS, everything)


def test_the_parts_of_a_map_are_the_same_in_groups(
    eight_channels: tuple[Network, ForwardPass], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = look(eight_channels), look(eight_channels, everything=True)
    monkeypatch.setattr(terms, "_RESULTS_AT_ONCE", 360)
    assert [look(eight_channels).terms, look(eight_channels, True).terms] == [each.terms for each in expected]
    monkeypatch.setattr(terms, "_RESULTS_AT_ONCE", 1)
    assert [look(eight_channels).terms, look(eight_channels, True).terms] == [each.terms for each in expected]
    assert all(term.result for each in expected for term in each.terms)


def test_parts_of_a_map_that_take_long_are_left_out(
    eight_channels: tuple[Network, ForwardPass], monkeypatch: pytest.MonkeyPatch
) -> None:
    each = 12 * 10 * 9
    monkeypatch.setattr(terms, "_MOST_MULTIPLICATIONS", 4 * each)  # enough for those shown, not for all
    assert [term.result is not None for term in look(eight_channels).terms] == [True] * 4
    assert [term.result for term in look(eight_channels, everything=True).terms] == [None] * 8
    monkeypatch.setattr(terms, "_MOST_MULTIPLICATIONS", 4 * each - 1)
    without = look(eight_channels)
    assert [term.result for term in without.terms] == [None] * 4
    assert all(term.input.cells is not None for term in without.terms)


def test_pictures_of_parts_that_are_large_are_left_out(
    eight_channels: tuple[Network, ForwardPass], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terms, "_MOST_RESULTS", 4 * 120)
    assert all(term.result for term in look(eight_channels).terms)
    assert not any(term.result for term in look(eight_channels, everything=True).terms)


def test_everything_is_at_most_what_a_page_can_hold(
    eight_channels: tuple[Network, ForwardPass], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view, "_MOST_PIXELS", 6 * 240)
    panel = look(eight_channels, everything=True)
    assert (len(panel.terms), panel.more_terms) == (6, 2)
    assert panel.more_partial_sum != 0
    monkeypatch.setattr(terms, "_MOST_KERNEL_CELLS", 3 * 9 + 8)
    assert [bool(term.inputs and term.kernel) for term in look(eight_channels).terms] == [True] * 3 + [False]
    assert [(term.inputs, term.kernel) for term in look(eight_channels).terms[3:]] == [([], [])]
    monkeypatch.setattr(view, "_MOST_CONTRIBUTIONS", 20)
    network, forward = eight_channels
    dense = inspect(network, forward, network.layers[-1], Place(0, 0, 1))
    shown = view_inspection(dense, OPTIONS, all_terms=True)
    assert (len(shown.contributions), shown.more_contributions) == (20, 12 * 10 * 4 - 20)


def test_large_maps_are_drawn_with_fewer_rows_and_columns(
    eight_channels: tuple[Network, ForwardPass], monkeypatch: pytest.MonkeyPatch
) -> None:
    def sizes() -> tuple[tuple[int, ...], ...]:
        view = look(eight_channels)
        pictures = [view.map, view.path[0], view.terms[0].input]
        assert {(each.height, each.width) for each in pictures} == {(12, 10)}
        return tuple(decode_rgba(each.png).shape[:2] for each in pictures)

    assert set(sizes()) == {(12, 10)}
    monkeypatch.setattr(own_map, "PAGE_PICTURE", 30)
    assert sizes()[0] == (6, 5)


def test_of_a_long_receptive_field_the_image_and_the_nearest_layers_are_drawn(
    eight_channels: tuple[Network, ForwardPass], monkeypatch: pytest.MonkeyPatch
) -> None:
    network, forward = eight_channels
    answer = inspect(network, forward, network.layers[-1], Place(0, 0, 1))
    whole = view_inspection(answer, OPTIONS)
    assert ([each.caption for each in whole.path], whole.more_path) == (
        ["conv, mean of 4 maps", "input, mean of 8 maps"],
        0,
    )
    monkeypatch.setattr(path, "_MOST_PATH_PIXELS", 2 * 120 - 1)
    fewer = view_inspection(answer, OPTIONS)
    assert ([each.caption for each in fewer.path], fewer.more_path) == (["input, mean of 8 maps"], 1)


# -- the answer ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [Answer.VALUES, Answer.LOGITS, Answer.PROBABILITIES])
def test_the_first_of_very_many_outputs_are_listed(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    network = large_network()
    network = network.with_card(network.card.model_copy(update={"answer": answer}))
    output = np.random.default_rng(7).random(50).astype(np.float32)
    output[40] = 3
    forward = ForwardPass(large(8, 8, 1), None, {"answer": output})
    everything = predict(network, forward)
    monkeypatch.setattr(predictions, "MOST_LISTED", 10)
    monkeypatch.setattr(predictions, "_AT_ONCE", 7)
    some = predict(network, forward)
    assert some.note == "The network's answer has 50 values. The first 10 are listed."
    assert (some.label, some.outputs, some.values) == (everything.label, 50, everything.values[:10])
    assert some.probability == pytest.approx(everything.probability)
    listed = [each.probability for each in everything.probabilities[:10]]
    assert [each.probability for each in some.probabilities] == pytest.approx(listed)
    output[30] = np.nan
    broken = predict(network, forward)
    assert (broken.label, len(broken.values)) == ("–", 10)
    assert broken.note and "is not a number" in broken.note


def test_an_answer_of_millions_needs_little_memory() -> None:
    forward = ForwardPass(large(8, 8, 1), None, {"answer": large(2**23)})
    network = large_network()
    network = network.with_card(network.card.model_copy(update={"answer": Answer.LOGITS}))
    assert peak_of(lambda: predict(network, forward)) < 45 * MEGABYTE


def test_an_answer_of_millions_is_given_back() -> None:
    mapped = Mapped()
    predict(large_network(), replace(large_pass(mapped), activations={"answer": large(2**20)}))
    assert mapped.times == 1


def test_many_small_layers_are_given_back_in_the_end() -> None:
    mapped, network = Mapped(), large_network()
    explore(network, large_pass(mapped), OPTIONS, [MapRange(network.layer("strongest"))])
    assert mapped.times == 1


def test_a_large_layer_is_given_back_while_it_is_read() -> None:
    mapped, network = Mapped(), large_network()
    explore(network, large_pass(mapped), OPTIONS, [MapRange(network.layer("first"))])
    # Every four million activations: for the extremes, the picture, the mean, and the strongest map.
    assert mapped.times >= SIZE // 2**22 * 3
    before = mapped.times
    compare_all(True, mapped)
    assert mapped.times - before > 20


def test_mapped_maps_are_drawn_as_any_others() -> None:
    mapped, network = Mapped(), large_network()
    views = zip(explore_all(mapped), explore_all(), strict=True)
    assert all(first.grid == second.grid and first.mean == second.mean for first, second in views)
    first, second = compare_all(True, mapped), compare_all(True)
    for ours, theirs in zip(first.columns, second.columns, strict=True):
        for one, other in zip(ours.layers, theirs.layers, strict=True):
            assert (one.view.grid, one.difference) == (other.view.grid, other.difference)
            assert (one.distance, one.farthest_map) == (other.distance, other.farthest_map)
    assert network.layers


def test_a_comparison_s_page_has_fewer_maps_of_large_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    network = large_network()

    def maps_of(most: int | None) -> list[int]:
        made = compare(network, lambda _: large_pass(), OPTIONS, layers=network.layers[:3], maps=most)
        return [view.grid.rows * view.grid.columns for view in (layer.view for layer in made.columns[0].layers)]

    assert maps_of(None) == [CHANNELS, CHANNELS, CHANNELS]
    assert maps_of(8) == [8, 8, 8]
    monkeypatch.setattr(comparison, "_PAGE_PIXELS", 3 * (3 * 2 * SIDE * SIDE))  # of three columns
    assert maps_of(8) == [2, 2, 8]
    monkeypatch.setattr(comparison, "_PAGE_PIXELS", 3 * (2 * SIDE * SIDE))
    assert maps_of(8) == [1, 1]
    monkeypatch.setattr(comparison, "_PAGE_PIXELS", 1)
    assert maps_of(8) == [1]
