"""Where two networks part."""

from dataclasses import replace

import numpy as np
import pytest

from app.cnn.edits import Edits
from app.cnn.network import Network
from app.cnn.types import PoolingMode
from app.explore.differences import Side, compare_weights, find_differences
from app.explore.exploration import RenderOptions
from app.library.library import Library


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(3).random((28, 28, 1), np.float32)


def side(network: Network, image: np.ndarray, mode: PoolingMode | None = None) -> Side:
    return Side(network, network.run(image, mode))


def test_a_network_does_not_part_from_itself(library: Library, image: np.ndarray) -> None:
    network = library.network("digits")
    found = find_differences(side(network, image), side(network, image))
    assert found.parting is None and found.changed == 0
    assert found.is_one_architecture and found.sees_the_same
    assert [each.largest for each in found.layers] == [0.0] * len(network.layers)


def test_two_pooling_modes_part_at_the_first_pooling_layer(library: Library, image: np.ndarray) -> None:
    network = library.network("digits")
    first, second = side(network, image), side(network, image, PoolingMode.MIN)
    found = find_differences(first, second, RenderOptions())
    assert found.parting is not None and found.parting.first is not None
    name = next(layer.name for layer in network.layers if layer.is_pooling)
    assert found.parting.first.name == name
    change = np.abs(first.forward.activations[name].astype(np.float64) - second.forward.activations[name])
    assert found.parting.largest == pytest.approx(change.max(), rel=1e-6)
    total = sum(np.abs(each.forward.activations[name]).sum(dtype=np.float64) for each in (first, second))
    assert found.parting.distance == pytest.approx(change.sum() / total, rel=1e-6)
    assert found.changed == 0
    assert found.picture is not None and found.picture.low == -(found.picture.high or 0)


def test_two_files_of_one_architecture_tell_which_weights_differ(library: Library, image: np.ndarray) -> None:
    network = library.network("digits")
    muted = network.edited(Edits.parse("mute:conv2.1"))
    found = find_differences(side(network, image), side(muted, image))
    assert found.is_one_architecture
    changed = {each.layer.name: each.changed for each in found.layers if each.changed}
    layer = network.layer("conv2")
    before = network.weights(layer)
    assert changed == {"conv2": sum(int(np.count_nonzero(each[..., 1])) for each in before.values())}
    kernel = next(each for each in found.layers if each.layer.name == "conv2").variables[0]
    assert kernel.largest == pytest.approx(np.abs(before["kernel"][..., 1]).max())


def test_weights_of_two_networks_are_compared_whatever_they_are_shown(library: Library, image: np.ndarray) -> None:
    network, other = library.network("digits"), library.network("digits-min")
    weights = compare_weights(network, other)
    found = find_differences(side(network, image), side(other, image), weights=weights)
    assert found.layers == find_differences(side(network, image), side(other, image)).layers
    for pair in weights.pairs:
        for variable in pair.variables:
            mine, others = (each.weights(pair.first)[variable.name] for each in (network, other) if pair.first)
            assert variable.changed == np.count_nonzero(mine != others)
            assert variable.largest == pytest.approx(np.abs(mine - others).max(), rel=1e-6)


def test_layers_that_only_one_has_are_told(library: Library, image: np.ndarray) -> None:
    found = find_differences(side(library.network("digits"), image), side(library.network("logistic"), image))
    assert not found.is_one_architecture
    assert any(each.second is None for each in found.layers)
    assert all(each.distance is None for each in found.layers if each.second is None)


def test_siblings_with_other_poolings_are_of_one_architecture(library: Library, image: np.ndarray) -> None:
    found = find_differences(side(library.network("digits"), image), side(library.network("digits-min"), image))
    assert found.is_one_architecture


def test_a_value_that_is_no_number_differs_from_one_that_is(library: Library, image: np.ndarray) -> None:
    network = library.network("digits")
    first, second = side(network, image), side(network, image)
    broken = {name: array.copy() for name, array in second.forward.activations.items()}
    broken["conv1"][3, 3, 0] = np.nan
    other = Side(network, replace(second.forward, activations=broken))
    found = find_differences(first, other)
    assert found.parting is not None and found.parting.layer.name == "conv1"
    assert found.parting.largest == np.inf
    assert find_differences(other, other).parting is None
