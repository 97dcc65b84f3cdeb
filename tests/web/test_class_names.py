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
        ("ImageNet", 1000),
        ("ImageNet after a background class", 1001),
    ],
)
def test_each_data_set_has_its_classes_once(name: str, count: int) -> None:
    assert len(CLASS_NAMES[name]) == len(set(CLASS_NAMES[name])) == count


def test_data_sets_are_offered_by_their_count() -> None:
    assert list(fitting_names(10)) == ["digits", "Fashion-MNIST", "CIFAR-10"]
    assert fitting_names(11) == {}


def test_imagenet_s_classes_are_in_the_order_of_published_networks() -> None:
    # Keras' own documentation of ImageNet: 0 is a tench, 281 a tabby cat, 999 toilet tissue.
    names = CLASS_NAMES["ImageNet"]
    assert (names[0], names[281], names[340], names[999]) == ("tench", "tabby", "zebra", "toilet tissue")
