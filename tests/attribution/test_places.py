"""Where in the drawing an answer comes from."""

import numpy as np
import pytest

from app.attribution.contributions import explain
from app.attribution.places import find_places
from app.attribution.view import repeats
from app.explore.exploration import RenderOptions
from app.explore.forward_passes import preprocess
from app.library.library import Library

THIRDS = ("top left", "top", "top right", "left", "middle", "right", "bottom left", "bottom", "bottom right")


def test_the_parts_sum_to_what_the_last_layer_with_maps_contributes(library: Library, four: bytes) -> None:
    for name in ("digits", "digits-min", "branches"):
        network = library.network(name)
        found = explain(network, network.run(preprocess(four, network.card)))
        places = find_places(found, RenderOptions())
        assert places is not None and places.terms.layer is not None
        number = [each is places.terms for each in found.layers].index(True)
        behind = [each for each in found.layers[number + 1 :] if each.layer and not repeats(each.layer)]
        assert all(len(each.shape) != 3 or each.shape[:2] == (1, 1) for each in behind)
        assert tuple(part.name for part in places.parts) == THIRDS
        assert sum(part.contribution for part in places.parts) == pytest.approx(places.terms.total, rel=1e-6, abs=1e-6)
        np.testing.assert_allclose(places.values.sum(), places.terms.total, rtol=1e-6, atol=1e-6)
        top, left, bottom, right = places.extent
        assert bottom > top and right > left
        for part in (places.strongest, places.opposed):
            assert part is None or part in places.parts


def test_each_cell_counts_where_its_middle_lies(library: Library, four: bytes) -> None:
    network = library.network("digits")
    forward = network.run(preprocess(four, network.card))
    places = find_places(explain(network, forward), RenderOptions())
    assert places is not None
    top, left, bottom, right = places.extent
    height, width = places.values.shape
    sums = dict.fromkeys(THIRDS, 0.0)
    for row, column in np.ndindex(height, width):
        y = (top + (row + 0.5) * (bottom - top) / height) / forward.image.shape[0]
        x = (left + (column + 0.5) * (right - left) / width) / forward.image.shape[1]
        sums[THIRDS[3 * min(2, int(3 * y)) + min(2, int(3 * x))]] += float(places.values[row, column])
    for part in places.parts:
        assert part.contribution == pytest.approx(sums[part.name])
    assert places.strongest == max(places.parts, key=lambda part: part.contribution)


def test_without_maps_it_is_the_image_itself(library: Library, four: bytes) -> None:
    network = library.network("logistic")
    found = explain(network, network.run(preprocess(four, network.card)))
    places = find_places(found, RenderOptions())
    has_maps = any(len(layer.output_shape) == 3 for layer in network.layers)
    assert places is not None and (places.terms.layer is None) != has_maps
