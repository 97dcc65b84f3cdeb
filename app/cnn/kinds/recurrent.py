"""Recurrent layers, which TensorFlow runs."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from ..errors import NoGradient
from ..gradients import Gradients, PassedBack, Terms, close
from ..types import Array, Shape, Variables, Weights
from .activation_functions import function_name
from .checks import UNITS, flag, one_of, setting, whole
from .layer import Layer, Sizes, known
from .recurrent_gradients import Doubles, Function, GatedStep, MemoryStep, SimpleStep, State, Step, pass_steps

_A_STEP = 2_000_000  # multiplications that could be done while TensorFlow goes to the next step


class _Recurrent(Layer, abstract=True):
    """A layer that reads one row after the other, and keeps a state."""

    units: int = setting(whole(1, UNITS))
    activation: str = setting(function_name, "tanh")
    use_bias: bool = setting(flag, True)
    return_sequences: bool = setting(flag, False)
    return_state: bool = setting(one_of(False), False)
    go_backwards: bool = setting(flag, False)

    gates: ClassVar[int] = 1  # how many times the state's weights there are
    states: ClassVar[int] = 1  # what is kept from step to step, the output first
    mixes_everything = True
    weights_path = "cell/vars"

    def compute_output_shape(self, *inputs: Shape) -> Shape:
        ((rows, _),) = inputs
        return (rows, self.units) if self.return_sequences else (self.units,)

    def variable_shapes(self, *inputs: Shape) -> Variables:
        ((_, features),) = inputs
        size = self.gates * self.units
        bias = {"bias": self._bias(size)} if self.use_bias else {}
        return {"kernel": (known(features), size), "recurrent_kernel": (self.units, size), **bias}

    def count_operations(self, inputs: Sequence[Sizes], output: Sizes) -> int:
        """Return the multiplications of all steps, each of which also takes TensorFlow a tenth of a millisecond."""
        rows, _ = inputs[0]
        return rows * (self.parameters + _A_STEP)

    def _bias(self, size: int) -> tuple[int, ...]:
        return (size,)

    def backward(self, weights: Weights, inputs: Sequence[Array], output: Array, gradients: Gradients) -> PassedBack:
        """Go back step by step. A share is gradient × value: what gates multiply and squash is left over."""
        functions = [Function(name) for name in (self.activation, *self._gate_functions)]
        for each in functions:
            if not each.is_known:
                reason = f"the derivative of a {self.kind} with {each.name} in it is not written yet"
                raise NoGradient(self.name, reason)
        exact = {name: array.astype(np.float64) for name, array in weights.items()}
        rows = inputs[0].astype(np.float64)[:: -1 if self.go_backwards else 1]
        sums = rows @ exact["kernel"] + (self._input_bias(exact) if self.use_bias else 0.0)
        steps = self._steps(exact, sums, functions)
        outputs = np.zeros((len(gradients), len(rows), self.units))
        outputs[:, slice(None) if self.return_sequences else -1] = gradients
        given, recurrent = pass_steps(steps, outputs)
        before = (given @ exact["kernel"].T)[:, :: -1 if self.go_backwards else 1]
        bias = self._bias_terms(exact, given.sum(axis=1), recurrent.sum(axis=1)) if self.use_bias else None
        return close(gradients, [before], inputs, output, bias)

    @property
    def _gate_functions(self) -> tuple[str, ...]:
        """The names of the functions that make its gates."""
        return ()

    def _input_bias(self, weights: Mapping[str, Doubles]) -> Doubles:
        """Return the bias that is added to what the input gives."""
        return weights["bias"]

    def _bias_terms(self, weights: Mapping[str, Doubles], given: Doubles, recurrent: Doubles) -> Terms:
        """Return gradient × bias of each: (several, biases). given, recurrent: the gradients of both sums."""
        return given * weights["bias"]

    def _steps(self, weights: Mapping[str, Doubles], sums: Doubles, functions: Sequence[Function]) -> list[Step]:
        """Return all steps. sums: what each of them gets from its input, (steps, gates · units)."""
        state: State = tuple(np.zeros(self.units) for _ in range(self.states))
        steps: list[Step] = []
        for given in sums:
            steps.append(self._step(weights, given, state, functions))
            state = steps[-1].state
        return steps

    def _step(
        self, weights: Mapping[str, Doubles], given: Doubles, state: State, functions: Sequence[Function]
    ) -> Step:
        """Return one step from a state on."""
        raise NotImplementedError


class SimpleRNN(_Recurrent):
    """The state is the output."""

    def _step(
        self, weights: Mapping[str, Doubles], given: Doubles, state: State, functions: Sequence[Function]
    ) -> Step:
        return SimpleStep(given, state, weights["recurrent_kernel"], *functions)


class LSTM(_Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997)."""

    recurrent_activation: str = setting(function_name, "sigmoid")

    aliases = ("LSTMV2",)
    gates = 4
    states = 2

    @property
    def _gate_functions(self) -> tuple[str, ...]:
        return (self.recurrent_activation,)

    def _step(
        self, weights: Mapping[str, Doubles], given: Doubles, state: State, functions: Sequence[Function]
    ) -> Step:
        return MemoryStep(given, state, weights["recurrent_kernel"], *functions)


class GRU(_Recurrent):
    """Gated recurrent unit (Cho and others, 2014)."""

    recurrent_activation: str = setting(function_name, "sigmoid")
    reset_after: bool = setting(flag, True)

    aliases = ("GRUV2",)
    gates = 3

    def _bias(self, size: int) -> tuple[int, ...]:
        return (2, size) if self.reset_after else (size,)

    @property
    def _gate_functions(self) -> tuple[str, ...]:
        return (self.recurrent_activation,)

    def _input_bias(self, weights: Mapping[str, Doubles]) -> Doubles:
        return weights["bias"][0] if self.reset_after else weights["bias"]

    def _bias_terms(self, weights: Mapping[str, Doubles], given: Doubles, recurrent: Doubles) -> Terms:
        if not self.reset_after:
            return super()._bias_terms(weights, given, recurrent)
        return np.concatenate([given, recurrent], axis=1) * weights["bias"].ravel()

    def _step(
        self, weights: Mapping[str, Doubles], given: Doubles, state: State, functions: Sequence[Function]
    ) -> Step:
        bias = weights["bias"][1] if self.use_bias and self.reset_after else None
        function, gate = functions
        kernel = weights["recurrent_kernel"]
        return GatedStep(given, state, kernel, bias, function, gate, gate_first=not self.reset_after)
