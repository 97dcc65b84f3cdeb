"""The cloud of digits, compared with NumPy's singular value decomposition."""

import numpy as np
import pytest

from app.atlas.cloud import CloudRun, project, why_no_cloud
from app.atlas.examples import Examples
from app.atlas.layers import NoMaps
from app.cnn.cost import RunLimits
from app.cnn.network import Network
from app.datasets.digits import load_test_digits
from app.explore.evaluation import run_on_digit
from tests.small_models import build_digits, card, parts

NETWORK = Network("small", parts(build_digits()), card(build_digits(), pooling="max"))


@pytest.mark.parametrize("name", ["conv1", "answer"])
def test_it_is_what_the_singular_value_decomposition_gives(name: str) -> None:
    cloud = CloudRun(NETWORK, NETWORK.layer(name), count=100).compute()
    digits = load_test_digits().images[Examples(100).numbers]
    outputs = np.stack([run_on_digit(NETWORK, each).activations[name].ravel() for each in digits]).astype(float)
    left, lengths, axes = np.linalg.svd(outputs - outputs.mean(axis=0), full_matrices=False)
    assert np.allclose(cloud.shares[:2], (lengths**2 / (lengths**2).sum())[:2], rtol=1e-3)
    assert np.allclose(np.abs(cloud.plane), np.abs(left * lengths)[:, :2], atol=1e-3 * lengths[0])
    assert np.allclose(np.abs(np.sum(cloud.axes[:2] * axes[:2], axis=1)), 1, atol=1e-3)
    assert np.allclose(cloud.place(outputs[7].astype(np.float32)), cloud.points[7], atol=1e-3 * lengths[0])
    near = cloud.nearest(cloud.points[7], 5)
    distances = np.linalg.norm(outputs - outputs[7], axis=1)
    assert near.places[0] == 7 and near.distances[0] == 0
    # Along all directions that are kept, a distance is shorter by what lies beside them.
    assert (near.distances <= distances[near.places] + 1e-3).all()
    kept = np.sqrt(((outputs - outputs[7]) @ axes[: len(cloud.axes)].T) ** 2 @ np.ones(len(cloud.axes)))
    assert np.allclose(near.distances, np.sort(kept)[:5], atol=1e-3 * lengths[0])
    if name == "answer":  # of ten values nothing is left out
        assert cloud.share == pytest.approx(1) and near.places.tolist() == np.argsort(distances)[:5].tolist()


def test_what_has_no_cloud_says_why() -> None:
    assert "look at the layer before it" in (why_no_cloud(NETWORK.layer("flatten")) or "")
    layer, few = NETWORK.layer("answer"), Examples(100)
    with pytest.raises(NoMaps, match="at one point"):
        project(layer, few, np.ones((100, 10), np.float32))
    with pytest.raises(NoMaps, match="not finite"):
        project(layer, few, np.full((100, 10), np.nan, np.float32))
    with pytest.raises(NoMaps, match="2,000 digits at most"):
        CloudRun(NETWORK, layer, count=3000).require_possible(RunLimits())
