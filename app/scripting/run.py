"""One picture that a network was run on: its answer, its layers, its cells."""

import io
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, Unpack

from PIL import Image

from ..cnn.types import Array, PoolingMode, unused_name
from ..imaging.grid import COLUMNS
from . import html
from .answers import Cell, Comparison, Prediction
from .explanations import Attribution, Contributions
from .file_names import file_names
from .options import AttributionKeywords, GridKeywords

_SHOWN_PIXELS = 2**20  # of all pictures in a notebook's cell
_CELL_PIXELS = 3  # CSS pixels of an activation there


def read_class(named: str | int | None) -> str | None:
    """Return a class's name, or its number from 0, as the API's form has it; None asks for none."""
    return None if named is None else str(named)


class Run(ABC):
    """What a network made of one picture."""

    def __init__(self, model: str, pooling: PoolingMode | None, map_layers: Sequence[str]) -> None:
        """model: its name. pooling: that was asked for; None is as trained. map_layers: that save draws by default."""
        self.model = model
        self.pooling = pooling
        self.map_layers = tuple(map_layers)

    @property
    @abstractmethod
    def prediction(self) -> Prediction | None:
        """The answer; None where the network answers with a picture."""

    @property
    @abstractmethod
    def arrays(self) -> Mapping[str, Array]:
        """All that its NPZ holds: every layer's activation by name, `input` and `probabilities`.

        Where a layer has one of these names, the other array has an underscore behind it.
        """

    @abstractmethod
    def npz(self) -> Iterator[bytes]:
        """Return these arrays as a file for numpy.load, in parts."""

    @abstractmethod
    def grid_png(self, layer: str, **options: Unpack[GridKeywords]) -> bytes:
        """Return what grid shows as the bytes of a PNG file."""

    @abstractmethod
    def cell(self, layer: str, channel: int, row: int, column: int) -> Cell:
        """Explain one number: inputs, kernel, partial sums, bias, activation function, receptive field.

        channel, row, column: from 0. Of a vector, channel and row are 0 and the column is the unit.
        Raises: LookupError, if there is no such cell.
        """

    @abstractmethod
    def contributions(
        self, target: str | int | None = None, against: str | int | None = None, layer: str | None = None
    ) -> Contributions:
        """Explain a class's logit, or by how much it is above another's: what every layer's cells and biases give.

        target, against: classes, by name or by number; without a target, the likeliest. layer: whose cells are wanted;
        None is all that a gradient gets to.
        Raises: LookupError, if there is no such layer; ValueError, for no such class, or where no gradient gets there.
        """

    @abstractmethod
    def attribution(
        self,
        method: str,
        target: str | int | None = None,
        against: str | int | None = None,
        **options: Unpack[AttributionKeywords],
    ) -> Attribution:
        """Say by one of the usual methods what an answer depends on: see docs/attribution.md.

        method: saliency, gradient-x-input, integrated-gradients, grad-cam, hires-cam, occlusion. Options: layer: whose
        cells are judged; without one, the image's. baseline: paper, zero or mean. steps: of integrated gradients.
        patch_rows, patch_columns, stride: of occlusion. check: whether the same is done with shuffled weights. seed: of
        their order.
        Raises: LookupError, ValueError.
        """

    @abstractmethod
    def compare(self, *layers: str) -> Comparison:
        """Compare max, average and min pooling. layers: by default all from the first pooling layer on.

        Raises: ValueError for a network that does not pool; LookupError.
        """

    @cached_property
    def activations(self) -> dict[str, Array]:
        """Every layer's output by its name, in the order in which data flows: (height, width, channels) float32.

        A vector is (units,).
        """
        arrays = dict(self.arrays)
        *layers, _, _ = arrays  # the last two are the input and the output
        return {name: arrays[name] for name in layers}

    @property
    def input(self) -> Array:
        """What the network saw: (height, width, channels) float32."""
        return self.arrays[unused_name("input", self.activations)]

    def grid(self, layer: str, **options: Unpack[GridKeywords]) -> Image.Image:
        """Draw the feature maps of a layer in a grid, on one colour scale. A notebook shows it by itself.

        zoom: pixels a cell, 1 to 32. first, count: the maps; by default all. colormap: viridis, cividis, grey and
        so on; signed: of layers with negative values. scale: layer, map, or hold, the layer's as trained. columns: maps
        in a row, 1 to 64. differences: minus the same layer as trained.
        Raises: LookupError, if there is no such layer or map; ValueError.
        """
        return Image.open(io.BytesIO(self.grid_png(layer, **options)))

    def save(self, folder: str | Path, layers: Sequence[str] | None = None, zoom: int = 1) -> list[Path]:
        """Write each layer's grid as LAYER.png, all activations as activations.npz, the answer as prediction.json.

        folder: it is made if it is not there; files of these names are written over. layers: by default all
        convolutions and pooling layers. zoom: pixels a cell.
        Returns: the files. Raises: LookupError, ValueError, OSError.
        """
        folder = Path(folder)
        pngs = {name: self.grid_png(name, zoom=zoom) for name in (self.map_layers if layers is None else layers)}
        folder.mkdir(parents=True, exist_ok=True)  # now that every picture could be drawn
        paths = [folder / f"{stem}.png" for stem in file_names(pngs)]
        for path, png in zip(paths, pngs.values(), strict=True):
            path.write_bytes(png)
        paths.append(folder / "activations.npz")
        with paths[-1].open("wb") as file:
            self.write_npz(file)
        if self.prediction is not None:
            paths.append(folder / "prediction.json")
            text = json.dumps(self.prediction.document, ensure_ascii=False, indent=2)
            paths[-1].write_text(f"{text}\n", encoding="utf-8")
        return paths

    def write_npz(self, file: IO[bytes]) -> None:
        """Write all arrays into a file that is open for writing bytes."""
        for part in self.npz():
            file.write(part)

    def __repr__(self) -> str:
        pooling = f", {self.pooling} pooling" if self.pooling else ""
        return f"<{self.model}{pooling}: {self.prediction or 'a picture'}>"

    def _repr_html_(self) -> str:
        answer = "" if self.prediction is None else self.prediction._repr_html_()
        return answer + "".join(self._figures())

    def _figures(self) -> Iterator[str]:
        """Return the grids of as many layers as there is room for."""
        room = _SHOWN_PIXELS
        for number, name in enumerate(self.map_layers):
            shape = self.activations[name].shape
            room -= self.activations[name].size
            if room < 0:
                yield f"<p>and {len(self.map_layers) - number} more layers: run.grid(NAME)</p>"
                return
            width = _CELL_PIXELS * shape[1] * min(COLUMNS, shape[2])
            yield html.figure(self.grid_png(name), f"{name}, {'×'.join(map(str, shape))}", width)
