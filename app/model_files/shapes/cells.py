"""Layers that compute each cell from the cells of the same place: normalisations, activations, merges."""

from app.cnn.layers import Shape
from app.model_files.plan import Settings
from app.model_files.shapes.made import Made, check, known, last_size, unchanged


def relu(settings: Settings, inputs: list[Shape]) -> Made:
    check(settings["max_value"] is None or settings["max_value"] >= 0)
    return unchanged(settings, inputs)


def prelu(settings: Settings, inputs: list[Shape]) -> Made:
    (shape,) = inputs
    shared = settings["shared_axes"] or ()
    alpha = tuple(1 if axis in shared else known(size) for axis, size in enumerate(shape, start=1))
    return Made(shape, {"alpha": alpha})


def softmax(settings: Settings, inputs: list[Shape]) -> Made:
    (shape,) = inputs
    last_size(settings, shape)
    return Made(shape)


def batch_normalization(settings: Settings, inputs: list[Shape]) -> Made:
    (shape,) = inputs
    names = {"gamma": settings["scale"], "beta": settings["center"], "moving_mean": True, "moving_variance": True}
    return Made(shape, {name: (last_size(settings, shape),) for name, has_it in names.items() if has_it})


def normalization(settings: Settings, inputs: list[Shape]) -> Made:
    (shape,) = inputs
    check(settings.get("mean") is None and settings.get("variance") is None)
    return Made(shape, {"mean": (last_size(settings, shape),), "variance": (last_size(settings, shape),), "count": ()})


def merge(settings: Settings, inputs: list[Shape]) -> Made:
    """Sizes of one are repeated, as NumPy does it."""
    check(len(inputs) > 1)
    return Made(tuple(_common(set(sizes)) for sizes in zip(*inputs, strict=True)))


def subtract(settings: Settings, inputs: list[Shape]) -> Made:
    check(len(inputs) == 2)
    return merge(settings, inputs)


def _common(sizes: set[int | None]) -> int | None:
    if len(sizes) == 2 and 1 in sizes and None not in sizes:
        sizes = sizes - {1}
    (size,) = sizes
    return size
