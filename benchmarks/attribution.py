"""What the attribution methods are worth, and what the ledger costs.

    python -m benchmarks.attribution --judged 30

1. Time: processor time of one difference over all layers of `digits`.
2. Deletion: ink cells are made paper, those first that a method ranks highest; the area under the likeliest class's
   probability, from all ink to none. Lower is better; a random order tells what no method at all is worth. By how much
   an area is less than a random order's, and than Grad-CAM's, digit by digit: above zero is better than that.
3. Completeness: by how much the values' sum misses what it should be, as a share of that.
4. Randomisation: rank correlation with the same method on shuffled weights. Near 0 is better.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.attribution.attribution import Attribution, attribute
from app.attribution.case import Settings
from app.attribution.contributions import explain
from app.attribution.method import METHODS
from app.cnn.card import read_card
from app.cnn.network import ForwardPass, Network
from app.cnn.types import Array
from app.datasets.digits import load_test_digits
from app.model_files.infer_card import infer_card
from app.model_files.loading import load_model

Doubles = NDArray[np.float64]
MODELS = Path(__file__).parent.parent / "models"
STEPS = 20  # of a deletion curve
SEEDS = (0, 1, 2)
RANDOM, GRAD_CAM = "random order", "grad-cam"


def main() -> None:
    """Measure everything, and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.attribution", description=__doc__)
    parser.add_argument("--judged", type=int, default=30, help="digits by which the methods are judged")
    options = parser.parse_args()
    digits = open_network(MODELS / "digits.keras")
    print_time(digits)
    print_methods(digits, options.judged)


def open_network(path: Path) -> Network:
    """Open a model with its card, or with a guessed one."""
    loaded, card = load_model(path), path.with_suffix(".json")
    return Network(path.stem, loaded.definition, read_card(card) if card.exists() else infer_card(loaded, path.stem))


def draw_images(network: Network, count: int) -> Iterator[Array]:
    """Return test digits, evenly spread; for a network of another size, random images."""
    digits, rng = load_test_digits(), np.random.default_rng(0)
    shape = tuple(size or 64 for size in network.card.input_shape)
    for at in range(count):
        if shape == (28, 28, 1):
            low, high = network.card.value_range
            image = digits.images[at * len(digits.images) // count].astype(np.float32)[..., np.newaxis] / 255
            yield (low + (high - low) * image).astype(np.float32)
        else:
            yield rng.uniform(*network.card.value_range, shape).astype(np.float32)


def print_time(network: Network) -> None:
    """Print the processor time of one difference, over all layers."""
    forward = network.run(next(draw_images(network, 1)))
    seconds = []
    for _ in range(51):
        start = time.process_time()
        explain(network, forward, "7", "4")
        seconds.append(time.process_time() - start)
    print(f"Time: one difference over all layers of “{network.name}”: median {np.median(seconds) * 1e3:.2f} ms of CPU")


def print_methods(network: Network, count: int) -> None:
    """Print what each method is worth on test digits."""
    last = [layer.name for layer in network.feature_map_layers if layer.is_convolution][-1]
    rng = np.random.default_rng(0)
    areas: dict[str, list[float]] = {name: [] for name in (*METHODS, RANDOM)}
    errors: dict[str, list[float]] = {name: [] for name in METHODS}
    survived: dict[str, list[float]] = {name: [] for name in METHODS}
    for image in draw_images(network, count):
        forward = network.run(image)
        areas[RANDOM].append(deletion_area(network, forward, rng.permutation(image.size).reshape(image.shape[:2])))
        for method in METHODS.values():
            layer = last if "cam" in method.name else None
            settings = Settings(layer, np.full_like(image, image.min()))
            checks = [attribute(network, forward, method, settings=settings, seed=seed) for seed in SEEDS]
            areas[method.name].append(deletion_area(network, forward, spread(checks[0])))
            errors[method.name].append(abs(checks[0].completeness_error / checks[0].expected))
            survived[method.name] += [check.randomisation.correlation for check in checks if check.randomisation]
    print(f"Methods on {count} digits, class activation maps at “{last}”: mean ± standard error")
    heads = ("deletion area", "less than random", "less than grad-cam", "completeness error", "randomisation")
    print(f"{'':22}" + "".join(f"{head:>20}" for head in heads))
    for name, found in areas.items():
        # Digit by digit, as some digits lose their class sooner than others by any method.
        pairs = [_mean([other - own for own, other in zip(found, areas[to], strict=True)]) for to in (RANDOM, GRAD_CAM)]
        others = [_mean(each[name]) for each in (errors, survived)] if name in METHODS else ["", ""]
        print(f"{name:22}" + "".join(f"{text:>20}" for text in (_mean(found), *pairs, *others)))


def _mean(values: list[float]) -> str:
    known = np.array([value for value in values if np.isfinite(value)])
    return f"{known.mean():.3f} ± {known.std(ddof=1) / np.sqrt(len(known)):.3f}"


def spread(found: Attribution) -> Doubles:
    """Return the map over the image: each pixel has the value of the cell that lies over it."""
    case = found.case
    if case.layer is None:
        return np.asarray(found.map, np.float64)
    layer = case.network.layer(case.layer)
    place = case.network.extent(layer, case.forward.image, case.values)
    assert place is not None
    rows, columns = (
        np.clip(((np.arange(size) + 0.5 - low) * cells / (high - low)).astype(int), 0, cells - 1)
        for size, low, high, cells in zip(
            case.forward.image.shape[:2], place[:2], place[2:], found.map.shape, strict=True
        )
    )
    return np.asarray(found.map, np.float64)[np.ix_(rows, columns)]


def deletion_area(network: Network, forward: ForwardPass, ranking: NDArray[np.number]) -> float:
    """Return the mean probability of the likeliest class while ink becomes paper, the highest ranked cells first."""
    image, best, paper = forward.image, int(forward.output.argmax()), forward.image.min()
    ink = np.argwhere(image[..., 0] > paper)
    order = ink[np.argsort(-ranking[ink[:, 0], ink[:, 1]], kind="stable")]
    probabilities = []
    for step in range(STEPS + 1):
        rows, columns = order[: len(order) * step // STEPS].T
        left = image.copy()
        left[rows, columns] = paper
        probabilities.append(float(network.run(left).output[best]))
    return float(np.trapezoid(probabilities, dx=1 / STEPS))


if __name__ == "__main__":
    main()
