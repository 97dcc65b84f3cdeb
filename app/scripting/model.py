"""A model that pictures are run on."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import Any, Self, overload

from ..cnn.types import PoolingMode
from ..explore.held import HeldValue
from ..imaging.drawing import Box, read_region
from ..web.schemas import LayerSummary, ModelDetails
from . import html
from .options import InvalidOption, read_pooling
from .pictures import Picture, read_picture
from .run import Run

Held = Mapping[str, float | Sequence[float] | Picture]


@dataclass(frozen=True)
class RunRequest:
    """What is to be run: the fields of the API's form."""

    drawing: bytes | None  # None for a network that starts from numbers
    pooling: PoolingMode | None = None
    region: Box | None = None
    blank: bool = False
    input: str | None = None
    held: Mapping[str, HeldValue] = field(default_factory=dict)
    edits: str = ""  # that are made in the model; a local one has them made already


class Runs(Sequence[Run]):
    """Runs over many pictures, each made when it is asked for and none of them kept."""

    def __init__(self, pictures: Sequence[Any], run: Callable[[Any], Run]) -> None:
        self.pictures = pictures
        self._run = run

    def __len__(self) -> int:
        return len(self.pictures)

    @overload
    def __getitem__(self, index: int) -> Run: ...

    @overload
    def __getitem__(self, index: slice) -> "Runs": ...

    def __getitem__(self, index: int | slice) -> "Run | Runs":
        chosen = self.pictures[index]
        return Runs(chosen, self._run) if isinstance(index, slice) else self._run(chosen)

    def __repr__(self) -> str:
        return f"<{len(self):,} runs>"


class Model(ABC):
    """A model. Close it, or use it in a with statement, to end its processes."""

    name: str

    @property
    @abstractmethod
    def details(self) -> ModelDetails:
        """Its card and its layers, as the API describes them."""

    @abstractmethod
    def close(self) -> None:
        """Give back what it holds. Runs that were made keep their activations."""

    @abstractmethod
    def edited(self, edits: str) -> "Model":
        """Return the model with these edits, as in mute:conv_1.3;bias:conv_2.5=0.25, beside those that it has.

        edits: or what is in a file of edits. See docs/edits.md. This model stays as it is. Raises: ValueError.
        """

    @abstractmethod
    def save(self, path: str | PathLike[str], pooling: str | None = None) -> None:
        """Save it, edits included, as a .keras file that Keras opens with the same answers, pooling in this mode.

        Raises: ValueError, where it has a layer for which Keras has none; OSError.
        """

    @abstractmethod
    def _start(self, request: RunRequest) -> Run:
        """Run it. Raises: as run does."""

    @property
    def layers(self) -> list[LayerSummary]:
        """Its layers, in the order in which data flows."""
        return self.details.layers

    @overload
    def run(self, picture: list[Picture], pooling: str | None = None, **options: Any) -> list[Run]: ...

    @overload
    def run(self, picture: Picture | None = None, pooling: str | None = None, **options: Any) -> Run: ...

    def run(
        self, picture: Picture | list[Picture] | None = None, pooling: str | None = None, **options: Any
    ) -> Run | list[Run]:
        """Run the network on a picture, or on each of a list of them.

        picture: a path, a file's bytes, an image of Pillow, or an array: see docs/python.md. Left out for a network
        that starts from numbers. pooling: max, average or min in every pooling layer; None is as trained. Options:
        region: (left, top, right, bottom), the part of the picture to read. blank: run a picture without ink as an
        empty sheet, and do not refuse it. input: the input that is drawn into, of a model of several. held: what the
        others hold, by name: a number, a list of numbers, or a picture.
        Raises: ValueError for what cannot be read or run, LookupError for names that are not there, OSError for files.
        """
        if isinstance(picture, list):
            return list(self.run_all(picture, pooling, **options))
        return self._start(make_request(picture, pooling, **options))

    def run_all(self, pictures: Iterable[Picture], pooling: str | None = None, **options: Any) -> Runs:
        """Return the runs on many pictures, which are made one by one and not kept: for loops and progress bars.

        pictures: also an array with one more axis in front. pooling, options: as for run.
        """
        read_pooling(pooling)
        chosen = pictures if isinstance(pictures, Sequence) else list(pictures)
        return Runs(chosen, lambda picture: self.run(picture, pooling, **options))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<model {self.name}: {len(self.layers)} layers, {self.details.parameters:,} parameters>"

    def _repr_html_(self) -> str:
        rows = [
            [each.name, each.kind, "×".join(map(_size, each.output_shape)), f"{each.parameters:,}"]
            for each in self.layers
        ]
        return html.table([self.name, "kind", "output", "parameters"], rows)


def make_request(
    picture: Picture | None,
    pooling: str | None = None,
    *,
    region: Iterable[int] | None = None,
    blank: bool = False,
    input: str | None = None,
    held: Held | None = None,
) -> RunRequest:
    """Read what Model.run was given. Raises: ValueError, OSError."""
    drawing = None if picture is None else read_picture(picture)
    values = {name: _read_held(value) for name, value in (held or {}).items()}
    box = None if region is None else _read_region(region)
    return RunRequest(drawing, read_pooling(pooling), box, blank, input, values)


def _read_region(region: Iterable[int]) -> Box:
    numbers = list(region)
    if len(numbers) != 4 or not all(isinstance(each, int) for each in numbers):
        raise InvalidOption(f"A region is (left, top, right, bottom) in whole pixels. Received: {numbers!r}.")
    return read_region(",".join(map(str, numbers)))


def _read_held(value: Any) -> HeldValue:
    """Return what an input holds: numbers as they are, a picture as bytes."""
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, list | tuple):
        return [float(number) for number in value]
    return read_picture(value)


def _size(size: int | None) -> str:
    return "any" if size is None else str(size)
