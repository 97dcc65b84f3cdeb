"""Run quick computations in the event loop and all others in a thread.

Handing work to a thread and back costs 5 to 10 % of a small drawing's answer, and threads compete for the GIL. But
while the event loop computes, nothing else is answered. So the rule is: a drawing like the page's own, for a network
whose last forward pass took less than a millisecond, is computed in the event loop.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import Any

from anyio import Lock, to_thread
from fastapi import Response

from ..explore.drawing_runs import DrawingRun
from ..imaging.containers import count_png_chunks
from .forms import PageRequest

_MAX_PASS_SECONDS = 0.001  # of processor time
# Of a drawing: the page's has 280×280 pixels and 2 to 5 kB. In more of both, more may look like a photograph's digit.
_MAX_BYTES, _MAX_PIXELS = 2**13, 280 * 280
_PNG_HEAD = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"
_MAX_CHUNKS = 64  # of a drawing; the page's has three to five

_one_at_a_time = Lock(fast_acquire=True)


def computes(route: Callable[..., Response]) -> Callable[..., Coroutine[Any, Any, Response]]:
    """Decorate a route that runs a network on a drawing."""

    @wraps(route)
    async def answer(**arguments: Any) -> Response:
        compute = partial(route, **arguments)
        is_enlarged = arguments.get("zoom", 1) > 1  # to many more pixels than a drawing's answer has
        if is_enlarged or not is_quick(arguments["page"] if "page" in arguments else arguments["run"]):
            return await to_thread.run_sync(compute)
        async with _one_at_a_time:
            await asyncio.sleep(0)  # requests that arrived meanwhile find no free turn, and wait in the bounded queue
            return compute()

    return answer


def is_quick(computation: DrawingRun | PageRequest) -> bool:
    """Return whether a computation takes a few milliseconds at most."""
    if isinstance(computation, PageRequest):
        # The microscope may show thousands of terms.
        return computation.form.selection is None and is_quick(computation.run)
    if computation.network.runs_apart:  # and is waited for
        return False
    seconds = computation.passes.last_seconds(computation.network, computation.pooling)
    has_fixed_size = None not in computation.network.card.input_shape
    if not has_fixed_size or seconds is None or seconds >= _MAX_PASS_SECONDS:
        return False
    return computation.drawing is None or is_small_png(computation.drawing)


def is_small_png(data: bytes) -> bool:
    """Return whether these bytes are at most a small PNG, without decoding them."""
    # The header comes first (ISO/IEC 15948). A decoder might use a second one, which could claim another size.
    if len(data) > _MAX_BYTES or data[:16] != _PNG_HEAD or data.count(b"IHDR") > 1:
        return False
    if int.from_bytes(data[16:20]) * int.from_bytes(data[20:24]) > _MAX_PIXELS:
        return False
    return b"eXIf" not in data and count_png_chunks(data, _MAX_CHUNKS) <= _MAX_CHUNKS
