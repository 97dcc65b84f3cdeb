"""Layers of a file that are other layers here, one or several: wrappers around a layer, and attention.

Each of them gives its parts as a file would list them. What a part computes, and where its weights are, follows from
that as for any layer of a nested model.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from ...cnn.kinds.checks import (
    UNITS,
    Configurable,
    axis_number,
    between,
    either,
    flag,
    one_of,
    optional,
    setting,
    several,
    whole,
)
from ...cnn.kinds.layer import Layer, LayerSettings
from ...cnn.kinds.time_distributed import TimeDistributed
from ..errors import ModelError, shown
from .nodes import Config, name_of

_size = whole(1, UNITS)
_RECURRENT = {"LSTM", "LSTMV2", "GRU", "GRUV2", "SimpleRNN"}
_MERGES = {"concat": "Concatenate", "sum": "Add", "mul": "Multiply", "ave": "Average"}


@dataclass(frozen=True)
class Part:
    """One of the layers that a file's layer is here. The last one gives the output."""

    entry: Config  # as a file would list it
    inputs: tuple[int | str, ...] = (0,)  # what the file's layer reads, by number, or parts before, by name
    place: str = ""  # of its weights in a .keras file, below those of the file's layer; "" has none


@dataclass(frozen=True, kw_only=True)
class Composite(Configurable):
    """A layer of a file, its settings checked."""

    def parts(self, inputs: int) -> tuple[Part, ...]:
        """Return its parts. inputs: how many it reads. Raises: ModelError."""
        raise NotImplementedError


def _entry(value: Any) -> Config:
    """Check for a layer as a file lists one."""
    if not isinstance(value, dict) or not isinstance(value.get("class_name"), str):
        raise ValueError("a layer")
    if not isinstance(config := value.get("config"), dict) or not isinstance(config.get("name", ""), str):
        raise ValueError("a layer")
    return value if "name" in config else _renamed(value, "layer")


def _renamed(entry: Config, name: str, **settings: Any) -> Config:
    return {key: value for key, value in entry.items() if key != "name"} | {
        "config": entry["config"] | {"name": name} | settings
    }


def _made(kind: str, name: str, **settings: Any) -> Config:
    return {"class_name": kind, "config": {"name": name, **settings}}


@dataclass(frozen=True, kw_only=True)
class _Wrapper(Composite):
    """A layer around another one."""

    layer: Config = setting(_entry)

    def parts(self, inputs: int) -> tuple[Part, ...]:
        return (Part(self.layer, tuple(range(inputs)), "layer"),)


@dataclass(frozen=True, kw_only=True)
class Distribution(_Wrapper):
    """A layer that is given each part of its input along the first axis: see `distribute`."""


@dataclass(frozen=True, kw_only=True)
class SpectralNormalization(_Wrapper):
    """A layer whose kernel is divided by its largest singular value in training (Miyato and others, 2018)."""

    power_iterations: int = setting(_size, 1)


@dataclass(frozen=True, kw_only=True)
class Bidirectional(_Wrapper):
    """A recurrent layer that reads its input from both ends (Schuster and Paliwal, 1997)."""

    backward_layer: Config | None = setting(optional(_entry), None)
    merge_mode: str = setting(one_of(*_MERGES), "concat")

    def parts(self, inputs: int) -> tuple[Part, ...]:
        if inputs != 1:
            raise ModelError("A Bidirectional is given the state that it begins with; expected its input alone.")
        forward, config = self.layer, self.layer["config"]
        backward = self.backward_layer or _renamed(forward, "", go_backwards=not config.get("go_backwards"))
        for each in (forward, backward):
            if each["class_name"] not in _RECURRENT:
                kind = shown(each["class_name"])
                raise ModelError(f"A Bidirectional is around {kind}; expected an LSTM, a GRU or a SimpleRNN.")
        own = name_of(forward).removeprefix("forward_")
        forward, backward = _renamed(forward, f"forward_{own}"), _renamed(backward, f"backward_{own}")
        first, second = Part(forward, place="forward_layer"), Part(backward, place="backward_layer")
        turned = Part(_made("Slice", "turned", begin=[None], end=[None], step=[-1]), (name_of(backward),))
        turns = (turned,) if config.get("return_sequences") else ()
        last = turned if turns else second
        merge = Part(_made(_MERGES[self.merge_mode], "merge"), (name_of(forward), name_of(last.entry)))
        return first, second, *turns, merge


@dataclass(frozen=True, kw_only=True)
class _Attention(Composite):
    """Attention to what one of two inputs, or of three, holds: query, value, and key if it is not the value."""

    def _inputs(self, inputs: int) -> tuple[int, int, int]:
        if inputs not in (2, 3):
            raise ModelError(f"An attention layer reads {inputs} inputs; expected a query, a value, and perhaps a key.")
        return 0, 1, inputs - 1


@dataclass(frozen=True, kw_only=True)
class Attention(_Attention):
    """Attention by products (Luong, Pham and Manning, 2015), or by sums."""

    use_scale: bool = setting(flag, False)
    score_mode: str = setting(one_of("dot", "concat"), "dot")
    dropout: float = setting(between(0, 1), 0.0)

    def parts(self, inputs: int) -> tuple[Part, ...]:
        return self._by(self._scores(), inputs)

    def _scores(self) -> Config:
        if self.score_mode == "dot":
            return _made("AttentionScores", "scores", use_scale=self.use_scale, attention_axes=[1])
        return _made("AdditiveScores", "scores", use_scale=self.use_scale, score_mode="concat", attention_axes=[1])

    def _by(self, scores: Config, inputs: int) -> tuple[Part, ...]:
        query, value, key = self._inputs(inputs)
        return Part(scores, (query, key), "."), Part(_made("Attend", "attended"), ("scores", value))


