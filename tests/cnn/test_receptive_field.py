from collections.abc import Callable, Sequence
from functools import cache

import keras
import numpy as np
import pytest
from keras import layers
from numpy.typing import NDArray

from app.cnn.receptive_field import IMAGE, map_extent, receptive_field, receptive_field_size
from app.cnn.tensorflow import layer_class
from app.cnn.windows import Region, padding_before
from tests.keras_layers import describe_layers
from tests.small_models import build_picture, with_random_weights

MinPooling2D = layer_class("MinPooling2D")

SHAPE = (13, 15, 1)


def chain(*members: layers.Layer) -> keras.Model:
    return keras.Sequential([keras.Input(SHAPE), *members])


def add_branches() -> keras.Model:
    """Neither branch's window holds the other's."""
    image = keras.Input(SHAPE)
    wide = layers.Conv2D(2, (1, 5), padding="same")(image)
    tall = layers.Conv2D(2, (5, 1), padding="same")(image)
    added = layers.Add()([wide, tall])
    return keras.Model(image, layers.Conv2D(1, 3, strides=2)(added))


def concatenate_branches() -> keras.Model:
    image = keras.Input(SHAPE)
    first = layers.Conv2D(2, 3)(image)
    deep = layers.Conv2D(2, 3, padding="same", activation="relu")(first)
    pooled = layers.MaxPooling2D(3, strides=1, padding="same")(first)
    return keras.Model(image, layers.Conv2D(2, 2)(layers.Concatenate()([deep, pooled])))


def attend() -> keras.Model:
    """Each row reads all others."""
    image = keras.Input(SHAPE)
    rows = layers.Dense(4)(layers.Reshape((13, 15))(image))
    scores = layer_class("AttentionScores")(heads=2, key_heads=2)([rows, rows])
    attended = layer_class("Attend")(value_heads=2)([scores, rows])
    output = layer_class("AttentionOutput")()([attended, rows])
    return keras.Model(image, layers.Reshape((13, 4, 1))(output))


MODELS: dict[str, Callable[[], keras.Model]] = {
    "one convolution": lambda: chain(layers.Conv2D(2, 3)),
    "same padding": lambda: chain(layers.Conv2D(2, 4, padding="same"), layers.Conv2D(2, 3, padding="same")),
    "strides": lambda: chain(layers.Conv2D(2, 3, strides=2), layers.Conv2D(2, 2, strides=2)),
    "strides and same padding": lambda: chain(
        layers.Conv2D(2, 3, strides=2, padding="same"), layers.Conv2D(2, 3, strides=(1, 3), padding="same")
    ),
    "zero padding": lambda: chain(layers.ZeroPadding2D(((1, 2), (0, 2))), layers.Conv2D(2, 3)),
    "adaptive pooling": lambda: chain(layers.Conv2D(2, (2, 4)), layers.AdaptiveAveragePooling2D((4, 3))),
    "cropping": lambda: chain(layers.Cropping2D(((1, 2), (3, 0))), layers.Conv2D(2, 2)),
    "upsampling": lambda: chain(layers.Conv2D(2, 2, strides=2), layers.UpSampling2D((2, 3)), layers.Conv2D(2, 3)),
    "transposed convolution": lambda: chain(layers.Conv2D(2, 3), layers.Conv2DTranspose(2, 3, strides=2)),
    "transposed, same padding": lambda: chain(layers.Conv2DTranspose(2, 4, strides=2, padding="same")),
    "dilation": lambda: chain(layers.Conv2D(2, 3, dilation_rate=2), layers.Conv2D(2, (3, 2), dilation_rate=(1, 2))),
    "dilation and same padding": lambda: chain(layers.Conv2D(2, 3, dilation_rate=3, padding="same")),
    "not square": lambda: chain(layers.Conv2D(2, (5, 2), strides=(2, 1)), layers.MaxPooling2D((1, 3))),
    "max pooling": lambda: chain(
        layers.Conv2D(3, 3, activation="relu"), layers.MaxPooling2D(2), layers.Conv2D(2, 2), layers.MaxPooling2D(2)
    ),
    "average pooling": lambda: chain(layers.AveragePooling2D(3, strides=2, padding="same"), layers.Conv2D(2, 3)),
    "min pooling": lambda: chain(layers.Conv2D(3, 2), MinPooling2D(2), layers.Conv2D(2, 3, padding="same")),
    "each cell by itself": lambda: chain(layers.Conv2D(2, 3), layers.BatchNormalization(), layers.Activation("tanh")),
    "separable": lambda: chain(layers.DepthwiseConv2D(3), layers.SeparableConv2D(2, (2, 3))),
    "add": add_branches,
    "concatenate": concatenate_branches,
    "attention": attend,
}
EVERY_MODEL = pytest.mark.parametrize("name", MODELS)
# Where cells lie at uneven steps over the image: those of one layer do not all see regions of one size.
UNEVEN = {"upsampling", "transposed convolution", "transposed, same padding"}
EVERY_EVEN_MODEL = pytest.mark.parametrize("name", [name for name in MODELS if name not in UNEVEN])


