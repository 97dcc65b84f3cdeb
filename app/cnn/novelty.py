"""Whether a network has seen anything like a drawing in training, from the forward pass that there already is.

A detector is one small layer of hidden units on some activations of a network: it learned to tell the digits that the
network was trained on from pictures that show none (outlier exposure, Hendrycks et al. 2019, arXiv:1812.04606).
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from .types import Array, PoolingMode

IMAGE = ""  # stands for the image among the names of layers
_IMAGE_CELLS, _MAP_CELLS = 7, 4  # along each side, at most: what the image and feature maps are averaged to
MOST_FEATURES, MOST_HIDDEN = 4096, 64
MOST_BYTES = 2**20  # of a detector's file

_WEIGHTS, _BIASES = np.dtype("<f2"), np.dtype("<f4")  # as they are kept


@dataclass(frozen=True, eq=False)
class NoveltyDetector:
    """A head on a network's activations. Its score is high for what is unlike all that the network was trained on."""

    layers: tuple[str, ...]  # whose activations it reads, in this order; IMAGE is the network's input
    kernel: Array  # (features, hidden)
    bias: Array  # (hidden,)
    weights: Array  # (hidden,), of the score
    # The highest score of what counts as known, in each pooling mode, and with no pooling: what most digits keep below.
    limits: Mapping[PoolingMode | None, float]

    def score(self, image: Array, activations: Mapping[str, Array], pooling: PoolingMode | None) -> float:
        """Return how novel the image of a forward pass is: more than 0 is beyond the limit of its pooling mode.

        NaN where the activations are no numbers, and in a mode that has no limit.
        """
        read = [(name, image if name == IMAGE else activations[name]) for name in self.layers]
        features = np.concatenate([read_features(activation, name) for name, activation in read])
        return float(self.score_features(features)) - self.limits.get(pooling, float("nan"))

    def score_features(self, features: Array) -> Array:
        """Return the score of features, (..., features), without a limit: (...)."""
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(np.maximum(features @ self.kernel + self.bias, 0) @ self.weights)

    def fits(self, shapes: Mapping[str, tuple[int | None, ...]]) -> bool:
        """Return whether it reads activations of these shapes: by layer, without the batch, and of the image."""
        known = [tuple(size or 0 for size in shapes.get(name, (0,))) for name in self.layers]
        if any(0 in shape for shape in known):
            return False
        sizes = [
            len(read_features(np.zeros(shape, np.float32), name))
            for shape, name in zip(known, self.layers, strict=True)
        ]
        return sum(sizes) == len(self.kernel)


def read_features(activations: Array, name: str) -> Array:
    """Return what a detector reads of activations, (..., height, width, channels) or (..., units): (..., features).

    Feature maps are averaged to 4 by 4 cells at most, and the image, whose channels are averaged, to 7 by 7.
    """
    if name == IMAGE:
        return _average(activations.mean(axis=-1, keepdims=True), _IMAGE_CELLS)
    return _average(activations, _MAP_CELLS) if activations.ndim > 2 else activations


def _average(maps: Array, cells: int) -> Array:
    """Average maps, (..., height, width, channels), to so many cells along each side, and flatten them."""
    rows, heights = _split(maps.shape[-3], cells)
    columns, widths = _split(maps.shape[-2], cells)
    sums = np.add.reduceat(np.add.reduceat(maps, rows, axis=-3), columns, axis=-2)
    averages = sums / (heights[:, None] * widths)[..., None]
    return np.asarray(averages.reshape(*maps.shape[:-3], -1))


@lru_cache(256)
def _split(length: int, cells: int) -> tuple[NDArray[np.intp], Array]:
    """Return where each of some cells of nearly equal length starts, and how long it is."""
    count = min(length, cells)
    starts = np.arange(count) * length // count
    return starts, np.diff(starts, append=length).astype(np.float32)


class DetectorFile(BaseModel):
    """A detector as JSON, beside its model as NAME.novelty.json. Arrays are little-endian floats in base64."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    layers: Annotated[list[Annotated[str, Field(max_length=200)]], Field(min_length=1, max_length=256)]
    limits: dict[PoolingMode | Annotated[str, Field(pattern="^as trained$")], FiniteFloat]
    features: int = Field(ge=1, le=MOST_FEATURES)
    hidden: int = Field(ge=1, le=MOST_HIDDEN)
    kernel: str = Field(description="(features, hidden) float16")
    bias: str = Field(description="(hidden,) float32")
    weights: str = Field(description="(hidden,) float32")

    @model_validator(mode="after")
    def _arrays_are_whole(self) -> Self:
        self.open()
        return self

    @classmethod
    def of(cls, detector: NoveltyDetector) -> Self:
        """Return a detector's file."""
        features, hidden = detector.kernel.shape
        return cls(
            layers=list(detector.layers),
            limits={mode or "as trained": round(limit, 6) for mode, limit in detector.limits.items()},
            features=features,
            hidden=hidden,
            kernel=_write(detector.kernel, _WEIGHTS),
            bias=_write(detector.bias, _BIASES),
            weights=_write(detector.weights, _BIASES),
        )

    def open(self) -> NoveltyDetector:
        """Return the detector. Raises: ValueError."""
        limits = {mode if isinstance(mode, PoolingMode) else None: limit for mode, limit in self.limits.items()}
        kernel = _read(self.kernel, _WEIGHTS, self.features * self.hidden).reshape(self.features, self.hidden)
        bias, weights = (_read(text, _BIASES, self.hidden) for text in (self.bias, self.weights))
        return NoveltyDetector(tuple(self.layers), kernel, bias, weights, limits)


def to_kept_precision(kernel: Array) -> Array:
    """Return a detector's kernel as its file keeps it."""
    return kernel.astype(_WEIGHTS).astype(np.float32)


def _write(values: Array, dtype: np.dtype[Any]) -> str:
    return b64encode(values.astype(dtype).tobytes()).decode("ascii")


def _read(text: str, dtype: np.dtype[Any], count: int) -> Array:
    data = b64decode(text, validate=True)
    if len(data) != count * dtype.itemsize:
        raise ValueError(f"an array has {len(data):,} bytes, and {count * dtype.itemsize:,} were expected")
    values = np.frombuffer(data, dtype).astype(np.float32)
    if not np.isfinite(values).all():
        raise ValueError("an array holds what is not a number")
    return values


def detector_path(model: Path) -> Path:
    """Return where the detector of a model's file is kept, if it has one."""
    return model.with_name(f"{model.stem}.novelty.json")


def write_detector(detector: NoveltyDetector, path: Path) -> None:
    """Write a detector, complete or not at all."""
    partial = path.with_suffix(".json.partial")
    partial.write_text(DetectorFile.of(detector).model_dump_json(indent=2) + "\n", encoding="utf-8")
    partial.replace(path)


def choose_layers(shapes: Sequence[tuple[str, tuple[int, ...], bool]]) -> list[str]:
    """Return the layers that a detector of a network reads: the image, the pooling layers and the small vectors.

    shapes: of each layer its name, its output's shape without the batch, and whether it pools. Where none pools, the
    last feature maps are read in place of those that are pooled.
    """
    maps = [name for name, shape, pools in shapes if len(shape) == 3 and pools]
    last = [name for name, shape, _ in shapes if len(shape) == 3][-1:]
    vectors = [name for name, shape, _ in shapes if len(shape) == 1 and shape[0] <= _MOST_UNITS]
    return [IMAGE, *(maps or last), *vectors]


_MOST_UNITS = 256  # of a vector that is read; a longer one is most often maps that were flattened
