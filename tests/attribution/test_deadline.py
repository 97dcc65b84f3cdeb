"""What takes longer than was reckoned is ended, between two passes and between two layers."""

from collections.abc import Iterator
from itertools import count

import pytest
from fastapi.testclient import TestClient

from app.attribution import deadline
from app.attribution.attribution import attribute
from app.attribution.contributions import explain
from app.attribution.deadline import NEVER, Deadline, RanOutOfTime
from app.attribution.method import find_method
from app.cnn.cost import RunLimits
from app.cnn.network import ForwardPass, Network
from app.explore.forward_passes import preprocess
from app.library.library import Library


@pytest.fixture
def network(library: Library) -> Network:
    return library.network("digits")


@pytest.fixture
def forward(network: Network, four: bytes) -> ForwardPass:
    return network.run(preprocess(four, network.card))


@pytest.fixture
def slow_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[float]:
    """Each look at the clock takes three seconds."""
    ticks: Iterator[float] = count(0.0, 3.0)
    monkeypatch.setattr(deadline, "monotonic", lambda: next(ticks))
    return ticks


def test_there_is_an_end(slow_clock: Iterator[float]) -> None:
    end = Deadline(7)
    end.check()
    end.check()
    with pytest.raises(RanOutOfTime, match=r"more than 7 seconds, and was ended\. Ask for fewer steps"):
        end.check()
    NEVER.check()


@pytest.mark.parametrize("method", ["integrated-gradients", "occlusion", "hires-cam"])
def test_a_method_that_takes_too_long_is_ended(
    slow_clock: Iterator[float], network: Network, forward: ForwardPass, method: str
) -> None:
    with pytest.raises(RanOutOfTime):
        attribute(network, forward, find_method(method), limits=RunLimits(seconds=10))
    assert next(slow_clock) < 21  # it was not gone on with


def test_a_way_back_that_takes_too_long_is_ended_between_two_layers(
    slow_clock: Iterator[float], network: Network, forward: ForwardPass
) -> None:
    with pytest.raises(RanOutOfTime):
        explain(network, forward, limits=RunLimits(seconds=5))
    assert next(slow_clock) < 13


def test_it_is_said_with_a_status(slow_clock: Iterator[float], client: TestClient, four: bytes) -> None:
    for path in ("contributions", "contributions.npz", "attributions/occlusion", "attributions/saliency.png"):
        answer = client.post(f"/api/models/digits/{path}", files={"drawing": four})
        assert answer.status_code == 422, path
        assert "took more than" in answer.json()["detail"]
    assert "took more than" in client.post("/why", files={"drawing": four}, data={"model": "digits"}).text
