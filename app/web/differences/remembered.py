"""The comparison of two networks' weights, which no drawing changes: made once, and remembered."""

from weakref import ref

from fastapi import Request

from ...explore.differences import Differences, Side, WeightDifferences, compare_weights, find_differences
from ...explore.exploration import RenderOptions
from ...explore.results import Results


def compare(request: Request, first: Side, second: Side, options: RenderOptions | None = None) -> Differences:
    """Compare two networks as find_differences does, with their weights as they were compared before, if they were."""
    results: Results[WeightDifferences] = request.app.state.results
    key = "weights", ref(first.network), ref(second.network)
    weights = results.get(key)
    if weights is None:
        found = compare_weights(first.network, second.network)
        weights = results.put(key, found, found.nbytes)
    return find_differences(first, second, options, weights)
