"""An image made to excite a map, or a unit, beside the real example that does so most, and one made without penalties.

It is never shown alone: it is one thing that raises the number, and real pictures show what does so in use.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from weakref import ref

from ..cnn.cost import RunLimits, TooCostly, add_backward
from ..cnn.network import ForwardPass, Network
from ..cnn.preprocessing import to_values
from ..cnn.types import Array, PoolingMode
from ..cnn.windows import Region
from ..explore.evaluation import run_on_image
from ..explore.inspection import UnknownCell
from .ascent import FEWEST_STEPS, LARGEST_SHIFT, MOST_STEPS, NO_PENALTIES, USUAL_STEPS, Ascent, Penalties, make_start
from .goals import Goal, Part
from .patches import Patch, find_patches, see
from .top_activations import TopActivations


class InvalidAscent(ValueError):
    """An image cannot be made with these settings, or for this map. The message says why."""


@dataclass(frozen=True)
class Picture:
    """An image, and what it makes of the number that is raised."""

    image: Array  # (height, width, channels), the network's input
    value: float
    row: int  # of the map's strongest cell
    column: int
    region: Region  # that this cell sees of the image; it may reach into the padding


@dataclass(frozen=True)
class Maximisation:
    """An image that was made, and what it is to be seen beside."""

    run: "MaximisationRun"
    start: Picture  # that was begun with
    made: Picture
    without_penalties: Picture  # as many steps from the same start: mostly noise, which a network may well prefer
    example: Picture  # of those that excite the map most, the one for which the number is highest
    patch: Patch  # that example

    @property
    def nbytes(self) -> int:
        return 4 * self.made.image.nbytes


@dataclass(frozen=True)
class MaximisationRun:
    """A map, or a unit, and how an image is made that excites it."""

    found: TopActivations  # the examples that excite it most, in the same pooling mode
    layer: str
    number: int  # of the map, or unit
    part: Part = Part.CELL
    penalties: Penalties = field(default_factory=Penalties)
    steps: int = USUAL_STEPS
    seed: int = 0

    @property
    def network(self) -> Network:
        return self.found.network

    @property
    def pooling(self) -> PoolingMode | None:
        """The mode in effect."""
        return self.found.pooling

    @property
    def goal(self) -> Goal:
        return Goal(self.network, self.layer, self.number, self.part)

    @property
    def key(self) -> Hashable:
        """All that the result depends on."""
        settings = self.layer, self.number, self.part, self.penalties, self.steps, self.seed
        return "maximisation", ref(self.network), self.pooling, self.found.examples, *settings

    @property
    def total(self) -> int:
        """How many steps are taken, with penalties and without."""
        return 2 * self.steps

    def require_possible(self, limits: RunLimits) -> None:
        """Refuse what would fail, before a step is taken.

        Raises: InvalidAscent, UnknownCell, NoMaps, NoGradient, TooCostly, RunFailed.
        """
        network = self.network
        layer = network.layer(self.layer)
        maps = len(self.found.of(layer).values)
        if not 0 <= self.number < maps:
            raise UnknownCell(f"“{self.layer}” has the maps or units 0 to {maps - 1}. Received: {self.number}.")
        if not FEWEST_STEPS <= self.steps <= MOST_STEPS:
            raise InvalidAscent(f"Ask for {FEWEST_STEPS} to {MOST_STEPS} steps. Received: {self.steps:,}.")
        if not 0 <= self.penalties.shift <= LARGEST_SHIFT or not 0 <= self.penalties.smoothness <= 1:
            raise InvalidAscent(f"“shift” is from 0 to {LARGEST_SHIFT} pixels, and “smoothness” from 0 to 1.")
        patches = find_patches(self.found, layer, self.number)
        if not patches:
            raise InvalidAscent(
                f"Map {self.number} of “{self.layer}” is dead: no example excites it, so there is nothing real to see "
                "beside what would be made."
            )
        image = self._image(patches[0])
        both = add_backward(network.cost(image.shape, self.pooling), 1)
        if not limits.allow(both):
            advice = "To make an image for it takes more than to show it one: ask about a smaller model"
            raise TooCostly(network.name, image.shape, both, limits, advice)
        self.goal.gradient(self._show(image))  # only to learn whether one gets to the image

    def compute(self, report: Callable[[int], None] | None = None) -> Maximisation:
        """Make the images. report: is told how many steps are done. Raises: NoGradient, RunFailed, and its own."""
        goal, card = self.goal, self.network.card
        patches = find_patches(self.found, self.network.layer(self.layer), self.number)
        examples = [self._view(self._image(patch)) for patch in patches]
        best = max(range(len(examples)), key=lambda rank: examples[rank].value)
        example = examples[best]
        start = make_start(example.image.shape, card, self.seed)
        sight = self.network.receptive_fields[self.layer] if self.part is Part.CELL else None
        longest = max(start.shape[:2])
        ascent = Ascent(
            goal, card, self._show, min(longest, max(sight or (longest,))), self.penalties, self.steps, self.seed
        )
        tell_more = None if report is None else lambda done: report(self.steps + done)
        made = ascent.climb(start, report)
        noise = replace(ascent, penalties=NO_PENALTIES).climb(start, tell_more)
        first, last, without = (self._view(to_values(levels, card)) for levels in (start, made, noise))
        return Maximisation(self, first, last, without, example, patches[best])

    def _image(self, patch: Patch) -> Array:
        return self.found.examples.image(patch.place, self.network.card)

    def _show(self, image: Array) -> ForwardPass:
        return run_on_image(self.network, image, self.pooling)

    def _view(self, image: Array) -> Picture:
        forward = self._show(image)
        value, (row, column) = self.goal.value(forward), self.goal.strongest_cell(forward)
        forward.release_pages()
        region = see(self.network, self.network.layer(self.layer), image.shape, row, column)
        if self.part is Part.MEAN:
            region = Region(0, 0, *image.shape[:2])
        return Picture(image, value, row, column, region)
