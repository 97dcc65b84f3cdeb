"""What the atlas shows of a layer: a card for each of its maps, or units."""

from dataclasses import dataclass

from ...atlas.kernels import Kernels
from ...atlas.map_costs import MapCosts
from ...atlas.patch_pictures import draw_patch
from ...atlas.patches import Patch, find_patches
from ...atlas.top_activations import TopActivations
from ...cnn.kinds import Layer
from ...explore.gallery import NoSuchPage
from ...imaging.grid import Grid
from ..forms import Theme

PAGE_CARDS = 48


@dataclass(frozen=True)
class PatchView:
    """A digit that excites a map, cut to what the strongest cell sees."""

    patch: Patch
    png: bytes


@dataclass(frozen=True)
class Cost:
    """What muting a map costs."""

    lost: float  # accuracy, from 0 to 1
    error: float  # the standard error of that


@dataclass(frozen=True)
class MapCard:
    """One map, or unit."""

    number: int
    fired: float  # the share of digits for which some cell is above zero
    patches: tuple[PatchView, ...]
    kernels: dict[Theme, Grid]  # drawn for either background; empty without any
    cost: Cost | None


@dataclass(frozen=True)
class AtlasPage:
    """Some of a layer's maps, and which of all have one value everywhere."""

    layer: Layer
    digits: int
    cards: tuple[MapCard, ...]
    dead: tuple[int, ...]
    unread: tuple[str, ...]  # the names of pictures that cannot be read
    total: int  # of all pages, without the dead
    number: int  # from 1
    largest_weight: float | None  # at the ends of the kernels' colours

    @property
    def pages(self) -> int:
        return count_pages(self.total)


def count_pages(cards: int) -> int:
    """Return on how many pages so many cards stand."""
    return max(1, -(-cards // PAGE_CARDS))


def view_page(
    found: TopActivations,
    layer: Layer,
    number: int,
    kernels: Kernels | None = None,
    costs: MapCosts | None = None,
    first: int | None = None,
) -> AtlasPage:
    """Draw one page of a layer's maps, by number, or with their costs the dearest first.

    first: the map that comes before all others. Raises: NoMaps, NoSuchPage.
    """
    strongest = found.of(layer)
    order = costs.order if costs else range(len(strongest.values))
    dead = set(strongest.dead)
    living = sorted((each for each in order if each not in dead), key=lambda each: each != first)
    pages = count_pages(len(living))
    if not 1 <= number <= pages:
        raise NoSuchPage(f"There are pages 1 to {pages:,} of these maps. Received: {number:,}.")
    shown = living[(number - 1) * PAGE_CARDS : number * PAGE_CARDS]
    cards = tuple(_view_card(found, layer, each, kernels, costs) for each in shown)
    largest = kernels.largest if kernels else None
    return AtlasPage(
        layer, found.examples.count, cards, tuple(strongest.dead), found.unread, len(living), number, largest
    )


def _view_card(
    found: TopActivations, layer: Layer, number: int, kernels: Kernels | None, costs: MapCosts | None
) -> MapCard:
    patches = tuple(_view_patch(found, each) for each in find_patches(found, layer, number))
    cost = Cost(float(costs.lost[number]), float(costs.errors[number])) if costs else None
    drawn = {theme: kernels.draw_map(number, theme.signed) for theme in Theme} if kernels else {}
    return MapCard(number, float(found.of(layer).fired[number]), patches, drawn, cost)


def _view_patch(found: TopActivations, patch: Patch) -> PatchView:
    card = found.network.card
    return PatchView(patch, draw_patch(found.examples.image(patch.place, card), card, patch.region))
