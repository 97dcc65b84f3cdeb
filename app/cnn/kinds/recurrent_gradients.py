"""How a gradient goes back through a recurrent layer: step by step, the last one first (Werbos, 1990).

The steps are computed once more, in float64, as the network itself tells at most what each of them gave out.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from .activation_gradients import find_slopes

Doubles = NDArray[np.float64]
State = tuple[Doubles, ...]  # of one step: (units,) each; gradients of it have an axis of the numbers in front

_SELU_SCALE, _SELU_ALPHA = 1.05070098, 1.67326324


def _elu(z: Doubles) -> Doubles:
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0)))


def _sigmoid(z: Doubles) -> Doubles:
    return np.asarray(0.5 * (1 + np.tanh(z / 2)))


_VALUES: dict[str, Callable[[Doubles], Doubles]] = {
    "elu": _elu,
    "exponential": np.exp,
    "hard_sigmoid": lambda z: np.clip(z / 6 + 0.5, 0, 1),
    "hard_tanh": lambda z: np.clip(z, -1, 1),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.2 * z),
    "linear": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "relu6": lambda z: np.clip(z, 0, 6),
    "selu": lambda z: _SELU_SCALE * np.where(z > 0, z, _SELU_ALPHA * np.expm1(np.minimum(z, 0))),
    "sigmoid": _sigmoid,
    "silu": lambda z: z * _sigmoid(z),
    "softplus": lambda z: np.logaddexp(0, z),
    "softsign": lambda z: z / (1 + np.abs(z)),
    "swish": lambda z: z * _sigmoid(z),
    "tanh": np.tanh,
}


class Function(NamedTuple):
    """An activation function within a step."""

    name: str

    @property
    def is_known(self) -> bool:
        return self.name in _VALUES

    def __call__(self, z: Doubles) -> Doubles:
        return _VALUES[self.name](z)

    def slopes(self, made: Doubles, z: Doubles) -> NDArray[np.floating]:
        return find_slopes(self.name, made, z)


class Passed(NamedTuple):
    """Gradients that go back from a step."""

    given: Doubles  # (several, gates · units): of what it got from its input, a bias included
    recurrent: Doubles  # (several, gates · units): of what it got from the state, a bias included
    state: State  # of the state that it began with


class Step(Protocol):
    """One step of a recurrent layer."""

    @property
    def state(self) -> State:
        """The state that it ends with: what it gives out comes first."""

    def backward(self, gradients: State) -> Passed:
        """Return the gradients that go back, for those of the state that it ends with."""


class SimpleStep:
    """h' = f(given + h R)."""

    def __init__(self, given: Doubles, state: State, kernel: Doubles, function: Function) -> None:
        self._kernel, self._function = kernel, function
        self._sum = given + state[0] @ kernel
        self.state: State = (function(self._sum),)

    def backward(self, gradients: State) -> Passed:
        """Return the gradients that go back."""
        sums = gradients[0] * self._function.slopes(self.state[0], self._sum)
        return Passed(sums, sums, (sums @ self._kernel.T,))


class MemoryStep:
    """c' = f c + i g and h' = o a(c'); the gates i, f and o, and the candidate g, are functions of given + h R."""

    def __init__(self, given: Doubles, state: State, kernel: Doubles, function: Function, gate: Function) -> None:
        self._kernel, self._function, self._gate = kernel, function, gate
        sums = given + state[0] @ kernel
        self._sums = np.split(sums, 4, axis=-1)
        self._made = [each(part) for each, part in zip((gate, gate, function, gate), self._sums, strict=True)]
        admits, keeps, candidate, shows = self._made
        self._before = state[1]
        self._cell = keeps * state[1] + admits * candidate
        self._seen = function(self._cell)
        self.state: State = (shows * self._seen, self._cell)

    def backward(self, gradients: State) -> Passed:
        """Return the gradients that go back."""
        admits, keeps, candidate, shows = self._made
        cell = gradients[1] + gradients[0] * shows * self._function.slopes(self._seen, self._cell)
        made = (cell * candidate, cell * self._before, cell * admits, gradients[0] * self._seen)
        functions = (self._gate, self._gate, self._function, self._gate)
        parts = [
            gradient * each.slopes(value, part)
            for gradient, each, value, part in zip(made, functions, self._made, self._sums, strict=True)
        ]
        sums = np.concatenate(parts, axis=-1)
        return Passed(sums, sums, (sums @ self._kernel.T, cell * keeps))


class GatedStep:
    """h' = z h + (1 - z) n, where the gates z and r are functions of given + h R.

    n is one of given + r (h R + bias), or, where the gate r comes first, of given + (r h) R.
    """

    def __init__(
        self,
        given: Doubles,
        state: State,
        kernel: Doubles,
        bias: Doubles | None,
        function: Function,
        gate: Function,
        gate_first: bool,
    ) -> None:
        self._kernel, self._function, self._gate, self._gate_first = kernel, function, gate, gate_first
        (self._before,) = state
        units = len(self._before)
        self._first, self._last = kernel[:, : 2 * units], kernel[:, 2 * units :]
        inner = self._before @ kernel + (0.0 if bias is None else bias)
        self._sums = np.split(given[: 2 * units] + inner[: 2 * units], 2)
        self._keeps, self._resets = (gate(each) for each in self._sums)
        self._inner = inner[2 * units :]
        read = (self._resets * self._before) @ self._last if gate_first else self._resets * self._inner
        self._candidate_sum = given[2 * units :] + read
        self._candidate = function(self._candidate_sum)
        self.state: State = (self._keeps * self._before + (1 - self._keeps) * self._candidate,)

    def backward(self, gradients: State) -> Passed:
        """Return the gradients that go back."""
        (made,) = gradients
        candidate = made * (1 - self._keeps) * self._function.slopes(self._candidate, self._candidate_sum)
        before = made * self._keeps
        if self._gate_first:
            read = candidate @ self._last.T
            resets, inner, before = read * self._before, candidate, before + read * self._resets
        else:
            resets, inner = candidate * self._inner, candidate * self._resets
            before = before + inner @ self._last.T
        keeps = made * (self._before - self._candidate)
        gates = np.concatenate(
            [
                gradient * self._gate.slopes(value, part)
                for gradient, value, part in zip((keeps, resets), (self._keeps, self._resets), self._sums, strict=True)
            ],
            axis=-1,
        )
        given, recurrent = (np.concatenate([gates, each], axis=-1) for each in (candidate, inner))
        return Passed(given, recurrent, (before + gates @ self._first.T,))


def pass_steps(steps: Sequence[Step], outputs: Doubles) -> tuple[Doubles, Doubles]:
    """Return the gradients of what each step got from its input, and of what it got from the state.

    outputs: those of what each step gave out, (several, steps, units). Returns: (several, steps, gates · units) each.
    """
    state = tuple(np.zeros_like(outputs[:, 0]) for _ in steps[0].state)
    passed = []
    for number, step in reversed(list(enumerate(steps))):
        each = step.backward((state[0] + outputs[:, number], *state[1:]))
        passed.append(each)
        state = each.state
    passed.reverse()
    return np.stack([each.given for each in passed], axis=1), np.stack([each.recurrent for each in passed], axis=1)
