"""What experiments measure, against NumPy and Keras."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from app.cnn.types import PoolingMode
from app.datasets.digits import load_test_digits, load_training_digits
from app.experiments.catalogue import find_experiment
from app.experiments.experiment import Subject, Verdict, choose_digits
from app.experiments.maps import RANKING_DIGITS
from app.experiments.neighbours import CellCounts
from app.library.library import Library
from tests.experiments.networks import BUILT_IN, SOME, make_network, make_subject, template_matcher, values
from tests.small_models import MinPooling2D, build_digits, with_random_weights

DIGITS = load_test_digits().take(slice(0, 10_000, 50))


@pytest.fixture(scope="module")
def library() -> Iterator[Library]:
    library = Library(BUILT_IN)
    yield library
    library.close()


def answers(model: keras.Model, images: np.ndarray) -> Any:
    """What Keras answers to images from 0 to 255."""
    return np.asarray(model(images[..., np.newaxis].astype(np.float32) / 255)).argmax(axis=1)


def share_right(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> float:
    return float(np.mean(answers(model, images) == labels))


def test_resolution_is_that_of_pooled_digits_in_keras() -> None:
    model = template_matcher()
    result = find_experiment("resolution").run(make_subject(make_network(model), digits=DIGITS))
    for name, reduce in (("max", np.max), ("average", np.mean), ("min", np.min)):
        found = values(result, "accuracy", shrinking=name)
        for accuracy, factor in zip(found[1:3], (2, 4), strict=True):
            cells = 28 // factor
            small = reduce(DIGITS.images.reshape(-1, cells, factor, cells, factor), axis=(2, 4))
            assert accuracy == share_right(model, np.kron(small, np.ones((1, factor, factor))), DIGITS.labels)
    corner = DIGITS.images[:, ::2, ::2].repeat(2, 1).repeat(2, 2)
    assert values(result, "accuracy", shrinking="top-left cell", side=14) == [share_right(model, corner, DIGITS.labels)]
    full = share_right(model, DIGITS.images, DIGITS.labels)
    assert full > 0.6 and set(values(result, "accuracy", side=28)) == {full}
    assert result.conclusion.verdict is not Verdict.OPEN


@pytest.mark.slow
def test_digits_at_half_and_a_quarter_are_read_as_keras_reads_them(library: Library) -> None:
    """Over a fifth of MNIST's test set, evenly spread."""
    digits = choose_digits(2000)
    result = find_experiment("resolution").run(Subject(library.network("digits"), library, digits))
    model = keras.saving.load_model(BUILT_IN / "digits.keras", compile=False)
    for name, reduce in (("max", np.max), ("average", np.mean), ("min", np.min)):
        for factor in (2, 4):
            cells = 28 // factor
            small = reduce(digits.images.reshape(-1, cells, factor, cells, factor), axis=(2, 4))
            large = np.kron(small, np.ones((1, factor, factor)))
            parts = [answers(model, large[start : start + 500]) for start in range(0, 2000, 500)]
            expected = np.mean(np.concatenate(parts) == digits.labels)
            (found,) = values(result, "accuracy", shrinking=name, side=cells)
            assert found == pytest.approx(expected, abs=0.0006)


def test_the_table_of_poolings_has_the_siblings_in_each_mode() -> None:
    kinds = {"max": layers.MaxPooling2D, "average": layers.AveragePooling2D, "min": MinPooling2D}
    siblings = {name: f"small-{name}" for name in kinds}
    models = {name: build_digits(kind, seed=number) for number, (name, kind) in enumerate(kinds.items())}
    networks = {
        siblings[name]: make_network(model, siblings[name], siblings=siblings, pooling=name)
        for name, model in models.items()
    }
    result = find_experiment("poolings").run(make_subject(networks["small-average"], networks))
    assert values(result, "trained", "run") == [(trained, run) for trained in kinds for run in kinds]
    for trained, seed in zip(kinds, range(3), strict=True):
        for run, kind in kinds.items():
            (found,) = values(result, "accuracy", trained=trained, run=run)
            assert found == share_right(build_digits(kind, seed=seed), SOME.images, SOME.labels)


