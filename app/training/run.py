"""A training run: each network of the family trained, and saved with its card."""

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import keras

from ..cnn.card import Card, write_card
from ..cnn.novelty import detector_path, write_detector
from ..datasets.digits import SIDE
from .data import TrainingData
from .evaluation import load, make_card, measure_temperature, task_of
from .family import FAMILY, Recipe
from .loop import Trained, fit
from .mnist import BadInput
from .novelty import Pictures, choose_pictures, fit_detector
from .outlines import fit_outline
from .task import Task


def run(
    names: list[str], data: TrainingData, out: Path, seed: int, epochs: int | None, report: Callable[[str], None]
) -> None:
    """Train each model and save it with its card as soon as it is done.

    epochs: an upper limit for each model, or None for the recipes' own numbers. report: is called with lines of text.
    Raises: OSError if a model cannot be saved.
    """
    prepare(out)
    pictures: Pictures | None = None
    for recipe in (FAMILY[name] for name in names):
        report(f"{recipe.name}: {recipe.title}")
        # Seeded for each model, so that a model does not depend on which others are trained.
        keras.utils.set_random_seed(seed)
        trained = _train(recipe, data, recipe.epochs if epochs is None else min(epochs, recipe.epochs), seed)
        card = make_card(recipe, trained.network, data, trained.epochs, seed)
        save(trained.network, card, out, recipe.name)
        if trained.epochs and recipe.task is not Task.OUTLINE:
            pictures = pictures or choose_pictures(data, seed)
            detector = fit_detector(trained.network, data, pictures, seed)
            write_detector(detector, detector_path(out / f"{recipe.name}.keras"))
        report(f"{recipe.name}: saved. {_summary(card.test_accuracy, card.pen_accuracy)}")


def calibrate(paths: Iterable[Path], data: TrainingData, seed: int, report: Callable[[str], None]) -> None:
    """Fit the temperature and the detector of novelty of trained models anew, and write both beside their files.

    Raises: BadInput for a model that does not read digits of MNIST's size, OSError.
    """
    pictures = choose_pictures(data, seed)
    for path in paths:
        network, card = load(path)
        task = task_of(card)
        if task is Task.OUTLINE or tuple(card.input_shape) != (SIDE, SIDE, 1) or card.value_range != (0.0, 1.0):
            raise BadInput(f"{path} cannot be calibrated: only models of digits of 28×28 pixels from 0 to 1 can.")
        keras.utils.set_random_seed(seed)
        temperature = measure_temperature(network, task, data.validation)
        detector = fit_detector(network, data, pictures, seed)
        write_card(card.model_copy(update={"temperature": temperature}), path.with_suffix(".json"))
        write_detector(detector, detector_path(path))
        report(f"{path.stem}: temperature {temperature:.3f}, and a detector of {len(detector.kernel):,} features.")


def _train(recipe: Recipe, data: TrainingData, epochs: int, seed: int) -> Trained:
    if recipe.epochs == 0:
        return Trained(recipe.build(), 0)
    if recipe.task is Task.OUTLINE:
        return fit_outline(data.train, data.validation, epochs, seed)
    trained = fit(recipe.build(), recipe.task, data.train, data.validation, epochs, seed)
    if recipe.build_without_dropout is None:
        return trained
    network = recipe.build_without_dropout()
    network.set_weights(trained.network.get_weights())
    return Trained(network, trained.epochs)


def _summary(test_accuracy: float | None, pen_accuracy: float | None) -> str:
    shares = {"MNIST's test digits": test_accuracy, "pen drawings by other writers": pen_accuracy}
    return " ".join(f"{share:.2%} of {what} read rightly." for what, share in shares.items() if share is not None)


def prepare(folder: Path) -> None:
    """Make the folder and write to it once, so that a read-only one is found before half an hour's training.

    Raises: OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def save(network: keras.Model, card: Card, folder: Path, name: str) -> None:
    """Write NAME.keras, without the optimizer's state, and NAME.json.

    Both are complete before either takes its place. The folder must exist.
    Raises: OSError if the disk is full or the folder cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=folder) as unfinished:
        model_path, card_path = Path(unfinished, f"{name}.keras"), Path(unfinished, f"{name}.json")
        _without_optimizer(network).save(model_path)
        write_card(card, card_path)
        # Interrupted between these, a model without a card is left, which counts as not finished.
        (folder / card_path.name).unlink(missing_ok=True)
        model_path.replace(folder / model_path.name)
        card_path.replace(folder / card_path.name)


def _without_optimizer(network: keras.Model) -> keras.Model:
    copy = network.__class__.from_config(network.get_config())
    copy.set_weights(network.get_weights())
    return copy