@cache
def build(name: str) -> keras.Model:
    return with_random_weights(MODELS[name]())


@cache
def influence(name: str) -> NDArray[np.bool_]:
    """Which pixel changes which cell of the last layer, found by trying: (height, width, rows, columns)."""
    model, height, width = build(name), *SHAPE[:2]
    image = np.random.default_rng(0).normal(0, 0.1, SHAPE).astype(np.float32)
    seen = []
    for change in (-3, -0.5, 0.5, 3):
        images = np.repeat(image[np.newaxis], height * width + 1, axis=0)
        for pixel in range(height * width):
            images[pixel, pixel // width, pixel % width] += change
        outputs = np.asarray(model(images, training=False))
        seen.append((outputs[:-1] != outputs[-1]).any(axis=-1))
    changed: NDArray[np.bool_] = np.any(seen, axis=0)
    return changed.reshape(height, width, *changed.shape[1:])


def regions(name: str) -> list[tuple[Region, NDArray[np.bool_]]]:
    """For every cell of the last layer: its region, and which pixels really change it."""
    described, pixels = describe_layers(build(name)), influence(name)
    last = described[-1].name
    return [
        (receptive_field(described, SHAPE, last, cell)[IMAGE], pixels[:, :, *cell])
        for cell in np.ndindex(pixels.shape[2:])
    ]


def within_image(region: Region) -> bool:
    return region == region.clipped(SHAPE[:2])


@EVERY_MODEL
def test_no_pixel_outside_the_region_changes_the_cell(name: str) -> None:
    for region, changes in regions(name):
        inside = region.clipped(SHAPE[:2])
        outside = changes.copy()
        outside[inside.top : inside.bottom, inside.left : inside.right] = False
        assert not outside.any()


@EVERY_MODEL
def test_every_cell_is_changed_by_some_pixel(name: str) -> None:
    assert all(changes.any() for _, changes in regions(name))


@EVERY_MODEL
def test_each_edge_of_a_region_within_the_image_changes_the_cell(name: str) -> None:
    found = [
        changes[region.top : region.bottom, region.left : region.right]
        for region, changes in regions(name)
        if within_image(region)
    ]
    assert found
    for seen in found:
        assert seen[0].any() and seen[-1].any() and seen[:, 0].any() and seen[:, -1].any()


@EVERY_EVEN_MODEL
def test_the_size_is_that_of_the_largest_region_within_the_image(name: str) -> None:
    described = describe_layers(build(name))
    sizes = set()
    for region, changes in regions(name):
        if within_image(region):
            rows, columns = np.nonzero(changes)
            sizes.add((int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1))
    assert max(sizes) == receptive_field_size(described, SHAPE, described[-1].name)


@pytest.mark.parametrize(
    "head",
    [
        [layers.Flatten(), layers.Dense(3)],
        [layers.GlobalAveragePooling2D()],
        [layers.GlobalMaxPooling2D(), layers.Dense(2), layers.Softmax()],
    ],
    ids=["dense", "global average", "global maximum"],
)
def test_a_unit_after_all_maps_sees_the_whole_image(head: Sequence[layers.Layer]) -> None:
    described = describe_layers(chain(layers.Conv2D(2, 3, padding="same"), *head))
    region = receptive_field(described, SHAPE, described[-1].name, (0, 1))[IMAGE]
    assert region.clipped(SHAPE[:2]) == Region(0, 0, 13, 15)
    assert receptive_field_size(described, SHAPE, described[-1].name) == (13, 15)


def test_regions_of_the_layers_between_are_given_too() -> None:
    described = describe_layers(
        chain(layers.Conv2D(1, 3, name="conv"), layers.MaxPooling2D(2, name="pool"), layers.Conv2D(1, 2, name="last"))
    )
    found = receptive_field(described, SHAPE, "last", (1, 2))
    assert found == {
        "last": Region(1, 2, 2, 3),
        "pool": Region(1, 2, 3, 4),
        "conv": Region(2, 4, 6, 8),
        IMAGE: Region(2, 4, 8, 10),
    }


def test_layers_after_the_cell_s_own_have_no_region() -> None:
    described = describe_layers(chain(layers.Conv2D(1, 3, name="conv"), layers.MaxPooling2D(2, name="pool")))
    assert set(receptive_field(described, SHAPE, "conv")) == {"conv", IMAGE}


@pytest.mark.parametrize(
    ("members", "size"),
    [
        ([layers.Conv2D(1, 3)], (3, 3)),
        ([layers.Conv2D(1, 3), layers.Conv2D(1, 3)], (5, 5)),
        ([layers.Conv2D(1, 3), layers.MaxPooling2D(2)], (4, 4)),
        ([layers.Conv2D(1, 3), layers.MaxPooling2D(2), layers.Conv2D(1, 3)], (8, 8)),
        ([layers.Conv2D(1, (2, 3), dilation_rate=(4, 2))], (5, 5)),
        ([layers.Conv2D(1, 3, padding="same")] * 1, (3, 3)),
    ],
)
def test_sizes_known_by_heart(members: list[layers.Layer], size: tuple[int, int]) -> None:
    described = describe_layers(chain(*members))
    assert receptive_field_size(described, SHAPE, described[-1].name) == size


def test_no_size_is_larger_than_the_image() -> None:
    described = describe_layers(chain(layers.Conv2D(1, 13, padding="same"), layers.Conv2D(1, 13, padding="same")))
    assert receptive_field_size(described, SHAPE, described[-1].name) == (13, 15)


def test_in_an_image_of_any_size_a_convolution_has_its_size() -> None:
    described = describe_layers(build_picture())
    assert receptive_field_size(described, (None, None, 1), "answer") == (5, 5)


def test_what_sees_all_of_an_image_of_any_size_has_no_size() -> None:
    model = keras.Sequential([keras.Input((None, None, 1)), layers.Conv2D(1, 3), layers.GlobalMaxPooling2D(name="all")])
    assert receptive_field_size(describe_layers(model), (None, None, 1), "all") is None


@pytest.mark.parametrize(
    ("extent", "stride", "size", "padding"),
    [(3, 1, 10, 1), (4, 1, 10, 1), (3, 2, 10, 0), (3, 2, 11, 1), (5, 3, 10, 2), (1, 2, 9, 0), (3, 2, None, 0)],
)
def test_padding_before_the_first_row(extent: int, stride: int, size: int | None, padding: int) -> None:
    assert padding_before(extent, stride, size) == padding


def extent_of(*members: layers.Layer) -> tuple[float, float, float, float] | None:
    model = chain(*members)
    described = describe_layers(model)
    return map_extent(described, SHAPE, model.output_shape[1:], described[-1].name)


def test_a_map_of_the_image_s_size_lies_right_over_it() -> None:
    assert extent_of(layers.Conv2D(1, 3, padding="same")) == (0, 0, 13, 15)


def test_a_map_without_padding_leaves_a_margin() -> None:
    assert extent_of(layers.Conv2D(1, 5)) == (2, 2, 11, 13)


def test_each_cell_of_a_pooled_map_covers_its_window() -> None:
    assert extent_of(layers.MaxPooling2D(2)) == (0, 0, 12, 14)


def test_a_map_of_one_cell_lies_over_the_whole_image() -> None:
    assert extent_of(layers.Conv2D(1, (13, 15))) == (0, 0, 13, 15)


@EVERY_EVEN_MODEL
def test_each_cell_lies_over_the_centre_of_what_it_sees(name: str) -> None:
    model = build(name)
    described = describe_layers(model)
    rows, columns = model.output_shape[1:3]
    last = described[-1].name
    extent = map_extent(described, SHAPE, model.output_shape[1:], last)
    assert extent is not None
    top, left, bottom, right = extent
    for row, column in np.ndindex(rows, columns):
        region = receptive_field(described, SHAPE, last, (row, column))[IMAGE]
        if (region.height, region.width) != receptive_field_size(described, SHAPE, last):
            continue  # cut off at a border between, and so off its centre
        assert top + (row + 0.5) * (bottom - top) / rows == pytest.approx((region.top + region.bottom) / 2)
        assert left + (column + 0.5) * (right - left) / columns == pytest.approx((region.left + region.right) / 2)


def test_a_region_s_union_holds_both() -> None:
    assert Region(1, 5, 3, 6).union(Region(2, 0, 4, 5)) == Region(1, 0, 4, 6)
    assert Region(1, 5, 3, 6).union(None) == Region(1, 5, 3, 6)


def test_a_region_is_clipped_to_a_map() -> None:
    assert Region(-2, -1, 20, 4).clipped((9, 9)) == Region(0, 0, 9, 4)