def test_consistency_is_the_share_of_digits_that_keep_their_class() -> None:
    model = template_matcher()
    result = find_experiment("shifts").run(make_subject(make_network(model), digits=DIGITS))
    before = answers(model, DIGITS.images)
    moved = np.zeros_like(DIGITS.images)
    moved[:, :, 3:] = DIGITS.images[:, :, :-3]
    after = answers(model, moved)
    ((consistency, accuracy),) = values(result, "consistency", "accuracy", pooling="max", direction="right", pixels=3)
    assert consistency == np.mean(before == after) and accuracy == np.mean(after == DIGITS.labels)
    each = [
        values(result, "consistency", pooling="max", direction=direction, pixels=3)[0]
        for direction in ("up", "down", "left", "right")
    ]
    (mean,) = values(result, "consistency", pooling="max", direction="all four", pixels=3)
    assert mean == pytest.approx(np.mean(each))
    assert values(result, "consistency", pixels=0) == [1.0, 1.0, 1.0]
    assert {row.pooling for row in result.rows} == {"max", "average", "min"}  # type: ignore[attr-defined]


def test_swapped_ink_is_that_of_inverted_digits() -> None:
    model = template_matcher()
    result = find_experiment("ink").run(make_subject(make_network(model), digits=DIGITS))
    assert values(result, "accuracy", pooling="max", ink="as trained") == [
        share_right(model, DIGITS.images, DIGITS.labels)
    ]
    assert values(result, "accuracy", pooling="max", ink="swapped") == [
        share_right(model, 255 - DIGITS.images, DIGITS.labels)
    ]
    assert [fact.value for fact in result.facts] == [len(DIGITS) * 14 * 14, 0]
    assert result.conclusion.verdict is Verdict.HOLDS


