import keras
import numpy as np
import pytest

from app.cnn.cells import ConvolutionCell, DenseCell
from app.cnn.errors import NoArithmetic
from app.cnn.network import ForwardPass, Network
from app.cnn.receptive_field import IMAGE
from app.cnn.types import PoolingMode
from app.cnn.windows import Region
from app.explore.exploration import RenderOptions
from app.explore.forward_passes import preprocess
from app.explore.inspection import (
    Place,
    UnknownCell,
    draw_kernels,
    feature_map_kernel,
    find_place,
    inspect,
    strongest_cell,
)
from app.explore.microscope import MicroscopeView, view_inspection, view_inspections
from app.imaging.colormap import Colormap, Scale
from app.imaging.grid import draw_grid, draw_grids
from app.library.library import Library
from tests.explore.large_pass import large_network
from tests.pictures import decode_rgba
from tests.small_models import card, parts


@pytest.fixture(scope="module")
def network(library: Library) -> Network:
    return library.network("digits")


def test_inspects_every_layer_of_every_model(library: Library, four: bytes) -> None:
    rng = np.random.default_rng(0)
    for network in (library.network(entry.name) for entry in library):
        forward = network.run(preprocess(four, network.card))
        for layer in network.layers:
            output = forward.activations[layer.name]
            channel = int(rng.integers(output.shape[2])) if output.ndim == 3 else 0
            place = find_place(forward, layer, channel, None, None)
            inspection = inspect(network, forward, layer, place)
            index = (place.row, place.column, place.channel) if output.ndim == 3 else (place.column,)
            assert inspection.value == output[index]
            assert (inspection.cell is None) == (inspection.reason is not None)
            assert inspection.regions[IMAGE].height > 0
            view = view_inspection(inspection, RenderOptions())
            assert view.map.png.startswith(b"\x89PNG")


def test_the_strongest_cell_is_the_one_furthest_from_zero() -> None:
    output = np.zeros((3, 4, 2), dtype=np.float32)
    output[1, 2, 1] = -5
    output[0, 0, 0] = 9
    forward = ForwardPass(np.zeros((3, 4, 1), np.float32), None, {"first": output})
    layer = large_network().layer("first")
    assert strongest_cell(forward, layer, 1) == Place(1, 1, 2)
    assert find_place(forward, layer, 1, 2, 3) == Place(1, 2, 3)


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        (Place(4, 0, 0), "no feature map 4. It has 0 to 3"),
        (Place(-1, 0, 0), "no feature map -1"),
        (Place(0, 26, 0), "rows 0 to 25 and columns 0 to 25"),
        (Place(0, 0, -1), "no cell 0,-1"),
    ],
)
def test_a_cell_outside_is_refused_with_the_range(network: Network, four: bytes, place: Place, sentence: str) -> None:
    forward = network.run(preprocess(four, network.card))
    with pytest.raises(UnknownCell, match=sentence):
        inspect(network, forward, network.layer("conv1"), place)


def test_a_kernel_is_the_layers_own(network: Network) -> None:
    layer = network.layer("conv2")
    kernel = feature_map_kernel(network, layer, 7)
    stored = network.weights(layer)
    assert kernel.input_channels == (0, 1, 2, 3)
    np.testing.assert_array_equal(kernel.kernels, stored["kernel"][:, :, :, 7].transpose(2, 0, 1))
    assert kernel.bias == stored["bias"][7]
    expected = draw_grid(stored["kernel"][:, :, :, 7], Colormap.BERLIN)
    assert draw_kernels(kernel).png == expected.png


def test_only_convolutions_have_kernels(network: Network) -> None:
    with pytest.raises(UnknownCell, match="has no kernels"):
        feature_map_kernel(network, network.layer("pool1"), 0)
    with pytest.raises(UnknownCell, match=r"has no kernel 20\. It has 0 to 19"):
        feature_map_kernel(network, network.layer("conv2"), 20)


def test_shown_and_unshown_terms_are_all_terms(network: Network, four: bytes) -> None:
    forward = network.run(preprocess(four, network.card))
    layer = network.layer("answer")
    few = view_inspection(inspect(network, forward, layer, Place(0, 0, 3)), RenderOptions())
    everything = view_inspection(inspect(network, forward, layer, Place(0, 0, 3)), RenderOptions(), all_terms=True)
    count = len(everything.contributions)
    assert (len(few.contributions), few.more_contributions) == (8, count - 8)
    assert everything.more_contributions == 0
    shown = sum(each.product for each in few.contributions)
    assert shown + few.more_product == pytest.approx(sum(each.product for each in everything.contributions))
    sizes = [abs(each.product) for each in everything.contributions]
    assert sizes == sorted(sizes, reverse=True)


