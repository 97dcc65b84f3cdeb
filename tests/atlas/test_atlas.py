"""What maps look for, compared with NumPy over all activations at once."""

import numpy as np
import pytest

from app.atlas.examples import Examples
from app.atlas.kernels import read_kernels
from app.atlas.layers import NoMaps, choose_layer, list_layers
from app.atlas.map_costs import MapCostsRun
from app.atlas.patches import count_ranks, find_patches
from app.atlas.strongest import KEPT, NONE, Search
from app.atlas.top_activations import TopActivations, TopActivationsRun
from app.cnn.edits import Edits
from app.cnn.network import Network
from app.datasets.digits import load_test_digits
from app.explore.evaluation import evaluate, run_on_digit
from tests.small_models import build_digits, card, parts

NETWORK = Network("small", parts(build_digits()), card(build_digits(), pooling="max"))
FEW = Examples(100)


@pytest.fixture(scope="module")
def found() -> TopActivations:
    return TopActivationsRun(NETWORK, examples=FEW).compute()


@pytest.mark.parametrize("name", ["conv1", "pool2", "answer"])
def test_the_strongest_digits_are_those_that_sorting_finds(found: TopActivations, name: str) -> None:
    digits = load_test_digits().images[FEW.numbers]
    outputs = np.stack([run_on_digit(NETWORK, each).activations[name] for each in digits])
    outputs = outputs if outputs.ndim == 4 else outputs[:, None, None, :]
    strongest = found.of(NETWORK.layer(name))
    peaks = outputs.max(axis=(1, 2))
    for number in range(peaks.shape[1]):
        order = np.argsort(-peaks[:, number], kind="stable")[:KEPT]
        assert strongest.examples[number].tolist() == order.tolist()
        assert np.array_equal(strongest.values[number], peaks[order, number])
    assert np.array_equal(strongest.low, outputs.min(axis=(0, 1, 2)))
    assert np.array_equal(strongest.high, outputs.max(axis=(0, 1, 2)))
    assert np.allclose(strongest.fired, (peaks > 0).mean(axis=0))
    means = np.stack([peaks[FEW.labels == label].mean(axis=0) for label in range(10)], axis=1)
    assert np.allclose(strongest.class_means, means, atol=1e-5)
    if name != "answer":
        at = strongest.examples[0], strongest.rows[0], strongest.columns[0], 0
        assert np.array_equal(outputs[at], strongest.values[0])


def test_a_patch_is_what_the_strongest_cell_sees(found: TopActivations) -> None:
    layer = NETWORK.layer("conv1")
    for patch in find_patches(found, layer, 2):
        assert patch.region == (patch.row, patch.column, patch.row + 3, patch.column + 3)
        assert patch.label == load_test_digits().labels[patch.number]


def test_a_map_that_never_changes_is_dead_and_fewer_examples_leave_places_free() -> None:
    search = Search(2, 10)
    for place in range(3):
        search.add(place, 0, np.array([0, place], np.float32))
    strongest = search.finish()
    assert strongest.dead == [0]
    assert [list(count_ranks(strongest, number)) for number in (0, 1)] == [[], [0, 1]]
    assert strongest.examples[1].tolist() == [2, 1, 0] + [NONE] * 6


def test_what_only_passes_values_on_is_left_out() -> None:
    assert [layer.name for layer in list_layers(NETWORK)] == ["conv1", "pool1", "conv2", "pool2", "answer"]
    assert choose_layer(NETWORK).name == "conv1"
    with pytest.raises(NoMaps, match="look at the layer before it"):
        choose_layer(NETWORK, "flatten")


def test_all_kernels_are_there_as_the_weights_are() -> None:
    layer = NETWORK.layer("conv2")
    kernels = read_kernels(NETWORK, layer)
    assert np.array_equal(kernels.weights, NETWORK.weights(layer)["kernel"].transpose(3, 2, 0, 1))
    grid = kernels.draw()
    assert (grid.rows, grid.columns) == (20, 4) and grid.low == -kernels.largest
    with pytest.raises(NoMaps, match="it is no convolution"):
        read_kernels(NETWORK, NETWORK.layer("pool1"))


def test_what_muting_a_map_costs_is_the_accuracy_that_is_lost() -> None:
    layer = NETWORK.layer("conv1")
    costs = MapCostsRun(NETWORK, layer, count=100).compute()
    digits = load_test_digits().take(FEW.numbers)
    assert costs.accuracy == evaluate(NETWORK, digits).accuracy
    muted = evaluate(NETWORK.edited(Edits.parse("mute:conv1.3")), digits)
    assert costs.lost[3] == pytest.approx(costs.accuracy - muted.accuracy)
    assert costs.likelihood_lost[costs.order[0]] == costs.likelihood_lost.max()
