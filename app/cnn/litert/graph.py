"""A LiteRT graph under construction, and the bytes that LiteRT's interpreter reads (a FlatBuffer).

The format is schema.fbs of LiteRT (formerly TensorFlow Lite); ai_edge_litert brings the classes that write it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

_VERSION = 3  # of the schema
_ALIGNMENT = 16  # bytes: what the schema asks of a buffer, and what vector instructions read at a time
_SLACK = 256  # bytes that a tensor or an operator takes at most, apart from its numbers
_TYPES = {np.dtype(np.float32): schema.TensorType.FLOAT32, np.dtype(np.int32): schema.TensorType.INT32}


@dataclass(frozen=True)
class Tensor:
    """A value in the graph: its number there, and its shape with the batch."""

    index: int
    shape: tuple[int, ...]


class Graph:
    """Operators in the order in which they run, on one image, and on other inputs beside it."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        """shape: the image's height, width and channels."""
        self._buffers: list[_Buffer] = [_Buffer(None)]  # the first one stands for "none"
        self._tensors: list[schema.TensorT] = []
        self._operators: list[schema.OperatorT] = []
        self._codes: list[int] = []
        self._outputs: list[int] = []
        self.inputs: list[Tensor] = []
        self.image = self.add_input(shape)

    def add_input(self, shape: tuple[int, ...]) -> Tensor:
        """Add a tensor that whoever runs the graph gives a value. shape: without the batch."""
        self.inputs.append(self._tensor((1, *shape), schema.TensorType.FLOAT32, buffer=0))
        return self.inputs[-1]

    def constant(self, values: NDArray[Any]) -> Tensor:
        """Add a tensor whose numbers are written into the graph: float32 or int32."""
        self._buffers.append(_Buffer(np.ascontiguousarray(values)))
        return self._tensor(values.shape, _TYPES[values.dtype], len(self._buffers) - 1)

    def operate(self, code: int, inputs: Sequence[Tensor], shape: Sequence[int], options: Any = None) -> Tensor:
        """Add an operator that reads these inputs, and return its output.

        code: one of schema.BuiltinOperator. shape: of the result, with the batch. options: the table that the schema
        has for this operator.
        """
        output = self._tensor(tuple(int(size) for size in shape), schema.TensorType.FLOAT32, buffer=0)
        if code not in self._codes:
            self._codes.append(code)
        operator = schema.OperatorT(
            opcodeIndex=self._codes.index(code), inputs=[tensor.index for tensor in inputs], outputs=[output.index]
        )
        if options is not None:
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
            operator.builtinOptions = options
        self._operators.append(operator)
        return output

    def finish(self, outputs: Iterable[Tensor]) -> bytes:
        """Return the graph, whose interpreter keeps these tensors until they are read."""
        model = schema.ModelT(
            version=_VERSION,
            operatorCodes=[_operator_code(code) for code in self._codes],
            subgraphs=[
                schema.SubGraphT(
                    tensors=self._tensors,
                    inputs=[tensor.index for tensor in self.inputs],
                    outputs=[tensor.index for tensor in outputs],
                    operators=self._operators,
                )
            ],
            buffers=self._buffers,
        )
        numbers = sum(buffer.bytes + _ALIGNMENT for buffer in self._buffers)
        builder = flatbuffers.Builder(numbers + _SLACK * (len(self._tensors) + len(self._operators) + 16))
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(memoryview(builder.Bytes)[builder.Head() :])

    def _tensor(self, shape: tuple[int, ...], kind: int, buffer: int) -> Tensor:
        self._tensors.append(schema.TensorT(shape=list(shape), type=kind, buffer=buffer))
        return Tensor(len(self._tensors) - 1, shape)


class _Buffer:
    """schema.BufferT, but aligned: the generated class leaves the schema's force_align out."""

    def __init__(self, values: NDArray[Any] | None) -> None:
        self._values = values

    @property
    def bytes(self) -> int:
        return 0 if self._values is None else self._values.nbytes

    def Pack(self, builder: Any) -> int:
        """Write the buffer, as the schema's own classes do for themselves."""
        data = None if self._values is None else self._write(builder, self._values.reshape(-1).view(np.uint8).data)
        schema.BufferStart(builder)
        if data is not None:
            schema.BufferAddData(builder, data)
        offset: int = schema.BufferEnd(builder)
        return offset

    @staticmethod
    def _write(builder: Any, numbers: memoryview) -> int:
        builder.StartVector(1, len(numbers), _ALIGNMENT)
        end = builder.Head()
        builder.head = end - len(numbers)
        builder.Bytes[builder.Head() : end] = numbers
        offset: int = builder.EndVector()
        return offset


def _operator_code(code: int) -> Any:
    # Codes beyond 127 came later: readers of the first kind find this placeholder in the old field.
    old = min(code, schema.BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES)
    return schema.OperatorCodeT(builtinCode=code, deprecatedBuiltinCode=old, version=1)
