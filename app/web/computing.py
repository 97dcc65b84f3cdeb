"""Where a route computes: what is small at once, in the event loop, and all else in a thread beside it.

To give work to a thread and take it back costs a fifth of a small answer's time, and of several threads one computes at
a time: they take turns at Python's lock, and lose time by it. But while the event loop computes, everybody waits. So
that is for what takes a few milliseconds: a drawing like those of a page's pad, and a network like those that come with
Layerglass.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import Any

from anyio import to_thread
from fastapi import Response

from app.web.dependencies import Asked, Run


def computes(route: Callable[..., Response]) -> Callable[..., Coroutine[Any, Any, Response]]:
    """For a route that runs a network on a drawing, and has its turn to compute."""

    @wraps(route)
    async def answer(**arguments: Any) -> Response:
        compute = partial(route, **arguments)
        if not any(isinstance(each, Run | Asked) and each.is_small for each in arguments.values()):
            return await to_thread.run_sync(compute)
        await asyncio.sleep(0)  # who came meanwhile finds the turns taken, and waits in the queue, which is bounded
        return compute()

    return answer
