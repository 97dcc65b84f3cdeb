"""How far a long computation is, as fragments of the page that waits for it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from anyio import to_thread

from ..hosting.long_computations import Computation
from .errors import describe_problem
from .long_answers import write_fragment

T = TypeVar("T")


@dataclass(frozen=True)
class RunBar:
    """A progress bar of a page, and where the page says it when the computation fails."""

    total: int
    counts: str = "runs"  # what is counted: runs, digits, steps
    id: str = "run-progress"  # of the bar
    says: str = ".run"  # the selector of what the sentence is put into
    ends: str | None = None  # that of what waits beside it, and is then taken away
    again: str | None = None  # the address that tries again


async def tell(
    computation: Computation[T], bar: RunBar, template: str, find_context: Callable[[T], dict[str, Any]]
) -> AsyncIterator[bytes]:
    """Write the events of a computation: how far it is, then the result. One without a name is a fragment, for htmx.

    find_context: makes what the template shows of the result, in a thread.
    """
    async for done in computation.progress():
        yield write_fragment("_run_progress.html", {"bar": bar, "done": done})
    try:
        context = await to_thread.run_sync(find_context, await computation.result())
    except Exception as error:
        yield write_fragment("_run_failed.html", {"bar": bar, "problem": describe_problem(error)})
    else:
        yield write_fragment(template, context)
