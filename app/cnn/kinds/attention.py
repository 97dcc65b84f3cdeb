"""Attention: how much each row reads of every other one, and what it gets by that.

An attention layer of a file is several layers here: see app.model_files.config.composites.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..cells import Cell, Contribution, DenseCell
from ..errors import InvalidLayer, require_few, require_readable
from ..gradients import Gradients, PassedBack, channel_sums, close
from ..types import Array, Shape, Variables, Weights
from ..windows import Region, Size
from .activation import explain_softmax
from .checks import UNITS, axis_number, flag, one_of, optional, real, setting, several, whole
from .dense import Dense
from .layer import FLOAT_BYTES, CellIndex, GraphBuilder, Layer, Sizes, Tensor, known, require

Doubles = NDArray[np.float64]


class _Scores(Layer, abstract=True):
    """For each row of the first input a share of each row of the second, by softmax: (rows, rows, heads)."""

    attention_axes: tuple[int, ...] | None = setting(optional(several(axis_number, most=8)), None)

    is_operation = True
    mixes_everything = True

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        """Give queries and keys their gradients. What softmax and the products do not give them is left over."""
        given = gradients.astype(np.float64)
        before = output * (given - (given * output).sum(axis=2, keepdims=True))
        query, key = map(_as_rows, inputs)
        passed = self._pass_logits(weights, query, key, before)
        shaped = [each.reshape(len(gradients), *read.shape) for each, read in zip(passed, inputs, strict=True)]
        return close(gradients, shaped, inputs, output)

    def _pass_logits(
        self, weights: Weights, query: Doubles, key: Doubles, gradients: Doubles
    ) -> tuple[Doubles, Doubles]:
        """Return the gradients of queries and keys, for those of what softmax is given: (several, rows, features)."""
        raise NotImplementedError

    def _rows(self, shape: Shape) -> int | None:
        """Return how many rows of features there are. Raises: ValueError, InvalidLayer."""
        require(len(shape) > 1)
        axes = {axis % (len(shape) + 1) for axis in self.attention_axes or range(1, len(shape))}
        if axes != set(range(1, len(shape))):
            raise InvalidLayer("attends along some axes of its input only; expected all but the last")
        return shape[0] if len(shape) == 2 else math.prod(map(known, shape[:-1]))


def _as_rows(values: Array) -> Doubles:
    return values.reshape(-1, values.shape[-1]).astype(np.float64)


def _as_heads(rows: Doubles, heads: int) -> Doubles:
    """Return (..., rows, heads, features of a head)."""
    return rows.reshape(*rows.shape[:-1], heads, -1)


def _join_heads(gradients: Doubles, heads: int) -> Doubles:
    """Return the gradients of so many heads, each of which served several: (several, rows, features)."""
    several, rows, wanted, size = gradients.shape
    return gradients.reshape(several, rows, heads, wanted // heads, size).sum(axis=3).reshape(several, rows, -1)


class AttentionScores(_Scores):
    """Softmax of the products of queries and keys, scaled (Vaswani and others, 2017).

    The features of a row are those of its heads, one head after the other. A head of the keys may serve several of the
    queries (Ainslie and others, 2023).
    """

    heads: int = setting(whole(1, UNITS), 1)
    key_heads: int = setting(whole(1, UNITS), 1)
    factor: float = setting(real, 1.0)
    use_scale: bool = setting(flag, False)  # a factor that was learned, too

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        query, key = inputs
        require(self.heads % self.key_heads == 0 and known(query[-1]) % self.heads == 0)
        require(known(query[-1]) // self.heads * self.key_heads == key[-1])
        return self._rows(query), self._rows(key), self.heads

    def variable_shapes(self, *inputs: Shape) -> Variables:
        return {"scale": ()} if self.use_scale else {}

    def compute_weighted(self, ops: Any, inputs: Sequence[Any], weights: Mapping[str, Any]) -> Any:
        query, key = inputs
        keys = ops.repeat(_split(ops, key, self.key_heads), self.heads // self.key_heads, axis=2)
        logits = ops.einsum("bqnd,bknd->bqkn", _split(ops, query, self.heads), keys) * self.factor
        return ops.softmax(logits * weights["scale"] if weights else logits, axis=2)

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        query, key = inputs
        queries = _write_heads(graph, query, self.heads, self.heads)
        logits = graph.batch_matmul(queries, _write_heads(graph, key, self.key_heads, self.heads), turned=True)
        scores = graph.softmax(graph.multiply(logits, self._factor(weights)))
        return graph.transpose(scores, (0, 2, 3, 1))

    def _factor(self, weights: Weights) -> float:
        return self.factor * (float(weights["scale"]) if self.use_scale else 1.0)

    def count_operations(self, inputs: Sequence[Sizes], output: Sizes) -> int:
        return math.prod(inputs[0]) * output[1] + super().count_operations(inputs, output)

    def count_scratch(self, inputs: Sequence[Sizes], output: Sizes) -> int:
        """Return the bytes of queries and keys by their heads, and of what is made before the output."""
        keys = output[1] * inputs[0][-1]
        return FLOAT_BYTES * (math.prod(inputs[0]) + 2 * keys + 3 * math.prod(output))

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        row, other, head = place
        require_few(inputs[1].size)
        query, keys = map(_as_rows, inputs)
        size = query.shape[1] // self.heads
        first = head // (self.heads // self.key_heads) * size
        logits = keys[:, first : first + size] @ query[row, head * size : (head + 1) * size]
        return explain_softmax(logits * self._factor(weights), other, value)

    def _pass_logits(
        self, weights: Weights, query: Doubles, key: Doubles, gradients: Doubles
    ) -> tuple[Doubles, Doubles]:
        queries, keys = _as_heads(query, self.heads), _as_heads(key, self.key_heads)
        repeated = keys.repeat(self.heads // self.key_heads, axis=1)
        scaled = gradients * self._factor(weights)
        of_queries = np.einsum("gqkn,knd->gqnd", scaled, repeated, optimize=True)
        of_keys = np.einsum("gqkn,qnd->gknd", scaled, queries, optimize=True)
        return _join_heads(of_queries, self.heads), _join_heads(of_keys, self.key_heads)

    def describe(self) -> str:
        heads = f", in {self.heads} ways" if self.heads > 1 else ""
        return f"how much each row attends to every other one{heads}"


class AdditiveScores(_Scores):
    """Softmax of what tanh makes of the sums of queries and keys, added up (Bahdanau, Cho and Bengio, 2015)."""

    use_scale: bool = setting(flag, True)
    score_mode: str = setting(one_of("additive", "concat"), "additive")

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        query, key = inputs
        require(query[-1] == key[-1])
        return self._rows(query), self._rows(key), 1

    def variable_shapes(self, *inputs: Shape) -> Variables:
        features = () if self.score_mode == "concat" else (known(inputs[0][-1]),)
        scale: Variables = {"scale": features} if self.use_scale else {}
        return {**scale, "concat_score_weight": ()} if self.score_mode == "concat" else scale

    def compute_weighted(self, ops: Any, inputs: Sequence[Any], weights: Mapping[str, Any]) -> Any:
        query, key = (_split(ops, each, 1) for each in inputs)
        sums = query + ops.transpose(key, (0, 2, 1, 3))  # (batch, rows, rows, features)
        within, outside = self._factors(weights)
        return ops.softmax(ops.sum(ops.tanh(sums * within) * outside, axis=-1, keepdims=True), axis=2)

    def _factors(self, weights: Mapping[str, Any]) -> tuple[Any, Any]:
        """Return what is multiplied before tanh, and after it."""
        scale = weights.get("scale", 1.0)
        return (scale, weights["concat_score_weight"]) if self.score_mode == "concat" else (1.0, scale)

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        query, key = inputs
        (rows, features), others = (_count_rows(query), query.shape[-1]), _count_rows(key)
        queries = graph.reshape(query, (1, rows, 1, features))
        keys = graph.reshape(key, (1, 1, others, features))
        within, outside = (np.full(features, each, np.float32) for each in self._factors(weights))
        sums = graph.multiply(graph.add(queries, keys), graph.constant(within))
        parts = graph.multiply(graph.tanh(sums), graph.constant(outside))
        return graph.reshape(graph.softmax(graph.reduce_sum(parts, False, (3,))), (1, rows, others, 1))

    def count_operations(self, inputs: Sequence[Sizes], output: Sizes) -> int:
        return 10 * math.prod(output) * inputs[0][-1] + super().count_operations(inputs, output)

    def count_scratch(self, inputs: Sequence[Sizes], output: Sizes) -> int:
        """Return the bytes of the sums before anything is added up, as they are changed several times."""
        return FLOAT_BYTES * math.prod(output) * (4 * inputs[0][-1] + 2)

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        row, other, _ = place
        require_few(inputs[1].size)
        query, keys = map(_as_rows, inputs)
        within, outside = self._factors({name: each.astype(np.float64) for name, each in weights.items()})
        logits = (np.tanh((query[row] + keys) * within) * outside).sum(axis=1)
        return explain_softmax(logits, other, value)

    def _pass_logits(
        self, weights: Weights, query: Doubles, key: Doubles, gradients: Doubles
    ) -> tuple[Doubles, Doubles]:
        within, outside = self._factors({name: each.astype(np.float64) for name, each in weights.items()})
        squashed = np.tanh((query[:, np.newaxis] + key) * within)
        slopes = (1 - squashed**2) * within * outside  # (rows, other rows, features)
        flat = gradients[..., 0]
        of_queries = np.einsum("gqk,qkf->gqf", flat, slopes, optimize=True)
        return of_queries, np.einsum("gqk,qkf->gkf", flat, slopes, optimize=True)

    def describe(self) -> str:
        return "how much each row attends to every other one"


class Attend(Layer):
    """Each row gets the sum of all values, by its shares of them. It reads the shares, and the values."""

    value_heads: int = setting(whole(1, UNITS), 1)

    is_operation = True
    mixes_everything = True

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        (rows, others, heads), (*places, features) = inputs
        require(known(heads) % self.value_heads == 0 and known(features) % self.value_heads == 0)
        made = known(features) // self.value_heads * known(heads)
        if len(places) == 1:
            require(places[0] == others)
            return rows, made
        require(math.prod(map(known, places)) == others)
        if rows != others:
            raise InvalidLayer("reads maps of one size by those of another; expected rows of features, or one size")
        return (*places, made)

    def compute(self, ops: Any, inputs: Sequence[Any]) -> Any:
        scores, values = inputs
        heads = scores.shape[-1]
        split = ops.repeat(_split(ops, values, self.value_heads), heads // self.value_heads, axis=2)
        made = ops.einsum("bqkn,bknd->bqnd", scores, split)
        places = ops.shape(scores)[1:2] if len(values.shape) == 3 else values.shape[1:-1]
        return ops.reshape(made, (-1, *places, heads * made.shape[-1]))

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        scores, values = inputs
        heads = scores.shape[-1]
        shares = graph.transpose(scores, (0, 3, 1, 2))
        made = graph.batch_matmul(shares, _write_heads(graph, values, self.value_heads, heads))
        made = graph.transpose(made, (0, 2, 1, 3))
        places = scores.shape[1:2] if len(values.shape) == 3 else values.shape[1:-1]
        return graph.reshape(made, (1, *places, heads * made.shape[-1]))

    def count_operations(self, inputs: Sequence[Sizes], output: Sizes) -> int:
        return math.prod(output) * inputs[0][1] + super().count_operations(inputs, output)

    def count_scratch(self, inputs: Sequence[Sizes], output: Sizes) -> int:
        """Return the bytes of shares and values by their heads, and of what is made before the output."""
        values = inputs[0][1] * output[-1]
        return FLOAT_BYTES * (math.prod(inputs[0]) + 2 * values + 2 * math.prod(output))

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        scores, values = inputs
        *places, unit = place
        require_few(scores.shape[1])
        require_readable(values.size)  # the column's lie between all others
        size = values.shape[-1] // self.value_heads
        head, feature = divmod(unit, size)
        column = head // (scores.shape[-1] // self.value_heads) * size + feature
        row = places[0] if len(places) == 1 else int(np.ravel_multi_index(places, values.shape[:-1]))
        shares = scores[row, :, head].astype(np.float64)
        read = values.reshape(-1, values.shape[-1])[:, column].astype(np.float64)
        products = read * shares
        parts = zip(read.tolist(), shares.tolist(), products.tolist(), strict=True)
        contributions = tuple(Contribution(index, *part) for index, part in enumerate(parts))
        return DenseCell(contributions, 0.0, float(products.sum()), "linear", value, None)

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        """Give shares and values the gradient times the other: each has all of the output, and once is left over."""
        shares, values = inputs[0].astype(np.float64), _as_heads(_as_rows(inputs[1]), self.value_heads)
        heads = shares.shape[2]
        rows = _as_heads(gradients.reshape(len(gradients), len(shares), -1).astype(np.float64), heads)
        repeated = values.repeat(heads // self.value_heads, axis=1)
        of_shares = np.einsum("gqnd,knd->gqkn", rows, repeated, optimize=True)
        of_values = _join_heads(np.einsum("gqnd,qkn->gknd", rows, shares, optimize=True), self.value_heads)
        return close(gradients, [of_shares, of_values.reshape(-1, *inputs[1].shape)], inputs, output)

    def describe(self) -> str:
        return "the sum of all values, each as much as it is attended to"


class AttentionOutput(Layer):
    """Neurons over what each row got by attention: as many as its query, the second input, has features."""

    use_bias: bool = setting(flag, True)

    is_operation = True

    def _dense(self, *inputs: Shape) -> Dense:
        attended, query = inputs
        require(attended[:-1] == query[:-1] and len(query) > 1)
        return Dense(name=self.name, units=known(query[-1]), activation="linear", use_bias=self.use_bias)

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        return self._dense(*inputs).compute_output_shape(inputs[0])

    def variable_shapes(self, *inputs: Shape) -> Variables:
        return self._dense(*inputs).variable_shapes(inputs[0])

    def compute_weighted(self, ops: Any, inputs: Sequence[Any], weights: Mapping[str, Any]) -> Any:
        return ops.matmul(inputs[0], weights["kernel"]) + weights.get("bias", 0.0)

    def write(self, graph: GraphBuilder, weights: Weights, inputs: list[Tensor]) -> Tensor:
        return graph.fully_connected(inputs[0], weights["kernel"], weights.get("bias"))

    def count_operations(self, inputs: Sequence[Sizes], output: Sizes) -> int:
        return math.prod(inputs[0]) * output[-1] + super().count_operations(inputs, output)

    def _explain(self, weights: Weights, inputs: Sequence[Array], place: CellIndex, value: float) -> Cell:
        attended, query = inputs
        return self._dense(attended.shape, query.shape)._explain(weights, [attended], place, value)

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        """Pass what was attended to. Of the query it takes the shape alone."""
        bias = channel_sums(gradients) * weights["bias"] if self.use_bias else None
        unread = np.zeros((len(gradients), *inputs[1].shape), gradients.dtype)
        return PassedBack((gradients @ weights["kernel"].T, unread), bias)

    def read_region(self, cells: Region, size: Size) -> Region:
        if len(self.output_shape) == 2:
            return Region(cells.top, 0, cells.bottom, size[1] or 0)
        return cells

    def describe(self) -> str:
        return f"fully connected, {self.output_shape[-1]} neurons" if self.output_shape else self.kind


def _split(ops: Any, x: Any, heads: int) -> Any:
    """Return (batch, rows, heads, features of a head)."""
    *places, features = ops.shape(x)[1:]
    return ops.reshape(x, (-1, math.prod(places), heads, features // heads))


def _count_rows(x: Tensor) -> int:
    return math.prod(x.shape[:-1])


def _write_heads(graph: GraphBuilder, x: Tensor, heads: int, wanted: int) -> Tensor:
    """Write (1, heads wanted, rows, features of a head), each of the heads repeated as often as it is needed."""
    rows, size = _count_rows(x), x.shape[-1] // heads
    split = graph.transpose(graph.reshape(x, (1, rows, heads, size)), (0, 2, 1, 3))
    if wanted == heads:
        return split
    alone = graph.reshape(split, (1, heads, 1, rows * size))
    repeated = graph.multiply(alone, graph.constant(np.ones((1, 1, wanted // heads, 1), np.float32)))
    return graph.reshape(repeated, (1, wanted, rows, size))
