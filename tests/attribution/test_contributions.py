import numpy as np
import pytest

from app.attribution.contributions import explain
from app.attribution.question import InvalidQuestion, Question
from app.cnn.cost import RunLimits, TooCostly
from app.cnn.network import ForwardPass, Network
from app.cnn.types import PoolingMode
from app.explore.forward_passes import preprocess
from app.explore.prediction import NoClasses, predict
from app.library.library import Library


@pytest.fixture(scope="module")
def network(library: Library) -> Network:
    return library.network("digits")


@pytest.fixture(scope="module")
def forward(network: Network, four: bytes) -> ForwardPass:
    return network.run(preprocess(four, network.card))


def test_at_every_layer_of_every_model_all_terms_sum_to_the_logit(library: Library, four: bytes) -> None:
    for name in ("digits", "digits-min", "a-plain", "branches", "logistic"):
        network = library.network(name)
        for mode in (None, *PoolingMode):
            found = explain(network, network.run(preprocess(four, network.card), mode))
            assert [each.layer.name if each.layer else None for each in found.layers] == [
                None,
                *(layer.name for layer in network.layers),
            ]
            assert found.rounding < 1e-5 * max(1, abs(found.number))
            for each in found.layers:
                assert each.sum == pytest.approx(found.number, rel=1e-9)
                assert each.cells is not None and each.cells.shape == each.shape
                assert each.maps.sum() == pytest.approx(each.total, rel=1e-4, abs=1e-5)


def test_softmax_of_the_logits_is_the_network_s_answer(network: Network, forward: ForwardPass) -> None:
    logits = [explain(network, forward, str(digit), layers=()).number for digit in range(10)]
    exponentials = np.exp(logits)
    np.testing.assert_allclose(exponentials / exponentials.sum(), forward.output, rtol=1e-4)


def test_without_a_target_the_likeliest_class_is_explained(network: Network, forward: ForwardPass) -> None:
    assert explain(network, forward).question.target_label == predict(network, forward).label


def test_a_comparison_is_the_difference_of_two_logits(network: Network, forward: ForwardPass) -> None:
    seven, four, both = (explain(network, forward, *classes) for classes in (("7",), ("4",), ("7", "4")))
    assert both.number == pytest.approx(seven.number - four.number)
    for one, other, difference in zip(seven.layers, four.layers, both.layers, strict=True):
        assert one.cells is not None and other.cells is not None and difference.cells is not None
        np.testing.assert_allclose(difference.cells, one.cells - other.cells, rtol=1e-4, atol=1e-4)
        assert difference.bias_after == pytest.approx(one.bias_after - other.bias_after, abs=1e-5)


def test_the_first_class_of_a_lone_neuron_is_the_second_below_zero(library: Library, four: bytes) -> None:
    network = library.network("logistic")
    forward = network.run(preprocess(four, network.card))
    seven, none = explain(network, forward, "a seven"), explain(network, forward, "not a seven")
    assert seven.number == -none.number
    assert 1 / (1 + np.exp(-seven.number)) == pytest.approx(float(forward.output[0]), rel=1e-5)
    assert explain(network, forward).question.target_label == predict(network, forward).label


def test_the_strongest_come_first(network: Network, forward: ForwardPass) -> None:
    layer = explain(network, forward, "3", "5").layer("conv2")
    assert layer.cells is not None
    maps = layer.strongest_maps(20)
    assert sorted(maps) == list(range(20))
    sizes = np.abs(layer.maps[maps])
    assert np.all(sizes[:-1] >= sizes[1:])
    assert layer.strongest_maps(3) == maps[:3]
    cells = [abs(float(layer.cells[at])) for at in layer.strongest_cells(50)]
    assert cells == sorted(np.abs(layer.cells).ravel().tolist(), reverse=True)[:50]


def test_only_the_layers_asked_for_have_cells(network: Network, forward: ForwardPass) -> None:
    found = explain(network, forward, layers=("pool1",))
    assert [each.layer.name for each in found.layers if each.layer and each.cells is not None] == ["pool1"]
    assert found.rounding < 1e-5 * max(1, abs(found.number))
    with pytest.raises(ValueError, match="not asked for"):
        _ = found.layer(None).maps


def test_a_class_that_is_not_there_is_refused(network: Network, forward: ForwardPass) -> None:
    with pytest.raises(InvalidQuestion, match=r"no class “cat”\. The model has: 0, 1, 2"):
        explain(network, forward, "cat")
    with pytest.raises(InvalidQuestion, match=r"no class “10”"):
        explain(network, forward, "3", "10")
    with pytest.raises(InvalidQuestion, match="cannot be compared with itself"):
        explain(network, forward, "3", "3")


def test_a_picture_is_no_class(library: Library, four: bytes) -> None:
    network = library.network("picture")
    with pytest.raises(NoClasses):
        explain(network, network.run(preprocess(four, network.card)))


def test_what_would_take_too_much_is_refused(network: Network, forward: ForwardPass) -> None:
    with pytest.raises(TooCostly, match="takes more than to give it"):
        explain(network, forward, limits=RunLimits(seconds=1e-6))


def test_the_weights_of_the_logits() -> None:
    np.testing.assert_array_equal(Question(("a", "b", "c"), 2, 0).seeds(3), [[-1, 0, 1]])
    np.testing.assert_array_equal(Question(("a", "b"), 0, 1).seeds(1), [[-1]])