def test_a_transposed_convolution_is_shown_without_partial_maps() -> None:
    model = keras.Sequential([keras.Input((6, 7, 2)), keras.layers.Conv2DTranspose(3, 3, strides=2, name="up")])
    network = Network("up", parts(model), card(model, classes=[]))
    forward = network.run(np.random.default_rng(0).normal(size=(6, 7, 2)).astype(np.float32))
    view = view_inspection(inspect(network, forward, network.layer("up"), Place(1, 4, 4)), RenderOptions())
    assert sorted(term.channel for term in view.terms) == [0, 1]
    assert all(term.result is None for term in view.terms)


def test_an_input_that_is_repeated_is_marked_at_its_only_cell() -> None:
    image = keras.Input((6, 7, 3))
    squeezed = keras.layers.GlobalAveragePooling2D(keepdims=True, name="squeezed")(image)
    model = keras.Model(image, keras.layers.Multiply(name="excited")([image, squeezed]))
    network = Network("se", parts(model), card(model, classes=[], pooling="average"))
    forward = network.run(np.random.default_rng(0).normal(size=(6, 7, 3)).astype(np.float32))
    view = view_inspection(inspect(network, forward, network.layer("excited"), Place(2, 4, 5)), RenderOptions())
    assert [each.region for each in view.sources] == [Region(4, 5, 5, 6), Region(0, 0, 1, 1)]
    assert [each.cells is None for each in view.sources] == [False, True]


def test_a_layer_without_arithmetic_still_shows_its_map() -> None:
    model = keras.Sequential([keras.Input((6, 7, 2)), keras.layers.UnitNormalization(name="normal")])
    network = Network("normal", parts(model), card(model, classes=[]))
    forward = network.run(np.random.default_rng(0).normal(size=(6, 7, 2)).astype(np.float32))
    inspection = inspect(network, forward, network.layer("normal"), Place(1, 1, 4))
    assert inspection.cell is None
    assert inspection.reason == str(NoArithmetic(network.layer("normal").kind))
    assert inspection.value == forward.activations["normal"][1, 4, 1]
    assert view_inspection(inspection, RenderOptions()).map.png.startswith(b"\x89PNG")


def view_in_each_mode(
    network: Network, four: bytes, layer: str, place: Place, scale: Scale = Scale.LAYER
) -> list[MicroscopeView]:
    image = preprocess(four, network.card)
    forwards = [network.run(image, mode) for mode in PoolingMode]
    inspections = [inspect(network, forward, network.layer(layer), place) for forward in forwards]
    return view_inspections(inspections, RenderOptions(scale=scale))


@pytest.mark.parametrize("scale", list(Scale))
def test_side_by_side_a_colour_means_the_same_value(network: Network, four: bytes, scale: Scale) -> None:
    """The maps have the colours that they have in the comparison's grids."""
    views = view_in_each_mode(network, four, "conv2", Place(7, 1, 4), scale)
    activations = [view.inspection.forward.activations["conv2"] for view in views]
    assert len({activation.tobytes() for activation in activations}) == 3
    signed = Colormap.BERLIN if min(each.min() for each in activations) < 0 else Colormap.VIRIDIS
    for view, grid in zip(views, draw_grids(activations, signed, scale, columns=1), strict=True):
        top = 7 * (grid.map_height + grid.gap)
        expected = decode_rgba(grid.png)[top : top + grid.map_height]
        np.testing.assert_array_equal(decode_rgba(view.map.png)[..., :3], expected[..., :3])
        assert (view.map.low, view.map.high) == (grid.low, grid.high)


def test_side_by_side_a_number_has_the_colour_of_its_value(network: Network, four: bytes) -> None:
    views = view_in_each_mode(network, four, "pool2", Place(2, 3, 3))
    windows = [view.window for view in views]
    fills: dict[float, str] = {}
    for window in windows:
        assert window is not None
        for number in (each for row in window for each in row):
            assert fills.setdefault(number.value, number.fill) == number.fill
    ends = {(view.sources[0].low, view.sources[0].high) for view in views}
    assert len(ends) == 1


@pytest.mark.parametrize(("layer", "place"), [("conv2", Place(7, 1, 4)), ("answer", Place(0, 0, 3))])
def test_side_by_side_the_same_inputs_stand_in_the_same_order(
    network: Network, four: bytes, layer: str, place: Place
) -> None:
    views = view_in_each_mode(network, four, layer, place)
    assert len({tuple(term.channel for term in view.terms) for view in views}) == 1
    assert len({tuple(view.input_names) for view in views}) == 1
    assert all(term.result is None for view in views for term in view.terms)
    shown = [[abs(each.product) for each in view.contributions] for view in views]
    largest = [max(each) for each in zip(*shown, strict=True)]
    assert largest == sorted(largest, reverse=True)
    for view in views:
        parts_shown = [each.partial_sum for each in view.terms] + [each.product for each in view.contributions]
        cell = view.inspection.cell
        assert isinstance(cell, ConvolutionCell | DenseCell)
        total = cell.pre_activation - cell.bias
        assert sum(parts_shown) + view.more_partial_sum + view.more_product == pytest.approx(total)
