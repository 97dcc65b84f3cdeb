"""What edits do to the answers, in numbers and in words."""

import numpy as np

from app.explore.edit_effect import compare_answers
from app.explore.evaluation import Evaluation


def answers(read_as: list[int]) -> Evaluation:
    """Answers to four digits, two of each class."""
    return Evaluation(("0", "1"), np.array([0, 0, 1, 1]), np.eye(2)[read_as])


def test_each_class_and_all_of_them_before_and_after() -> None:
    effect = compare_answers(answers([0, 0, 1, 0]), answers([0, 1, 0, 1]))
    assert [(row.label, row.before, row.after, row.points) for row in effect.rows] == [
        ("0", 1.0, 0.5, "-50.00"),
        ("1", 0.5, 0.5, "0.00"),
        ("all", 0.75, 0.5, "-25.00"),
    ]
    assert effect.sentence == (
        "Without the edits 75.00 % are read right, with them 50.00 %: 2 are wrong that were right, and 1 is right that "
        "was wrong. Most lost is “0”: 100.00 % before, 50.00 % after."
    )


def test_edits_that_change_no_answer_or_only_for_the_better() -> None:
    assert compare_answers(answers([0, 0, 1, 0]), answers([0, 0, 1, 0])).sentence == "Not one digit is read otherwise."
    better = compare_answers(answers([0, 0, 1, 0]), answers([0, 0, 1, 1])).sentence
    assert better.endswith("0 are wrong that were right, and 1 is right that was wrong.")