def test_maps_are_muted_as_zeroed_weights_in_keras_mute_them() -> None:
    model = build_digits()
    result = find_experiment("maps").run(make_subject(make_network(model)))
    training = load_training_digits()
    training = training.take(np.arange(RANKING_DIGITS) * len(training) // RANKING_DIGITS)

    def muted(layer: str, maps: Any) -> keras.Model:
        other = build_digits()
        kernel, bias = other.get_layer(layer).get_weights()
        kernel[..., maps], bias[maps] = 0, 0
        other.get_layer(layer).set_weights([kernel, bias])
        return other

    def likelihood(model: keras.Model) -> float:
        probabilities = np.asarray(model(training.images[..., np.newaxis].astype(np.float32) / 255))
        return float(np.log(np.maximum(probabilities[np.arange(RANKING_DIGITS), training.labels], 1e-7)).mean())

    likelihoods = [likelihood(muted("conv1", [number])) for number in range(4)]
    order = np.argsort(likelihoods)  # the more a map is missed, the more important it is
    for kept in (0, 1, 2, 3):
        expected = share_right(muted("conv1", order[kept:]), SOME.images, SOME.labels)
        found = values(result, "accuracy", layer="conv1", order="most important first", kept=kept)
        assert found in ([], [pytest.approx(expected)])
    assert values(result, "kept", layer="conv1", order="at random") == [0, 1, 2, 3, 4]
    assert values(result, "kept", layer="conv2", order="at random") == [0, 1, 2, 4, 5, 7, 10, 15, 20]
    whole = share_right(model, SOME.images, SOME.labels)
    assert values(result, "accuracy", layer="conv2", kept=20) == [whole, whole]


def test_bits_are_kept_and_made_noise() -> None:
    model = template_matcher()
    result = find_experiment("noise").run(make_subject(make_network(model), digits=DIGITS))
    black_and_white = np.where(DIGITS.images >= 128, 255, 0)
    expected = share_right(model, black_and_white, DIGITS.labels)
    assert values(result, "accuracy", change="fewer grey levels", pooling="max", bits=1) == [expected]
    assert values(result, "bits", change="fewer grey levels", pooling="min") == [8, 7, 6, 5, 4, 3, 2, 1]
    assert values(result, "bits", change="random bits", pooling="min") == [8, 7, 6, 5, 4, 3, 2, 1, 0]


def test_parameters_are_counted_in_the_layers(library: Library) -> None:
    result = find_experiment("parameters").run(Subject(library.network("figure-6-3"), library, choose_digits(100)))
    dense = 784 * 100 + 100 * 100 + 100 * 100 + 100 * 1
    assert values(result, "picture", "weights", "biases", model="five-layer-dense") == [
        ("28×28", dense, 301),
        ("600×800", dense + (600 * 800 - 784) * 100, 301),
        ("1200×1600", dense + (1200 * 1600 - 784) * 100, 301),
    ]
    assert set(values(result, "weights", "biases", model="five-layer-convolutional")) == {(45, 5)}
    keras_count = keras.saving.load_model(BUILT_IN / "figure-6-3.keras", compile=False).count_params()
    ((weights, biases),) = values(result, "weights", "biases", model="figure-6-3")
    assert weights + biases == keras_count
    assert result.conclusion.verdict is Verdict.HOLDS and f"{dense:,} weights" in result.conclusion.sentence


def test_the_start_is_correlated_weight_by_weight(library: Library) -> None:
    result = find_experiment("start").run(Subject(library.network("digits-min"), library, choose_digits(100)))
    before, after = (
        keras.saving.load_model(BUILT_IN / f"{name}.keras", compile=False) for name in ("untrained", "digits-min")
    )
    for row in result.rows:
        name, _, spread_before, spread_after, correlation = row.values
        first, then = (model.get_layer(name).get_weights()[0].ravel() for model in (before, after))
        assert correlation == pytest.approx(np.corrcoef(first, then)[0, 1], abs=1e-6)
        assert spread_before == pytest.approx(first.std(), rel=1e-4)
        assert spread_after == pytest.approx(then.std(), rel=1e-4)
    assert result.conclusion.verdict is Verdict.OPEN


def test_neighbours_are_correlated_as_numpy_does_it() -> None:
    model = build_digits()
    result = find_experiment("neighbours").run(make_subject(make_network(model)))
    shown = keras.Model(model.inputs[0], [layer.output for layer in model.layers[:4]])
    outputs = [np.asarray(each) for each in shown(SOME.images[..., np.newaxis].astype(np.float32) / 255)]
    expected = [SOME.images[..., np.newaxis] / 255, *outputs]
    for row, maps in zip(result.rows, expected, strict=True):
        across, down = (
            [np.corrcoef(first[..., n].ravel(), then[..., n].ravel())[0, 1] for n in varying(maps)]
            for first, then in ((maps[:, :, :-1], maps[:, :, 1:]), (maps[:, :-1], maps[:, 1:]))
        )
        assert row.values[3] == pytest.approx(np.mean(across), abs=1e-5)
        assert row.values[4] == pytest.approx(np.mean(down), abs=1e-5)
    assert [row.values[1] for row in result.rows] == ["conv1", "a pooling", "conv2", "a pooling", "flatten"]


def varying(maps: np.ndarray) -> list[int]:
    return [number for number in range(maps.shape[-1]) if maps[..., number].std() > 0]


def test_a_window_counts_as_clear_where_the_largest_is_far_from_the_second() -> None:
    maps = np.zeros((2, 8, 1), np.float32)
    for place, cells in enumerate([(5, 5, 5, 5), (9, 0, 1, 2), (9, 8, 0, 0), (0, 0, 0, 4)]):
        maps[:, 2 * place : 2 * place + 2, 0] = np.reshape(cells, (2, 2))
    found = CellCounts(maps.shape)
    found.add(maps)
    assert found.flat == 1 / 4 and found.clear == 2 / 3
    flat = CellCounts((1, 1, 1))
    flat.add(np.ones((1, 1, 1), np.float32))
    assert (flat.correlation("across"), flat.flat, flat.clear) == (None, None, None)
    constant = CellCounts((4, 4, 2))
    constant.add(np.full((4, 4, 2), 0.3, np.float32))
    assert constant.correlation("down") is None and constant.clear is None


def test_maps_that_are_no_numbers_of_a_broken_network_do_not_break_the_count() -> None:
    model = with_random_weights(keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10)]))
    result = find_experiment("neighbours").run(make_subject(make_network(model, answer="logits")))
    assert len(result.rows) == 1 and PoolingMode.MAX not in result.conclusion.sentence
