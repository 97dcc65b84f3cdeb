import numpy as np
import pytest

from app.training.task import Task

LABELS = np.array([0, 3, 8, 9], dtype=np.uint8)


def test_digit_targets_are_one_hot() -> None:
    np.testing.assert_array_equal(Task.DIGIT.targets(LABELS), np.eye(10)[LABELS])


def test_parity_targets_are_one_for_odd() -> None:
    np.testing.assert_array_equal(Task.PARITY.targets(LABELS), [[0], [1], [0], [1]])


def test_a_digit_is_right_where_its_probability_is_the_highest() -> None:
    outputs = np.eye(10, dtype=np.float32)[[0, 3, 7, 9]]
    assert Task.DIGIT.is_correct(outputs, LABELS).tolist() == [True, True, False, True]


def test_parity_is_right_on_its_side_of_one_half() -> None:
    outputs = np.array([[0.1], [0.9], [0.8], [0.2]], dtype=np.float32)
    assert Task.PARITY.is_correct(outputs, LABELS).tolist() == [True, True, False, False]


@pytest.mark.parametrize(("task", "count"), [(Task.DIGIT, 10), (Task.PARITY, 2), (Task.OUTLINE, 0)])
def test_classes(task: Task, count: int) -> None:
    assert len(task.classes) == count


def test_a_logistic_neuron_says_even_at_0_and_odd_at_1() -> None:
    assert Task.PARITY.classes == ["even", "odd"]
