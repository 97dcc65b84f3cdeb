"""What a forward pass takes, against what it really takes."""

import math
import multiprocessing
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from app.cnn.cost import Cost, Reduction, RunLimits, TooCostly, estimate, output_shapes, trial_shape
from app.cnn.errors import ImageTooSmall, NeedsKeras, SizesDiffer
from app.cnn.network import make_engine
from app.cnn.types import PoolingMode
from tests.small_models import parts


def build(*kinds: keras.layers.Layer, shape: tuple[int | None, int | None, int] = (None, None, 2)) -> keras.Model:
    return keras.Sequential([keras.Input(shape), *kinds])


def cost(model: keras.Model, image: tuple[int, ...], mode: PoolingMode | None = None) -> Cost:
    definition = parts(model)
    return estimate(definition.layers, output_shapes(definition.layers, image), image, mode)


@pytest.mark.parametrize("image", [(9, 14, 2), (32, 32, 2), (57, 31, 2)])
def test_the_shapes_are_those_of_the_forward_pass(image: tuple[int, int, int]) -> None:
    model = build(
        layers.Conv2D(3, 3, padding="same", strides=2),
        layers.MaxPooling2D(3, 1),
        layers.Conv2DTranspose(2, 3, strides=2),
        layers.UpSampling2D(),
        layers.ZeroPadding2D(1),
        layers.GlobalAveragePooling2D(),
        layers.Dense(3),
    )
    definition = parts(model)
    outputs = make_engine(definition).run(np.zeros(image, np.float32), None)
    assert list(output_shapes(definition.layers, image).values()) == [output.shape for output in outputs]


def test_an_image_that_windows_do_not_fit_in() -> None:
    with pytest.raises(ImageTooSmall, match="4×3 pixels is too small"):
        cost(build(layers.Conv2D(1, 5)), (3, 4, 2))


def test_maps_whose_sizes_differ() -> None:
    image = keras.Input((None, None, 1))
    small = layers.MaxPooling2D()(image)
    model = keras.Model(image, layers.Concatenate(name="join")([image, layers.UpSampling2D()(small)]))
    definition = parts(model)
    assert output_shapes(definition.layers, (8, 8, 1))["join"] == (8, 8, 2)
    with pytest.raises(SizesDiffer, match="7×8 pixels does not go through this model: its layer “join”"):
        output_shapes(definition.layers, (8, 7, 1))


def test_a_layer_whose_rules_do_not_tell() -> None:
    definition = parts(build(layers.Conv2DTranspose(1, 3, dilation_rate=2)))
    with pytest.raises(NeedsKeras):
        output_shapes(definition.layers, (8, 8, 2))


def test_a_trial_is_large_enough_for_the_windows() -> None:
    assert trial_shape(parts(build(layers.Conv2D(1, 3))).layers, (None, None, 2)) == (32, 32, 2)
    assert trial_shape(parts(build(layers.Conv2D(1, 40))).layers, (None, 50, 2)) == (64, 50, 2)


def test_the_multiplications_of_a_convolution() -> None:
    model = build(layers.Conv2D(32, 3, padding="same"), layers.Conv2D(64, 5, padding="same"))
    assert cost(model, (10, 20, 2)).operations == 200 * (9 * 2 * 32 + 25 * 32 * 64)


def test_the_reads_of_pooling_grow_with_the_window() -> None:
    small, large = (cost(build(layers.MaxPooling2D(size, 1, "same")), (64, 64, 2)) for size in (2, 32))
    assert large.operations > 100 * small.operations
    assert large.scratch > 20 * small.scratch


def test_the_mode_counts() -> None:
    model = build(layers.MaxPooling2D(2))
    most, least = (cost(model, (64, 64, 2), mode) for mode in (PoolingMode.MIN, PoolingMode.MAX))
    assert most.scratch > least.scratch


