"""All experiments: each counts its runs, closes with a sentence, and says who cannot be asked."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest

from app.experiments.catalogue import EXPERIMENTS, UnknownExperiment, find_experiment
from app.experiments.experiment import (
    Experiment,
    NoSuchCount,
    NotForExperiment,
    Subject,
    Verdict,
    choose_digits,
    difference,
    standard_error,
)
from app.experiments.rows import Unit
from app.explore.evaluation import NotForDigits
from app.library.library import Library
from tests.experiments.networks import BUILT_IN, SOME, make_network, make_subject
from tests.small_models import (
    DIGITS,
    build_branches,
    build_digits,
    build_logistic,
    build_picture,
    build_without_pooling,
)

each_experiment = pytest.mark.parametrize("experiment", EXPERIMENTS.values(), ids=lambda each: each.name)


@pytest.fixture(scope="module")
def library() -> Iterator[Library]:
    library = Library(BUILT_IN)
    yield library
    library.close()


def test_their_names_fit_into_addresses_and_no_two_have_one() -> None:
    assert len(EXPERIMENTS) == 10 and all(name.isalpha() and name.islower() for name in EXPERIMENTS)
    assert find_experiment("maps").name == "maps"
    with pytest.raises(UnknownExperiment, match=r"There is no experiment “map”\. There is: resolution, "):
        find_experiment("map")


@pytest.fixture(scope="module")
def subject(library: Library) -> Subject:
    return Subject(library.network("figure-6-3"), library, choose_digits(100))


def asked(experiment: Experiment, subject: Subject) -> Subject:
    """A subject that the experiment can be made with: that of starting weights needs their architecture."""
    return replace(subject, network=subject.library.network("digits")) if experiment.name == "start" else subject


@each_experiment
def test_it_runs_as_often_as_it_said_and_closes_with_a_sentence(experiment: Experiment, subject: Subject) -> None:
    told: list[tuple[int, int]] = []
    subject = asked(experiment, subject)
    result = experiment.run(subject, lambda done, total: told.append((done, total)))
    total = experiment.count(subject)
    assert [done for done, _ in told] == list(range(1, total + 1)) and {of for _, of in told} == {total}
    assert result.conclusion.sentence.endswith(".") and f"“{result.model}”" in result.conclusion.sentence
    assert (result.model, result.digits) == (subject.network.name, 100)
    again = experiment.run(subject)
    assert (again.rows, again.conclusion, again.facts) == (result.rows, result.conclusion, result.facts)
    for panel in result.chart.panels:
        assert panel.series and panel.ticks
    types = {Unit.TEXT: str, Unit.COUNT: int}
    for row in result.rows:
        assert type(row) is experiment.row
        for column, value in zip(experiment.row.columns(), row.values, strict=True):
            assert value is None or type(value) is types.get(column.unit, float), column
            if column.unit is Unit.SHARE and value is not None:
                assert 0 <= float(value) <= 1


@each_experiment
def test_what_it_raises_from_being_told_ends_it(experiment: Experiment, subject: Subject) -> None:
    def stop(done: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        experiment.run(asked(experiment, subject), stop)


@each_experiment
@pytest.mark.parametrize("build", [build_branches, build_without_pooling, build_digits, build_picture, build_logistic])
def test_networks_of_other_kinds_are_asked_or_refused_with_a_sentence(
    build: Callable[[], keras.Model], experiment: Experiment, library: Library
) -> None:
    """With mixed poolings, without any, with other sizes and answers: none fails in another way."""
    classes = {build_picture: [], build_logistic: ["even", "odd"]}.get(build, DIGITS)
    network = make_network(build(), classes=classes)
    try:
        result = experiment.run(Subject(network, library, SOME))
    except (NotForDigits, NotForExperiment) as error:
        assert "“small”" in str(error) and str(error).endswith((".", "are"))
    else:
        assert result.conclusion.sentence.endswith(".")


def test_mixed_poolings_are_run_as_trained_too() -> None:
    result = find_experiment("poolings").run(make_subject(make_network(build_branches())))
    assert [row.values[1] for row in result.rows] == ["as trained", "max", "average", "min"]
    assert "no pooling layer" in str(refusal("poolings", build_without_pooling()))
    assert "no convolution" in str(refusal("maps", build_logistic(), classes=["even", "odd"]))
    assert "its answer is not one of several classes" in str(refusal("shifts", build_picture(), classes=[]))


def refusal(name: str, model: keras.Model, **facts: Any) -> Exception:
    with pytest.raises((NotForDigits, NotForExperiment)) as caught:
        find_experiment(name).run(make_subject(make_network(model, **facts)))
    return caught.value


def test_a_network_that_reads_nothing_says_nothing(library: Library) -> None:
    subject = Subject(library.network("untrained"), library, choose_digits(100))
    for name in ("resolution", "poolings", "darkness"):
        conclusion = find_experiment(name).run(subject).conclusion
        assert conclusion.verdict is Verdict.OPEN
        assert "where chance gives 10.0 %" in conclusion.sentence


def test_a_subset_is_spread_over_all_digits() -> None:
    whole, some = choose_digits(10_000), choose_digits(2000)
    assert np.array_equal(some.images, whole.images[::5]) and np.array_equal(some.labels, whole.labels[::5])
    assert len(choose_digits(333)) == 333
    for count in (99, 10_001, -1):
        with pytest.raises(NoSuchCount, match="Ask for 100 to 10,000 digits"):
            choose_digits(count)


def test_errors_are_those_of_shares_and_of_paired_differences() -> None:
    assert standard_error(0.2, 400) == pytest.approx(0.02)
    first, second = np.array([True, True, True, False]), np.array([True, False, True, True])
    mean, error = difference(first, second)
    assert mean == 0 and error == pytest.approx(np.std([0, 1, 0, -1]) / 2)
