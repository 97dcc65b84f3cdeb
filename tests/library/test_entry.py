from pathlib import Path

import pytest

from app.cnn.card import Card
from app.library.entry import Entry, State
from app.library.files import ModelFile, Origin
from tests.small_models import build_logistic, card


@pytest.mark.parametrize(
    ("has_card", "reason", "state"),
    [
        (True, None, State.READY),
        (False, None, State.WAITING),
        (False, "It is cut.", State.BROKEN),
        (True, "It is cut.", State.BROKEN),
    ],
)
@pytest.mark.parametrize("origin", Origin)
def test_how_far_a_model_is(has_card: bool, reason: str | None, state: State, origin: Origin) -> None:
    known: Card | None = card(build_logistic()) if has_card else None
    file = ModelFile("mine", Path("mine.keras"), origin, (1, 2, 3), None)
    entry = Entry(file, None, known, None, reason)
    assert entry.state is state
    assert entry.name == "mine"
    assert entry.is_built_in == (origin is Origin.BUILT_IN)