@pytest.mark.parametrize("side", [96, 160])
@pytest.mark.parametrize(
    "kinds",
    [
        [layers.Conv2D(48, 3, padding="same")],
        [layers.Conv2D(8, 21, padding="same")],
        [layers.DepthwiseConv2D(15, depth_multiplier=8, padding="same")],
        [layers.MaxPooling2D(48, 1, "same")],
        [layers.Conv2DTranspose(32, 3, strides=2)],
        [layers.Conv2D(32, 1), layers.ReLU(), layers.BatchNormalization()],
    ],
    ids=["convolution", "large kernels", "depthwise", "pooling", "transposed", "pointwise"],
)
def test_the_memory_is_no_less_than_it_takes(kinds: list[keras.layers.Layer], side: int) -> None:
    """In a process of its own, whose peak is that of the run."""
    model = build(*(type(kind).from_config(kind.get_config()) for kind in kinds))
    assert peak_of(model, (side, side, 2)) <= cost(model, (side, side, 2)).megabytes + 4


def peak_of(model: keras.Model, image: tuple[int, int, int]) -> float:
    """Return the megabytes by which a run raises the peak of a process."""
    definition = parts(model)
    described = (definition.input_shape, definition.layers, definition.weights)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_run, (described, image))


def _run(described: tuple[Any, Any, Any], image: tuple[int, int, int]) -> float:
    import resource

    from app.cnn.definition import ModelDefinition
    from app.cnn.litert.engine import LiteEngine

    shape, kinds, weights = described
    engine = LiteEngine(ModelDefinition(shape, kinds, weights, build=None))
    engine.run(np.zeros((32, 32, image[2]), np.float32), None)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    engine.run(np.zeros(image, np.float32), None)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


COST = Cost(image=1000, cells=3 * 2**20, operations=int(50e9), scratch=2**20, weights=2**18)


def test_megabytes_and_seconds() -> None:
    assert COST.megabytes == 3 + 24 + 1 + 1  # weights three times, cells twice, scratch, the image rounded up
    assert COST.seconds == 2.5


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (RunLimits(28, 20), "would take 29 MB of memory .* may take 28 MB. Bring .*LAYERGLASS_RUN_MEGABYTES"),
        (RunLimits(29, 2), "would take about 2 seconds .* may take 2 seconds. Bring .*LAYERGLASS_RUN_SECONDS"),
    ],
)
def test_a_refusal_says_what_it_takes_and_what_is_allowed(limits: RunLimits, says: str) -> None:
    assert not limits.allow(COST)
    with pytest.raises(TooCostly, match=says):
        raise TooCostly("m", (10, 20, 1), COST, limits, "Bring a smaller model")


def test_an_image_of_too_many_numbers() -> None:
    large = COST._replace(image=2**24 + 1)
    assert RunLimits(1000, 1000).allow(COST) and not RunLimits(1000, 1000).allow(large)
    error = TooCostly("m", (1024, 1024, 17), large, RunLimits(), "Bring a smaller model")
    assert "16,777,217 numbers" in str(error) and "LAYERGLASS" not in str(error)


def test_a_map_of_too_many_cells() -> None:
    large = cost(build(layers.UpSampling2D(64)), (100, 100, 2))
    assert large.largest_map == 6400 * 6400 and not RunLimits(10_000, 1000).allow(large)
    error = TooCostly("m", (100, 100, 2), large, RunLimits(), "Send a smaller drawing")
    assert "feature maps of 40,960,000 cells" in str(error) and "may take maps of 4,194,304 cells" in str(error)


def test_a_reduction_says_why() -> None:
    said = str(Reduction(1024, 768, 2, COST, RunLimits(28, 20)))
    assert said.startswith("Made 2 times smaller, from 768×1024 pixels: ")
    assert "29 MB of memory" in said and "may take 28 MB" in said
    assert math.isfinite(COST.seconds)


def test_a_layer_of_too_many_maps() -> None:
    many = cost(build(layers.Reshape((1, 1, 2**22)), shape=(2048, 2048, 1)), (2048, 2048, 1))
    assert many.maps == 2**22 and RunLimits(10_000, 1000).allow(many)
    more = many._replace(maps=2**22 + 1)
    assert not RunLimits(10_000, 1000).allow(more)
    error = TooCostly("m", (2048, 2048, 1), more, RunLimits(), "Bring a smaller model")
    assert "would take 4,194,305 feature maps in one layer" in str(error) and "may take 4,194,304." in str(error)
