"""Layers in memory that is shared with a worker: what is read of them counts as the server's until it is given back."""

import sys
from collections.abc import Callable

import numpy as np
import pytest

from app.cnn.card import Answer
from app.cnn.network import ForwardPass, Network
from app.cnn.types import PoolingMode
from app.explore.comparison import compare
from app.explore.exploration import (
    MapRange,
    RenderOptions,
    draw_answer,
    draw_feature_map,
    draw_layer,
    explore,
    read_map,
)
from app.explore.inspection import Place, find_place, inspect
from app.explore.microscope import view_inspections
from app.explore.network_picture import draw_network
from app.explore.overview import draw_overview
from app.explore.prediction import predict
from app.imaging.colormap import Scale, find_extremes
from app.imaging.encoding import stream_csv, stream_npz
from app.imaging.mapped import Mapped
from app.workers.memory import SharedBlock, give_back_pages
from tests.explore.large_pass import large_network
from tests.peaks import MEGABYTE, resident_peak_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what a process maps")

SIDE, CHANNELS = 512, 64
OPTIONS = RenderOptions()
SIZE = 4 * SIDE * SIDE * CHANNELS  # bytes of a layer, 67 MB
# Several pieces of 16 MB, read by two threads, and the pictures. All of a layer would be more.
FEW = 60 * MEGABYTE


@pytest.fixture(scope="module")
def shared() -> ForwardPass:
    """A pass of the large network, twice as deep, in shared memory."""
    shapes = {
        "first": (SIDE, SIDE, CHANNELS),
        "second": (SIDE, SIDE, CHANNELS),
        "pooled": (SIDE // 2, SIDE // 2, 4 * CHANNELS),
        "strongest": (16 * 2**20,),
        "answer": (10,),
    }
    return share(shapes)


def share(shapes: dict[str, tuple[int, ...]]) -> ForwardPass:
    numbers = np.random.default_rng(0).normal(size=2**16).astype(np.float32)
    made = {}
    for name, shape in shapes.items():
        block = SharedBlock(4 * int(np.prod(shape)))
        with open(block.descriptor, "wb", closefd=False) as file:
            left = block.size
            while left:
                left -= file.write(numbers.data.cast("B")[: min(left, numbers.nbytes)])
        made[name] = block.array.reshape(shape)
    give_back_pages()
    image = np.zeros((SIDE, SIDE, 1), np.float32)
    return ForwardPass(image, PoolingMode.MAX, made, give_back_pages)


def look_at(forward: ForwardPass, layer: str, everything: bool = False) -> object:
    network = large_network()
    place = find_place(forward, network.layer(layer), 3, None, None)
    inspections = [inspect(network, forward, network.layer(layer), place)] * (3 if everything else 1)
    return view_inspections(inspections, OPTIONS, everything)


def answering(forward: ForwardPass, name: str) -> ForwardPass:
    """The same with another layer as the answer."""
    others = {each: values for each, values in forward.activations.items() if each != name}
    return ForwardPass(forward.image, forward.pooling, {**others, name: forward.activations[name]}, forward.give_back)


def with_logits() -> Network:
    network = large_network()
    return network.with_card(network.card.model_copy(update={"answer": Answer.LOGITS}))


def read_all(parts: object) -> None:
    for _ in parts:  # type: ignore[attr-defined]
        pass


LAYER = large_network().layer
CALLS: dict[str, Callable[[ForwardPass], object]] = {
    "a page": lambda forward: explore(
        large_network(), forward, OPTIONS, [MapRange(LAYER(each), 0, 8) for each in ("first", "second", "pooled")]
    ),
    "each map by itself": lambda forward: explore(
        large_network(), forward, RenderOptions(scale=Scale.MAP, columns=1), [MapRange(LAYER("first"), 7, 2)]
    ),
    "one layer": lambda forward: draw_layer(forward, MapRange(LAYER("pooled"), 0, 16), OPTIONS),
    "one map": lambda forward: draw_feature_map(forward, LAYER("first"), 2, OPTIONS),
    "a vector": lambda forward: explore(large_network(), forward, OPTIONS, [MapRange(LAYER("strongest"), 0, 1024)]),
    "comparison": lambda forward: compare(
        large_network(), lambda _: forward, OPTIONS, layers=[LAYER("pooled")], maps=16, differences=True
    ),
    "the network at a glance": lambda forward: draw_overview(large_network(), forward, OPTIONS),
    "a network's picture": lambda forward: read_all(
        draw_network(large_network(), forward, OPTIONS, 10**9, [LAYER("pooled")], zoom=1)
    ),
    "microscope of a convolution": lambda forward: look_at(forward, "second"),
    "microscope of pooling": lambda forward: look_at(forward, "pooled", everything=True),
    "microscope of a whole map": lambda forward: inspect(large_network(), forward, LAYER("strongest"), Place(0, 0, 5)),
    "an answer of millions": lambda forward: predict(with_logits(), answering(forward, "strongest")),
    "an answer that is a picture": lambda forward: draw_answer(answering(forward, "first")),
    "a map as text": lambda forward: read_all(stream_csv(read_map(forward, LAYER("first"), 5), forward.release_pages)),
    "all as a file": lambda forward: read_all(stream_npz(forward.activations, forward.release_pages)),
}


@pytest.mark.parametrize("name", CALLS)
def test_little_of_a_layer_is_mapped_at_once(name: str, shared: ForwardPass) -> None:
    CALLS[name](shared)
    give_back_pages()
    assert resident_peak_of(lambda: CALLS[name](shared)) < FEW


def test_reading_it_all_at_once_would_be_seen(shared: ForwardPass) -> None:
    maps = shared.activations["first"]
    assert resident_peak_of(lambda: maps[:, :, 5].max()) > SIZE // 2
    give_back_pages()


@pytest.mark.parametrize("shape", [(70, 50, 33), (1, 1, 9000), (3, 2000, 5), (40, 30, 1)])
def test_the_values_are_those_of_the_memory(shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.imaging.mapped._RELEASED", 500)
    monkeypatch.setattr("app.imaging.mapped._MAPPED", 7)
    values = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    released: list[bool] = []
    mapped = Mapped(values, lambda: released.append(True))
    height, width, channels = shape
    whole = (slice(None), slice(None), slice(None))
    np.testing.assert_array_equal(mapped[whole], values)
    block = (slice(height // 2, None), slice(0, width // 2 + 1), slice(channels // 3, channels // 2 + 1))
    np.testing.assert_array_equal(mapped[block], values[block])
    rows, columns = np.arange(0, height, 2), np.arange(0, width, 3)
    some = slice(0, max(1, channels // 2))
    np.testing.assert_array_equal(mapped.take(rows, columns, some), values[rows[:, None], columns, some])
    np.testing.assert_array_equal(find_extremes(mapped).high, values.max(axis=(0, 1)))
    assert released
