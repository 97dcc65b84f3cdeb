"""Activation functions by Keras' names: in words, as a formula, and in a LiteRT graph.

Source: Keras' documentation of keras.activations.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CannotMute, UnsupportedLayer

if TYPE_CHECKING:
    from ..litert.builder import GraphBuilder
    from ..litert.graph import Tensor

Write = Callable[["GraphBuilder", "Tensor"], "Tensor"]

_SELU_SCALE, _SELU_ALPHA = 1.05070098, 1.67326324  # Klambauer and others, 2017
_LEAK = 0.2  # of leaky_relu where it is named as a function

# Those that turn zero into another number.
_LIFT_ZERO = frozenset(
    [
        "exponential",
        "hard_sigmoid",
        "log_sigmoid",
        "log_softmax",
        "sigmoid",
        "softmax",
        "softplus",
        "sparse_plus",
        "sparse_sigmoid",
        "sparsemax",
        "squareplus",
    ]
)


@dataclass(frozen=True)
class ActivationFunction:
    """One of Keras' activation functions."""

    name: str
    write: Write | None = None  # None where LiteRT is not given it
    words: str | None = None  # for a layer's card; None is its name
    formula: str | None = None  # with {x} for its argument; None is its name and the argument
    is_logistic: bool = False  # each output lies between 0 and 1 by itself

    @property
    def keeps_zero(self) -> bool:
        """Zero stays zero."""
        return self.name not in _LIFT_ZERO

    def describe(self) -> str:
        return self.name if self.words is None else self.words

    def explain(self, argument: str) -> str:
        """Return the function with its argument written in."""
        return (self.formula or self.name + "({x})").format(x=argument)


def leaky_relu(graph: "GraphBuilder", x: "Tensor", slope: float) -> "Tensor":
    """Write x above zero, slope · x below."""
    return graph.leaky_relu(x, slope)


def elu(graph: "GraphBuilder", x: "Tensor", alpha: float) -> "Tensor":
    """Write x above zero, alpha · (exp(x) - 1) below."""
    if alpha == 1:
        return graph.elu(x)
    below = graph.elu(graph.minimum(x, 0.0))
    return graph.add(graph.relu(x), graph.multiply(below, alpha))


def _silu(graph: "GraphBuilder", x: "Tensor") -> "Tensor":
    return graph.multiply(x, graph.logistic(x))


def _hard_sigmoid(graph: "GraphBuilder", x: "Tensor") -> "Tensor":
    return graph.multiply(graph.relu6(graph.add(x, 3.0)), 1 / 6)


def _hard_silu(graph: "GraphBuilder", x: "Tensor") -> "Tensor":
    return graph.multiply(x, _hard_sigmoid(graph, x))


def _softplus(graph: "GraphBuilder", x: "Tensor") -> "Tensor":
    """Write log(1 + exp(-|x|)) + max(x, 0), in which exp stays finite."""
    rest = graph.log(graph.add(graph.exp(graph.negative(graph.absolute(x))), 1.0))
    return graph.add(rest, graph.relu(x))


FUNCTIONS = {
    each.name: each
    for each in (
        ActivationFunction("celu"),
        ActivationFunction("elu", lambda graph, x: elu(graph, x, 1.0)),
        ActivationFunction("exponential", lambda graph, x: graph.exp(x)),
        ActivationFunction("gelu", lambda graph, x: graph.gelu(x)),
        ActivationFunction("glu"),
        ActivationFunction("hard_shrink"),
        ActivationFunction("hard_sigmoid", _hard_sigmoid, is_logistic=True),
        ActivationFunction("hard_silu", _hard_silu),
        ActivationFunction("hard_swish", _hard_silu),
        ActivationFunction("hard_tanh"),
        ActivationFunction("leaky_relu", lambda graph, x: leaky_relu(graph, x, _LEAK)),
        ActivationFunction("linear", lambda graph, x: x, words="", formula="no activation function"),
        ActivationFunction("log_sigmoid"),
        ActivationFunction("log_softmax"),
        ActivationFunction("mish", lambda graph, x: graph.multiply(x, graph.tanh(_softplus(graph, x)))),
        ActivationFunction("relu", lambda graph, x: graph.relu(x), words="ReLU", formula="ReLU: max(0, {x})"),
        ActivationFunction("relu6", lambda graph, x: graph.relu6(x)),
        ActivationFunction("selu", lambda graph, x: graph.multiply(elu(graph, x, _SELU_ALPHA), _SELU_SCALE)),
        ActivationFunction(
            "sigmoid",
            lambda graph, x: graph.logistic(x),
            words="logistic function",
            formula="logistic function: 1 / (1 + exp(-({x})))",
            is_logistic=True,
        ),
        ActivationFunction("silu", _silu),
        ActivationFunction("soft_shrink"),
        ActivationFunction("softmax", lambda graph, x: graph.softmax(x)),
        ActivationFunction("softplus", _softplus),
        ActivationFunction("softsign", lambda graph, x: graph.divide(x, graph.add(graph.absolute(x), 1.0))),
        ActivationFunction("sparse_plus"),
        ActivationFunction("sparse_sigmoid"),
        ActivationFunction("sparsemax"),
        ActivationFunction("squareplus"),
        ActivationFunction("swish", _silu),
        ActivationFunction("tanh", lambda graph, x: graph.tanh(x)),
        ActivationFunction("tanh_shrink"),
    )
}


def shifted_exponentials(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return exp(logits - their maximum), whose shares of their sum are softmax; the shift keeps exp finite."""
    return np.asarray(np.exp(logits - logits.max()))


def is_logistic(name: str | None) -> bool:
    """Return whether each output of the function lies between 0 and 1 by itself."""
    return name is not None and FUNCTIONS[name].is_logistic


def activate(graph: "GraphBuilder", name: str, x: "Tensor") -> "Tensor":
    """Write the activation function of this name. Raises: UnsupportedLayer."""
    write = FUNCTIONS[name].write
    if write is None:
        raise UnsupportedLayer(f"the activation function {name}")
    return write(graph, x)


def require_zero_stays(layer: str, name: str) -> None:
    """Check that zero stays zero through a layer's activation function. Raises: CannotMute."""
    if not FUNCTIONS[name].keeps_zero:
        raise CannotMute(f"“{layer}” makes its maps by {name}, which turns zero into another number.")


def function_name(value: Any) -> str:
    """Check for the name of an activation function of Keras; null is linear."""
    name = "linear" if value is None else value
    if not isinstance(name, str) or name not in FUNCTIONS:
        raise ValueError("an activation function of Keras")
    return name
