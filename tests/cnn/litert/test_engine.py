import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers
from numpy.typing import NDArray

from app.cnn.errors import ImageTooSmall, UnsupportedLayer
from app.cnn.litert import engine as interpreters
from app.cnn.litert.engine import Interpreters, LiteEngine
from app.cnn.types import PoolingMode
from tests.keras_layers import define as parts
from tests.small_models import build_digits, build_picture, with_random_weights

STATUS = Path("/proc/self/statm")
PAGE = 4096


def engine_of(model: keras.Model) -> LiteEngine:
    return LiteEngine(parts(model))


def images(count: int, *shape: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).random((count, *shape), dtype=np.float32)


def test_what_it_returned_stays_as_it_was() -> None:
    engine = engine_of(build_digits())
    first, second = images(2, 28, 28, 1)
    before = engine.run(first, None)
    kept = [activation.copy() for activation in before]
    after = engine.run(second, None)
    for activation, copy, later in zip(before, kept, after, strict=True):
        np.testing.assert_array_equal(activation, copy)
        assert not np.shares_memory(activation, later)


def test_writing_into_what_it_returned_changes_nothing_later() -> None:
    engine = engine_of(build_digits())
    (image,) = images(1, 28, 28, 1)
    before = engine.run(image, None)
    kept = [activation.copy() for activation in before]
    for activation in before:
        activation.fill(7)
    for again, copy in zip(engine.run(image, None), kept, strict=True):
        np.testing.assert_array_equal(again, copy)


def count_interpreters(monkeypatch: pytest.MonkeyPatch, image: NDArray[np.float32]) -> int:
    """How many a network is given by four threads that are all inside of it at once, as far as they may be."""
    entered = threading.Barrier(4)

    def copy(self: Interpreters, outputs: object) -> list[NDArray[np.float32]]:
        with suppress(threading.BrokenBarrierError):
            entered.wait(1)
        return []

    engine = engine_of(build_digits())
    made: list[object] = []
    make = Interpreters._make

    def count(self: Interpreters) -> object:
        made.append(self)
        return make(self)

    monkeypatch.setattr(Interpreters, "_make", count)
    monkeypatch.setattr(Interpreters, "_copy", copy)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: engine.run(image, PoolingMode.MIN), range(4)))
    return len(made)


def test_a_small_network_has_one_interpreter_and_a_large_one_several(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is done at once is waited for: it takes less memory, and the same however many come."""
    (image,) = images(1, 28, 28, 1)
    monkeypatch.setattr(interpreters, "MAX_INTERPRETERS", 3)
    assert count_interpreters(monkeypatch, image) == 1
    monkeypatch.setattr(interpreters, "LARGE", 10)
    assert count_interpreters(monkeypatch, image) == 3


def test_threads_ask_for_different_modes_at_once() -> None:
    engine = engine_of(build_digits())
    many = images(30, 28, 28, 1)
    modes = [None, *PoolingMode]
    asked = [(image, modes[index % 4]) for index, image in enumerate(many)]
    with ThreadPoolExecutor(8) as threads:
        at_once = list(threads.map(lambda pair: engine.run(*pair), asked))
    other = engine_of(build_digits())
    for (image, mode), found in zip(asked, at_once, strict=True):
        for one, expected in zip(found, other.run(image, mode), strict=True):
            np.testing.assert_array_equal(one, expected)


def test_more_sizes_than_are_kept_are_all_answered() -> None:
    engine = engine_of(build_picture())
    for _ in range(2):
        for side in range(1, 14):
            (image,) = images(1, side, 2 * side, 1)
            assert engine.run(image, None)[-1].shape == (side, 2 * side, 1)


def test_an_image_that_a_window_does_not_fit_in_is_refused() -> None:
    engine = engine_of(with_random_weights(keras.Sequential([keras.Input((None, None, 1)), layers.Conv2D(1, 5)])))
    with pytest.raises(ImageTooSmall, match="An image of 7×4 pixels is too small"):
        engine.run(np.zeros((4, 7, 1), np.float32), None)
    assert engine.run(np.zeros((5, 5, 1), np.float32), None)[0].shape == (1, 1, 1)


@pytest.mark.parametrize("garbage", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_finite_numbers_are_refused(garbage: float) -> None:
    model = build_digits()
    kernel = model.get_layer("conv2").kernel
    kernel.assign(np.where(np.arange(kernel.shape[3]) == 1, garbage, kernel.numpy()))
    with pytest.raises(UnsupportedLayer, match="weights of conv2"):
        engine_of(model)


@pytest.mark.slow
@pytest.mark.skipif(not STATUS.exists(), reason="The system does not say how much memory a process holds.")
def test_engines_that_are_dropped_leave_no_memory_behind() -> None:
    model = keras.Sequential(
        [keras.Input((64, 64, 3)), layers.Conv2D(32, 3), layers.MaxPooling2D(2), layers.Flatten(), layers.Dense(64)]
    )  # 8 MB of weights, 2 MB of activations
    (image,) = images(1, 64, 64, 3)

    def make_and_drop(count: int) -> int:
        """How many bytes are held after it."""
        for _ in range(count):
            engine = engine_of(model)
            for mode in (None, PoolingMode.AVERAGE):
                engine.run(image, mode)
        gc.collect()
        return int(STATUS.read_text().split()[1]) * PAGE

    before = make_and_drop(10)
    assert make_and_drop(50) < before + 40_000_000  # one that stayed would hold more than 20 MB, fifty a gigabyte
