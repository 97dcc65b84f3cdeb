"""Activation functions by Keras' names, made of LiteRT's operators.

Sources: Keras' documentation of keras.activations. The numbers of SELU are those of Klambauer and others, 2017.
"""

from collections.abc import Callable, Mapping

from ai_edge_litert import schema_py_generated as schema

from app.cnn.litert.graph import Graph, Tensor
from app.cnn.litert.unknown import Unknown

Op = schema.BuiltinOperator

_SELU_SCALE, _SELU_ALPHA = 1.05070098, 1.67326324
_LEAK = 0.2  # Keras' own, where a layer names the function alone


def activate(graph: Graph, name: str | None, x: Tensor) -> Tensor:
    """The activation function of this name; None is linear. Raises: Unknown."""
    if name is None or name == "linear":
        return x
    if name not in FUNCTIONS:
        raise Unknown(f"the activation function {name}")
    return FUNCTIONS[name](graph, x)


def leaky_relu(graph: Graph, x: Tensor, slope: float) -> Tensor:
    return graph.unary(Op.LEAKY_RELU, x, schema.LeakyReluOptionsT(alpha=slope))


def elu(graph: Graph, x: Tensor, alpha: float) -> Tensor:
    """x above zero, alpha * (exp(x) - 1) below."""
    if alpha == 1:
        return graph.unary(Op.ELU, x)
    below = graph.unary(Op.ELU, graph.binary(Op.MINIMUM, x, 0.0))
    return graph.binary(Op.ADD, graph.unary(Op.RELU, x), graph.binary(Op.MUL, below, alpha))


def softmax(graph: Graph, x: Tensor) -> Tensor:
    """Over the last axis."""
    return graph.unary(Op.SOFTMAX, x, schema.SoftmaxOptionsT(beta=1.0))


def _selu(graph: Graph, x: Tensor) -> Tensor:
    return graph.binary(Op.MUL, elu(graph, x, _SELU_ALPHA), _SELU_SCALE)


def _silu(graph: Graph, x: Tensor) -> Tensor:
    return graph.binary(Op.MUL, x, graph.unary(Op.LOGISTIC, x))


def _hard_sigmoid(graph: Graph, x: Tensor) -> Tensor:
    return graph.binary(Op.MUL, graph.unary(Op.RELU6, graph.binary(Op.ADD, x, 3.0)), 1 / 6)


def _softplus(graph: Graph, x: Tensor) -> Tensor:
    """log(1 + exp(-|x|)) + max(x, 0): exp stays finite."""
    small = graph.unary(Op.EXP, graph.unary(Op.NEG, graph.unary(Op.ABS, x)))
    rest = graph.unary(Op.LOG, graph.binary(Op.ADD, small, 1.0))
    return graph.binary(Op.ADD, rest, graph.unary(Op.RELU, x))


def _softsign(graph: Graph, x: Tensor) -> Tensor:
    return graph.binary(Op.DIV, x, graph.binary(Op.ADD, graph.unary(Op.ABS, x), 1.0))


FUNCTIONS: Mapping[str, Callable[[Graph, Tensor], Tensor]] = {
    "elu": lambda graph, x: elu(graph, x, 1.0),
    "exponential": lambda graph, x: graph.unary(Op.EXP, x),
    "gelu": lambda graph, x: graph.unary(Op.GELU, x, schema.GeluOptionsT(approximate=False)),
    "hard_sigmoid": _hard_sigmoid,
    "hard_silu": lambda graph, x: graph.binary(Op.MUL, x, _hard_sigmoid(graph, x)),
    "hard_swish": lambda graph, x: graph.binary(Op.MUL, x, _hard_sigmoid(graph, x)),
    "leaky_relu": lambda graph, x: leaky_relu(graph, x, _LEAK),
    "mish": lambda graph, x: graph.binary(Op.MUL, x, graph.unary(Op.TANH, _softplus(graph, x))),
    "relu": lambda graph, x: graph.unary(Op.RELU, x),
    "relu6": lambda graph, x: graph.unary(Op.RELU6, x),
    "selu": _selu,
    "sigmoid": lambda graph, x: graph.unary(Op.LOGISTIC, x),
    "silu": _silu,
    "softmax": softmax,
    "softplus": _softplus,
    "softsign": _softsign,
    "swish": _silu,
    "tanh": lambda graph, x: graph.unary(Op.TANH, x),
}
