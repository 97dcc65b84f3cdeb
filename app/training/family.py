"""The recipes of the models in models/."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import keras

from ..cnn.types import PoolingMode
from . import architectures
from .task import Task

SIBLINGS = {PoolingMode.MAX: "digits", PoolingMode.AVERAGE: "digits-average", PoolingMode.MIN: "digits-min"}


@dataclass(frozen=True)
class Recipe:
    """The architecture, task and training of a model, and the words on its card."""

    name: str
    title: str
    description: str
    task: Task
    build: Callable[[], keras.Sequential]
    epochs: int  # 0: it keeps its initial weights
    # The network that is saved, if not the trained one: the same weights without dropout layers.
    build_without_dropout: Callable[[], keras.Sequential] | None = None
    siblings: dict[PoolingMode, str] = field(default_factory=dict)


def _digits(name: str, title: str, description: str, pooling: PoolingMode) -> Recipe:
    return Recipe(
        name=name,
        title=title,
        description=description,
        task=Task.DIGIT,
        build=partial(architectures.digits, pooling, dropout=0.1),
        build_without_dropout=partial(architectures.digits, pooling),
        epochs=8,
        siblings=SIBLINGS,
    )


_RECIPES = (
    _digits(
        "digits",
        "Digits",
        "Four convolutions and two max poolings that read a handwritten digit, small enough to look at every "
        "feature map.",
        PoolingMode.MAX,
    ),
    _digits(
        "digits-average",
        "Digits, average pooling",
        "The architecture of Digits, trained with average pooling: it reads a handwritten digit.",
        PoolingMode.AVERAGE,
    ),
    _digits(
        "digits-min",
        "Digits, min pooling",
        "The architecture of Digits, trained with min pooling: it reads a handwritten digit.",
        PoolingMode.MIN,
    ),
    Recipe(
        name="section-6-3",
        title="Section 6.3: a complete network",
        description="The textbook's complete convolutional network, layer by layer as its code would write it, "
        "with ReLU, dropout and softmax as layers of their own: it reads a handwritten digit.",
        task=Task.DIGIT,
        build=architectures.section_6_3,
        epochs=2,
    ),
    Recipe(
        name="figure-6-3",
        title="Figure 6.3: four layers",
        description="The textbook's simple but fully functional convolutional network with four layers: a convolution, "
        "a max pooling, a flattening and one logistic neuron. It tells odd digits from even ones.",
        task=Task.PARITY,
        build=architectures.figure_6_3,
        epochs=3,
    ),
    Recipe(
        name="five-layer-dense",
        title="Five fully connected layers",
        description="784, 100, 100, 100 and 1 neurons: 98,500 weights to tell odd digits from even ones, to set "
        "against the 45 of five convolutional layers.",
        task=Task.PARITY,
        build=architectures.five_layer_dense,
        epochs=4,
    ),
    Recipe(
        name="five-layer-convolutional",
        title="Five convolutional layers",
        description="Five convolutions of one kernel each: 45 weights that draw the outline of any picture, whatever "
        "its size.",
        task=Task.OUTLINE,
        build=architectures.five_layer_convolutional,
        epochs=6,
    ),
    Recipe(
        name="untrained",
        title="Digits, untrained",
        description="The architecture of Digits with its random starting weights: what a network answers before it "
        "has learned anything.",
        task=Task.DIGIT,
        build=architectures.digits,
        epochs=0,
    ),
)

FAMILY: dict[str, Recipe] = {recipe.name: recipe for recipe in _RECIPES}
