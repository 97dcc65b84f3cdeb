"""Recurrent layers, which TensorFlow runs."""

from collections.abc import Sequence
from typing import ClassVar

from ..types import Shape, Variables
from .activation_functions import function_name
from .checks import UNITS, flag, one_of, setting, whole
from .layer import Layer, Sizes, known

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


class SimpleRNN(_Recurrent):
    """The state is the output."""


class LSTM(_Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997)."""

    recurrent_activation: str = setting(function_name, "sigmoid")

    aliases = ("LSTMV2",)
    gates = 4


class GRU(_Recurrent):
    """Gated recurrent unit (Cho and others, 2014)."""

    recurrent_activation: str = setting(function_name, "sigmoid")
    reset_after: bool = setting(flag, True)

    aliases = ("GRUV2",)
    gates = 3

    def _bias(self, size: int) -> tuple[int, ...]:
        return (2, size) if self.reset_after else (size,)
