"""Answers that take seconds: told of progress while they are computed, remembered, and ended when nobody waits.

A stream of server-sent events carries progress and result in one answer, so that any worker process can give it, and so
that the end of the connection ends the computation. A proxy that holds events back delays them, and loses none.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from http import HTTPStatus
from typing import Any, Generic, Protocol, TypeVar

from fastapi import Request
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event
from starlette.types import Receive, Scope, Send

from ..explore.results import Results
from ..hosting.admission import ClientDisconnected
from ..hosting.long_computations import Computation, LongComputations, Report
from ..hosting.refusals import Refused
from .templates import templates

_IN_TIME = 0.9  # of the time that an answer may take: then it is refused here, with a better sentence


class Sized(Protocol):
    """A result that knows its size."""

    @property
    def nbytes(self) -> int:
        """About what it takes in memory."""


R = TypeVar("R", bound=Sized)


class TooLongForOneAnswer(Refused):
    """The result would come later than an answer may."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    reason = "too long for one answer"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"This takes longer than an answer may, {seconds:g} seconds. Ask for fewer digits; or set “progress”, and "
            "the answer is a stream of events that may take longer."
        )


class LongAnswer(Generic[R]):
    """A result that is remembered, or else a long computation of it."""

    def __init__(self, request: Request, key: Hashable, compute: Callable[[Report], R], is_apart: bool = False) -> None:
        """compute: is told how to report progress; see LongComputations.join."""
        self._request, self._key, self._compute, self._is_apart = request, key, compute, is_apart
        self._results: Results[R] = request.app.state.results
        self._long: LongComputations = request.app.state.long_computations

    @property
    def remembered(self) -> R | None:
        """The result, if it is remembered."""
        return self._results.get(self._key)

    async def wait(self) -> R:
        """Return the result once it is there.

        Raises: Overloaded, ClientDisconnected, TookTooLong, TooLongForOneAnswer, and what the computation raises.
        """
        if (remembered := self.remembered) is not None:
            return remembered
        allowed = self._request.app.state.settings.answer_seconds
        try:
            async with asyncio.timeout(_IN_TIME * allowed), self._join() as computation:
                async for _ in computation.progress():
                    if await self._request.is_disconnected():
                        raise ClientDisconnected
                return await computation.result()
        except TimeoutError:
            raise TooLongForOneAnswer(allowed) from None

    async def stream(self, describe: Callable[[Computation[R]], AsyncIterator[bytes]]) -> StreamingResponse:
        """Return a stream of events about the computation, once it has its turn.

        describe: writes the events, from the start to the result. Raises: Overloaded, ClientDisconnected.
        """
        stack = AsyncExitStack()
        computation = await stack.enter_async_context(self._join())
        return _ComputationStream(describe(computation), stack)

    def _join(self) -> AbstractAsyncContextManager[Computation[R]]:
        return self._long.join(self._request, self._key, self._compute_and_remember, self._is_apart)

    def _compute_and_remember(self, report: Report) -> R:
        result = self._compute(report)
        return self._results.put(self._key, result, result.nbytes)


class _ComputationStream(StreamingResponse):
    """Server-sent events, which leave their computation when the answer ends, as by the client's leaving."""

    def __init__(self, events: AsyncIterator[bytes], stack: AsyncExitStack) -> None:
        # nginx, and others after it, hold back no answer with the second header.
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(events, media_type="text/event-stream", headers=headers)
        self._stack = stack

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._stack:
            await super().__call__(scope, receive, send)


def write_event(event: str, text: str) -> bytes:
    """Write one event, whose name is for scripts."""
    return format_sse_event(event=event, data_str=text)


def write_fragment(template: str, context: dict[str, Any]) -> bytes:
    """Write an event without a name: a fragment, which htmx swaps in."""
    return format_sse_event(data_str=templates.get_template(template).render(context))
