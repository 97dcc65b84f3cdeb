"""Layers that move cells to other places: joined, flattened, turned, padded, cropped, resized."""

import math

from app.cnn.layers import Shape
from app.model_files.plan import Settings
from app.model_files.shapes.made import Made, check, image_of, known


def concatenate(settings: Settings, inputs: list[Shape]) -> Made:
    check(len(inputs) > 1)
    rank, axis = len(inputs[0]), settings["axis"]
    place = axis - 1 if axis > 0 else axis + rank
    check(0 <= place < rank)
    sizes = [list(each) for each in zip(*inputs, strict=True)]
    joined = sizes.pop(place)
    check(all(len(set(each)) == 1 for each in sizes))
    shape: list[int | None] = [each[0] for each in sizes]
    shape.insert(place, None if None in joined else sum(size or 0 for size in joined))
    return Made(tuple(shape))


def flatten(settings: Settings, inputs: list[Shape]) -> Made:
    (shape,) = inputs
    return Made((None if None in shape else math.prod(size or 0 for size in shape),))


def reshape(settings: Settings, inputs: list[Shape]) -> Made:
    (shape,) = inputs
    cells, target = math.prod(known(size) for size in shape), settings["target_shape"]
    check(None not in target and target.count(-1) <= 1 and 0 not in target)
    told = math.prod(size for size in target if size != -1)
    check(cells % told == 0 and (-1 in target or cells == told))
    return Made(tuple(cells // told if size == -1 else size for size in target))


def permute(settings: Settings, inputs: list[Shape]) -> Made:
    (shape,) = inputs
    check(sorted(settings["dims"]) == list(range(1, len(shape) + 1)))
    return Made(tuple(shape[place - 1] for place in settings["dims"]))


def zero_padding(settings: Settings, inputs: list[Shape]) -> Made:
    return _moved(inputs, settings["padding"], 1)


def cropping(settings: Settings, inputs: list[Shape]) -> Made:
    return _moved(inputs, settings["cropping"], -1)


def upsampling(settings: Settings, inputs: list[Shape]) -> Made:
    *sides, channels = image_of(inputs)
    sizes = zip(sides, settings["size"], strict=True)
    return Made((*(None if side is None else side * factor for side, factor in sizes), channels))


def resizing(settings: Settings, inputs: list[Shape]) -> Made:
    _, _, channels = image_of(inputs)
    return Made((settings["height"], settings["width"], channels))


def _moved(inputs: list[Shape], margins: tuple[tuple[int, int], tuple[int, int]], sign: int) -> Made:
    *sides, channels = image_of(inputs)
    sums = zip(sides, map(sum, margins), strict=True)
    return Made((*(None if side is None else side + sign * margin for side, margin in sums), channels))
