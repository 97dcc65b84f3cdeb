"""Where a route computes: what is small at once, in the event loop, and all else in a thread beside it.

To give work to a thread and take it back costs up to a fifth of a small answer's time, and most of what threads do is
Python, of which one does something at a time: they take turns at its lock, and lose time by it. But while the event
loop computes, everybody waits. So that is for what takes a few milliseconds, a drawing like those of a page's pad and a
network like those that come with Layerglass; and between two of them, whoever else has come is heard.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import Any

from anyio import Lock, to_thread
from fastapi import Response

from app.web.forms import DrawingRun, PageRequest

_one_at_a_time = Lock(fast_acquire=True)


def computes(route: Callable[..., Response]) -> Callable[..., Coroutine[Any, Any, Response]]:
    """For a route that runs a network on a drawing, and has its turn to compute."""

    @wraps(route)
    async def answer(**arguments: Any) -> Response:
        compute = partial(route, **arguments)
        if not any(isinstance(each, DrawingRun | PageRequest) and each.is_small for each in arguments.values()):
            return await to_thread.run_sync(compute)
        async with _one_at_a_time:
            await asyncio.sleep(0)  # who came meanwhile finds the turns taken, and waits in the queue, which is bounded
            return compute()

    return answer
