"""Convolution against TensorFlow and NumPy; activation functions against Keras."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from app.lab.activation import _COMPUTED, Activation
from app.lab.convolution import Convolution, StridedConvolution
from app.lab.kernels import KERNELS, RANDOM, WORDS, make_random
from app.lab.sliding import separate
from tests.lab.test_pooling import picture

ROWS = {
    "3×3": ((1, -2, 0.5), (0, 3, 1), (2, -1, 0.25)),
    "2×4": ((1, 0, 2, -1), (0.5, 1, -3, 2)),
    "5×1": ((1,), (2,), (3,), (-2,), (1,)),
    "1×1": ((0.5,),),
    "zeros": ((0, 0), (0, 0)),
    "separable": ((1, 2, 1), (2, 4, 2), (1, 2, 1)),
}


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (3, 1), (1, 2), (1, 3)])
@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
def test_a_convolution_is_tensorflows(rows: Any, stride: int, dilation: int, padding: str) -> None:
    planes = picture((13, 17), low=-1)
    step = Convolution(kernel=rows, stride=stride, dilation=dilation, padding=padding)  # type: ignore[arg-type]
    kernel = np.repeat(np.array(rows, np.float32)[:, :, None, None], len(planes), axis=2)
    strides = [1, stride, stride, 1]
    image = planes.transpose(1, 2, 0)[None]
    expected = tf.nn.depthwise_conv2d(image, kernel, strides, padding.upper(), dilations=[dilation, dilation]).numpy()
    made = step.compute(planes)
    assert made.shape[1:] == step.output_size((13, 17))
    np.testing.assert_allclose(made, expected[0].transpose(2, 0, 1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (2, 2), (1, 3)])
@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
def test_a_mirrored_border_is_numpys(rows: Any, stride: int, dilation: int) -> None:
    planes, kernel = picture((13, 17), low=-1), np.array(rows)
    step = Convolution(kernel=rows, stride=stride, dilation=dilation, padding="reflect")
    margins = []
    for side, count in zip((13, 17), kernel.shape, strict=True):
        extent = (count - 1) * dilation + 1
        total = max((-(-side // stride) - 1) * stride + extent - side, 0)
        margins.append((total // 2, total - total // 2))
    padded = np.pad(planes.astype(np.float64), [(0, 0), *margins], mode="reflect")
    made = step.compute(planes)
    expected = np.zeros(made.shape)
    for row, column in np.ndindex(kernel.shape):
        cells = padded[:, row * dilation :: stride, column * dilation :: stride][:, : made.shape[1], : made.shape[2]]
        expected += kernel[row, column] * cells
    np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-5)


def test_identity_changes_nothing() -> None:
    planes = picture((13, 17))
    np.testing.assert_array_equal(Convolution(kernel="identity").compute(planes), planes)


@pytest.mark.parametrize(
    ("name", "picture_of_it"),
    [("right", "L"), ("left", "R"), ("down", "U"), ("up", "D")],
)
def test_an_edge_kernel_answers_to_its_direction(name: str, picture_of_it: str) -> None:
    """A picture that is bright on one half: `edge-right` is positive where it gets brighter to the right."""
    half = np.zeros((8, 8), np.float32)
    {"L": half[:, 4:], "R": half[:, :4], "U": half[4:], "D": half[:4]}[picture_of_it][...] = 1
    made = Convolution(kernel=f"edge-{name}", padding="valid").compute(half[None])
    assert made.max() == 1 and made.min() == 0


def test_kernels_by_name_all_have_words_and_keep_within_the_range_of_a_picture() -> None:
    assert set(WORDS) == {*KERNELS, RANDOM}
    for name in ("blur", "wide-blur", "mean", "identity", "sharpen", "emboss"):
        assert np.sum(KERNELS[name]) == pytest.approx(1)
    for name, rows in KERNELS.items():
        if name.startswith("edge"):
            assert np.sum(rows) == 0, name


def test_a_random_kernel_follows_from_its_seed() -> None:
    first, again, other = (make_random(5, 5, seed) for seed in (3, 3, 4))
    assert (first == again).all() and (first != other).any()
    assert np.abs(first).max() <= np.sqrt(3 / 25) and (np.round(first, 3) == first).all()


def test_a_kernel_is_taken_apart_only_where_that_saves_something() -> None:
    assert separate(np.array(ROWS["separable"], np.float32)) is not None
    assert separate(np.array(ROWS["3×3"], np.float32)) is None
    assert separate(np.array(KERNELS["identity"], np.float32)) is None
    assert separate(np.zeros((3, 3), np.float32)) is None


def test_a_strided_convolution_halves_the_picture() -> None:
    assert StridedConvolution().output_size((1200, 1600)) == (600, 800)


@pytest.mark.parametrize("name", _COMPUTED)
def test_an_activation_function_is_keras(name: str) -> None:
    values = np.linspace(-12, 12, 2001, dtype=np.float32)[None, None]
    made = Activation(function=name).compute(values)  # type: ignore[arg-type]
    expected = np.asarray(getattr(keras.activations, name)(values))
    np.testing.assert_allclose(made, expected, rtol=1e-5, atol=3e-6)
