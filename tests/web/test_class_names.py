import pytest

from app.web.class_names import CLASS_NAMES, fitting_names


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("digits", 10),
        ("Fashion-MNIST", 10),
        ("CIFAR-10", 10),
        ("CIFAR-100", 100),
        ("EMNIST letters", 26),
        ("EMNIST balanced", 47),
        ("EMNIST by class", 62),
    ],
)
def test_each_data_set_has_its_classes_once(name: str, count: int) -> None:
    assert len(CLASS_NAMES[name]) == len(set(CLASS_NAMES[name])) == count


def test_data_sets_are_offered_by_their_count() -> None:
    assert list(fitting_names(10)) == ["digits", "Fashion-MNIST", "CIFAR-10"]
    assert fitting_names(11) == {}
