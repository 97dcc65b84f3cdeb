import gc
import threading
from math import prod
from typing import Any
from weakref import ref

import numpy as np
import pytest

from app.cnn.network import ForwardPass, Network
from app.cnn.types import PoolingMode
from app.explore import forward_passes
from app.explore.forward_passes import ForwardPasses, NetworkInput, make_input, preprocess, swap_ink_and_paper
from app.imaging.drawing import Box, InvalidDrawing, draw_sample
from app.library.kept import Kept
from app.library.library import Library
from tests.small_models import build_logistic, card, parts


@pytest.fixture
def digits(library: Library) -> Network:
    return library.network("digits")


def test_a_drawing_s_forward_pass_is_the_network_s(digits: Network, four: bytes) -> None:
    forward = ForwardPasses().run(digits, four, PoolingMode.MIN)
    expected = digits.run(preprocess(four, digits.card), PoolingMode.MIN)
    assert forward.pooling is PoolingMode.MIN
    for name, activation in expected.activations.items():
        np.testing.assert_array_equal(forward.activations[name], activation)


def test_the_same_drawing_is_run_once(digits: Network, four: bytes) -> None:
    passes = ForwardPasses()
    assert passes.run(digits, four) is passes.run(digits, bytes(four))


def test_the_mode_as_trained_is_the_same_whether_it_is_named_or_not(digits: Network, four: bytes) -> None:
    passes = ForwardPasses()
    assert passes.run(digits, four) is passes.run(digits, four, PoolingMode.MAX)


def test_another_drawing_network_pooling_ink_or_region_is_another_forward_pass(library: Library, four: bytes) -> None:
    passes, digits = ForwardPasses(), library.network("digits")
    found: list[ForwardPass] = [
        passes.run(digits, four),
        passes.run(digits, draw_sample("3")),
        passes.run(library.network("digits-min"), four, PoolingMode.MAX),
        passes.run(digits, four, PoolingMode.AVERAGE),
        passes.run(digits, four, region=Box(50, 20, 230, 260)),
        passes.run(digits, four, invert=True),
    ]
    assert len({id(each) for each in found}) == len(found)
    np.testing.assert_array_equal(found[-1].image, swap_ink_and_paper(found[0].image, digits.card))


def test_the_least_recently_used_is_forgotten_first(digits: Network, four: bytes) -> None:
    size = digits.run(preprocess(four, digits.card)).nbytes
    kept = Kept(2 * size)
    passes = ForwardPasses(kept)
    first, second = passes.run(digits, draw_sample("1")), passes.run(digits, draw_sample("2"))
    assert passes.run(digits, draw_sample("1")) is first
    passes.run(digits, draw_sample("3"))
    assert passes.run(digits, draw_sample("1")) is first
    assert passes.run(digits, draw_sample("2")) is not second
    assert kept.size == 2 * size


def test_what_is_larger_than_all_of_it_is_not_kept(digits: Network, four: bytes) -> None:
    kept = Kept(10)
    passes = ForwardPasses(kept)
    assert passes.run(digits, four) is not passes.run(digits, four)
    assert kept.size == 0


def test_the_size_is_that_of_the_arrays(digits: Network, four: bytes) -> None:
    kept = Kept()
    forward = ForwardPasses(kept).run(digits, four)
    values = 28 * 28 + sum(prod(size or 0 for size in layer.output_shape) for layer in digits.layers)
    assert kept.size == forward.nbytes == 4 * values


def test_a_drawing_that_is_refused_is_refused_again(digits: Network) -> None:
    passes = ForwardPasses()
    for _ in range(2):
        with pytest.raises(InvalidDrawing):
            passes.run(digits, b"no picture")


def test_many_threads_may_ask_at_once(digits: Network) -> None:
    drawings = [draw_sample(digit) for digit in "0123456789"]
    size = digits.run(preprocess(drawings[0], digits.card)).nbytes
    kept = Kept(3 * size)
    passes = ForwardPasses(kept)
    labels: list[tuple[int, int]] = []

    def ask() -> None:
        labels.extend((number, int(passes.run(digits, each).output.argmax())) for number, each in enumerate(drawings))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = {
        (number, int(digits.run(preprocess(each, digits.card)).output.argmax())) for number, each in enumerate(drawings)
    }
    assert len(labels) == 40
    assert set(labels) == expected
    assert kept.size == 3 * size


def test_a_network_is_not_held(four: bytes) -> None:
    model = build_logistic()
    kept = Kept()
    passes, network = ForwardPasses(kept), Network("n", parts(model), card(model, classes=["no", "yes"]))
    passes.run(network, four)
    gone = ref(network)
    del network
    gc.collect()
    assert gone() is None
    assert kept.size > 0
    other = Network("n", parts(model), card(model, classes=["no", "yes"]))
    assert passes.run(other, four) is passes.run(other, four)


def test_a_network_s_last_pass_is_timed_in_each_mode(library: Library, four: bytes) -> None:
    passes, digits = ForwardPasses(), library.network("digits")
    assert passes.last_seconds(digits, PoolingMode.MIN) is None
    passes.run(digits, four, PoolingMode.MIN)
    assert (passes.last_seconds(digits, PoolingMode.MIN) or 0) > 0
    assert passes.last_seconds(digits, None) is None
    passes.run(digits, four)
    assert passes.last_seconds(digits, None) == passes.last_seconds(digits, digits.card.pooling) is not None


def test_few_large_passes_of_one_network_are_remembered(
    digits: Network, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forward_passes, "_LARGE_BYTES", 10)
    kept = Kept()
    passes, other = ForwardPasses(kept), library.network("digits-min")
    first, elsewhere = passes.run(digits, draw_sample("0")), passes.run(other, draw_sample("0"))
    found = [passes.run(digits, draw_sample(digit)) for digit in "1234"]
    assert passes.run(other, draw_sample("0")) is elsewhere
    assert [passes.run(digits, draw_sample(digit)) for digit in "1234"] == found
    assert passes.run(digits, draw_sample("0")) is not first
    assert kept.size == sum(each.nbytes for each in [elsewhere, *found])


def test_little_is_remembered_in_the_server_s_own_memory(
    digits: Network, four: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = digits.run(preprocess(four, digits.card)).nbytes
    monkeypatch.setattr(forward_passes, "_OWN_BYTES", 2 * size)
    kept = Kept()
    passes = ForwardPasses(kept)
    found = [passes.run(digits, draw_sample(digit)) for digit in "123"]
    assert kept.size == 2 * size
    assert passes.run(digits, draw_sample("3")) is found[2]
    assert passes.run(digits, draw_sample("1")) is not found[0]
    monkeypatch.setattr(forward_passes, "_OWN_BYTES", size // 2)
    kept = Kept()
    ForwardPasses(kept).run(digits, four)
    assert kept.size == 0


def test_passes_in_other_modes_share_the_image(digits: Network, four: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    passes, made = ForwardPasses(), list[int]()

    def count(*given: Any, **options: Any) -> NetworkInput:
        made.append(1)
        return make_input(*given, **options)

    monkeypatch.setattr(forward_passes, "make_input", count)
    first, second = (passes.run(digits, four, mode) for mode in (PoolingMode.MAX, PoolingMode.MIN))
    assert first.image is second.image and len(made) == 1
    assert passes.run(digits, four, PoolingMode.MAX, invert=True).image is not first.image and len(made) == 1
    passes.run(digits, draw_sample("5"), PoolingMode.MAX)
    assert len(made) == 2
    assert len(passes._images) == 2
    del first, second
    passes._cache.clear()
    passes._kept, passes._own = Kept(), Kept()
    gc.collect()
    assert not passes._images
