from pathlib import Path

import pytest

from app.training.errors import BadInput
from app.training.names import NAMES, choose, is_finished


def test_an_unknown_name_is_refused_with_the_family() -> None:
    with pytest.raises(BadInput, match=r"no model 'digit' to train\. The family: digits, digits-average"):
        choose(["digits", "digit"])


def test_names_are_trained_in_the_family_s_order() -> None:
    assert choose(["untrained", "digits"]) == ["digits", "untrained"]


def test_no_name_means_all() -> None:
    assert choose([]) == list(NAMES)


@pytest.mark.parametrize(("there", "finished"), [([], False), (["keras"], False), (["keras", "json"], True)])
def test_a_model_is_finished_with_its_card(tmp_path: Path, there: list[str], finished: bool) -> None:
    for suffix in there:
        (tmp_path / f"digits.{suffix}").touch()
    assert is_finished(tmp_path, "digits") is finished
