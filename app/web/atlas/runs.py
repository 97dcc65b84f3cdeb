"""What the atlas takes seconds to find out."""

from collections.abc import Callable, Hashable
from typing import Protocol, TypeVar

from anyio import to_thread
from fastapi import Request

from ...cnn.cost import RunLimits
from ...cnn.network import Network
from ..long_answers import LongAnswer, Sized

R_co = TypeVar("R_co", bound=Sized, covariant=True)


class Run(Protocol[R_co]):
    """A network that is run over digits."""

    @property
    def network(self) -> Network: ...

    @property
    def key(self) -> Hashable:
        """All that the result depends on."""

    @property
    def total(self) -> int:
        """How many times the network is run."""

    def require_possible(self, limits: RunLimits) -> None:
        """Refuse what would fail, before anything is run."""

    def compute(self, report: Callable[[int], None] | None = None) -> R_co:
        """Run it. report: is told how many runs are done."""


def answer_of(request: Request, run: Run[R_co]) -> LongAnswer[R_co]:
    """Return the answer of a run."""
    return LongAnswer(request, run.key, run.compute, run.network.runs_apart)


async def begin(request: Request, run: Run[R_co]) -> LongAnswer[R_co]:
    """Return the answer of a run that may succeed. Raises: as the run's require_possible does."""
    await to_thread.run_sync(run.require_possible, request.app.state.forward_passes.run_limits)
    return answer_of(request, run)
