"""What is run over digits, and what is refused before."""

import numpy as np
import pytest

from app.cnn.cost import DEFAULT_LIMITS, RunLimits, TooCostly
from app.cnn.edits import Edits
from app.cnn.network import Network
from app.cnn.types import PoolingMode
from app.datasets.digits import DigitSet
from app.explore.digit_runs import DigitRun, NoSuchDigits
from app.explore.evaluation import NotForDigits, evaluate
from tests.small_models import build_digits, build_not_a_number, build_picture, card, parts

NETWORK = Network("small", parts(build_digits()), card(build_digits(), pooling="max"))


def test_the_first_so_many_of_some_classes_are_run() -> None:
    run = DigitRun(NETWORK, digit_set=DigitSet.TRAINING, count=5, labels=frozenset({3, 8}))
    labels = DigitSet.TRAINING.load().labels
    assert run.indices.tolist() == np.flatnonzero((labels == 3) | (labels == 8))[:5].tolist()
    finished = run.compute()
    assert np.array_equal(finished.evaluation.probabilities, evaluate(NETWORK, run.digits).probabilities)
    assert finished.seconds > 0 and finished.nbytes >= 5 * 10 * 8


def test_the_same_run_has_the_same_key() -> None:
    assert DigitRun(NETWORK, count=5).key == DigitRun(NETWORK, PoolingMode.MAX, count=5).key
    others = [DigitRun(NETWORK, PoolingMode.MIN, count=5), DigitRun(NETWORK, count=6), DigitRun(NETWORK, invert=True)]
    assert len({each.key for each in others}) == 3
    assert DigitRun(NETWORK.with_card(card(build_digits(), pooling="max"))).key != DigitRun(NETWORK).key


@pytest.mark.parametrize("count", [0, -1, 10_001, 10**9])
def test_more_digits_than_there_are_are_refused(count: int) -> None:
    with pytest.raises(NoSuchDigits, match="Ask for 1 to 10,000 digits"):
        DigitRun(NETWORK, count=count).require_possible(DEFAULT_LIMITS)


def test_what_cannot_succeed_is_refused_before_it_is_run() -> None:
    DigitRun(NETWORK).require_possible(DEFAULT_LIMITS)
    with pytest.raises(TooCostly):
        DigitRun(NETWORK).require_possible(RunLimits(megabytes=0, seconds=1))
    picture = Network("picture", parts(build_picture()), card(build_picture(), classes=[], fit="original"))
    with pytest.raises(NotForDigits):
        DigitRun(picture).require_possible(DEFAULT_LIMITS)


def test_answers_that_are_no_numbers_are_told_of() -> None:
    model = build_not_a_number()
    with pytest.raises(NotForDigits, match="not always a number"):
        DigitRun(Network("broken", parts(model), card(model)), count=3).compute()


def test_a_run_of_an_edited_network_has_the_whole_one_s_beside_it() -> None:
    whole = NETWORK
    edits = Edits.parse("mute:conv1.0;bias:answer.3=50")
    run = DigitRun(whole.edited(edits), count=40, whole=whole, edits=edits)
    told: list[int] = []
    finished = run.compute(told.append)
    assert told[-1] == 40 and told == sorted(set(told))
    assert finished.before is not None and run.before is not None
    alone = run.before.compute()
    np.testing.assert_array_equal(finished.before.evaluation.answers, alone.evaluation.answers)
    assert set(finished.evaluation.answers.tolist()) == {3}
    assert finished.evaluation.temperature == 1
    again = run.compute(before=alone)
    assert again.before is alone
    np.testing.assert_array_equal(again.evaluation.probabilities, finished.evaluation.probabilities)
    assert run.key != run.before.key
