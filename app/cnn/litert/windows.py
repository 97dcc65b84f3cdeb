"""How windows slide, in LiteRT's words. Its paddings "same" and "valid" are TensorFlow's."""

from ai_edge_litert import schema_py_generated as schema

from app.cnn.layers import Window
from app.cnn.litert.graph import Tensor
from app.cnn.litert.unknown import Unknown


def padding(window: Window) -> int:
    """One of schema.Padding. Raises: Unknown."""
    try:
        return int({"same": schema.Padding.SAME, "valid": schema.Padding.VALID}[window.padding])
    except KeyError:
        raise Unknown(f"the padding {window.padding}") from None


def output_size(x: Tensor, window: Window) -> tuple[int, int]:
    """Height and width of what a sliding window makes. Raises: Unknown, where the window does not fit in."""
    overlaps = (0, 0) if window.padding == "same" else (window.extent[0] - 1, window.extent[1] - 1)
    height, width = (
        -((overlap - size) // stride)
        for size, overlap, stride in zip(x.shape[1:3], overlaps, window.strides, strict=True)
    )
    if height < 1 or width < 1:
        raise Unknown("a window larger than what it reads")
    return height, width