@dataclass(frozen=True, kw_only=True)
class AdditiveAttention(Attention):
    """Attention by sums (Bahdanau, Cho and Bengio, 2015)."""

    use_scale: bool = setting(flag, True)

    def _scores(self) -> Config:
        return _made("AdditiveScores", "scores", use_scale=self.use_scale, attention_axes=[1])


# Where a .keras file has what queries, keys, values and the output are made by: dense layers of several heads.
PROJECTIONS = (_QUERY, _KEY, _VALUE, _GATE, _OUTPUT) = tuple(
    f"_{name}_dense" for name in ("query", "key", "value", "gate", "output")
)


class _HeadSizes(NamedTuple):
    """How many heads there are, and of how many features."""

    number: int
    shared: int  # heads of keys and values, each of which serves as many of the queries'
    key_size: int
    value_size: int


@dataclass(frozen=True, kw_only=True)
class _Heads(_Attention):
    """Attention of several heads, each by its own part of what queries, keys and values are turned into."""

    use_bias: bool = setting(flag, True)
    use_gate: bool = setting(flag, False)
    dropout: float = setting(between(0, 1), 0.0)

    def _by(self, inputs: int, heads: _HeadSizes, output: int | None = None) -> tuple[Part, ...]:
        """Return the parts. output: how many features it has; None is as many as the query."""
        query, value, key = self._inputs(inputs)
        attended = heads.number * heads.value_size
        made = "gated" if self.use_gate else "attended"
        scores = {"heads": heads.number, "key_heads": heads.shared, "factor": 1 / math.sqrt(heads.key_size)}
        gate = Part(self._dense("gate", attended, activation="sigmoid"), (query,), _GATE)
        gated = Part(_made("Multiply", "gated"), ("attended", "gate"))
        last = self._dense("attention_output", output) if output else self._output()
        return (
            Part(self._dense("query", heads.number * heads.key_size), (query,), _QUERY),
            Part(self._dense("key", heads.shared * heads.key_size), (key,), _KEY),
            *((gate,) if self.use_gate else ()),
            Part(self._dense("value", heads.shared * heads.value_size), (value,), _VALUE),
            Part(_made("AttentionScores", "scores", **scores, attention_axes=self._axes()), ("query", "key")),
            Part(_made("Attend", "attended", value_heads=heads.shared), ("scores", "value")),
            *((gated,) if self.use_gate else ()),
            Part(last, (made,) if output else (made, query), _OUTPUT),
        )

    def _axes(self) -> tuple[int, ...] | None:
        """Return the axes along which it attends; None is all but the last."""
        return None

    def _dense(self, name: str, units: int, **settings: Any) -> Config:
        return _made("Dense", name, units=units, use_bias=self.use_bias, **settings)

    def _output(self) -> Config:
        return _made("AttentionOutput", "attention_output", use_bias=self.use_bias)


@dataclass(frozen=True, kw_only=True)
class MultiHeadAttention(_Heads):
    """Attention of several heads (Vaswani and others, 2017)."""

    num_heads: int = setting(_size)
    key_dim: int = setting(_size)
    value_dim: int | None = setting(optional(_size), None)
    output_shape: tuple[int] | int | None = setting(optional(either(_size, several(_size, 1))), None)
    attention_axes: tuple[int, ...] | int | None = setting(optional(either(axis_number, several(axis_number))), None)

    def parts(self, inputs: int) -> tuple[Part, ...]:
        heads = _HeadSizes(self.num_heads, self.num_heads, self.key_dim, self.value_dim or self.key_dim)
        output = self.output_shape
        return self._by(inputs, heads, output[0] if isinstance(output, tuple) else output)

    def _axes(self) -> tuple[int, ...] | None:
        return (self.attention_axes,) if isinstance(self.attention_axes, int) else self.attention_axes


@dataclass(frozen=True, kw_only=True)
class GroupedQueryAttention(_Heads):
    """Attention of several heads, some of which share keys and values (Ainslie and others, 2023)."""

    head_dim: int = setting(_size)
    num_query_heads: int = setting(_size)
    num_key_value_heads: int = setting(_size)

    def parts(self, inputs: int) -> tuple[Part, ...]:
        return self._by(
            inputs, _HeadSizes(self.num_query_heads, self.num_key_value_heads, self.head_dim, self.head_dim)
        )


# By the names of their classes in files; tensorflow_addons had a class of its own.
COMPOSITES: Mapping[str, type[Composite]] = MappingProxyType(
    {
        "AdditiveAttention": AdditiveAttention,
        "Addons>SpectralNormalization": SpectralNormalization,
        "Attention": Attention,
        "Bidirectional": Bidirectional,
        "GroupQueryAttention": GroupedQueryAttention,
        "GroupedQueryAttention": GroupedQueryAttention,
        "MultiHeadAttention": MultiHeadAttention,
        "SpectralNormalization": SpectralNormalization,
        "TimeDistributed": Distribution,
    }
)
ATTENTION = frozenset(name for name, composite in COMPOSITES.items() if issubclass(composite, _Attention))


def distribute(kind: type[Layer], settings: LayerSettings) -> tuple[type[Layer], LayerSettings]:
    """Return what computes the same as this layer on each part of its input along the first axis."""
    if not kind.ignores_leading_axes:
        return TimeDistributed, {"layer": {"class_name": kind.__name__, "config": dict(settings)}}
    axis = settings.get("axis")
    if axis is None:
        return kind, settings
    moved = tuple(map(_moved, axis)) if isinstance(axis, tuple) else _moved(axis)
    return kind, {**settings, "axis": moved}


def _moved(axis: int) -> int:
    return axis + 1 if axis > 0 else axis
