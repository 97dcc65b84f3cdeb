import gc
import weakref
from pathlib import Path

import pytest

from app.cnn.network import Network
from app.library import networks as networks_module
from app.library.entry import Entry
from app.library.files import ModelFile, Origin
from app.library.networks import Networks
from tests.model_files.files import small_model
from tests.small_models import build_logistic, card, parts

MODEL = build_logistic()
CARD = card(MODEL, classes=["no", "yes"])
NETWORK = Network("a", parts(MODEL), CARD)


def entry(name: str, modified: int = 1, **facts: object) -> Entry:
    file = ModelFile(name, Path(f"{name}.keras"), Origin.OWN, (modified, 2, 3), None)
    return Entry(file, None, CARD.model_copy(update=facts), None, None)


def test_what_was_not_kept_is_not_there() -> None:
    assert Networks(2).get(entry("a")) is None


def test_what_was_kept_is() -> None:
    networks = Networks(2)
    assert networks.keep(entry("a"), NETWORK) is NETWORK
    assert networks.get(entry("a")) is NETWORK


def test_a_file_that_changed_has_no_network() -> None:
    networks = Networks(2)
    networks.keep(entry("a"), NETWORK)
    assert networks.get(entry("a", modified=2)) is None


def test_a_broken_one_has_none() -> None:
    networks = Networks(2)
    networks.keep(entry("a"), NETWORK)
    broken = Entry(entry("a").file, None, None, None, "Its card contradicts it.")
    assert networks.get(broken) is None


def test_the_network_has_the_card_that_its_model_has_now() -> None:
    networks = Networks(2)
    networks.keep(entry("a"), NETWORK)
    changed = networks.get(entry("a", title="Changed"))
    assert changed is not None and changed.card.title == "Changed"
    assert networks.get(entry("a", title="Changed")) is changed
    assert NETWORK.card.title == CARD.title


def test_the_least_recently_used_goes() -> None:
    networks = Networks(2)
    networks.keep(entry("a"), NETWORK)
    networks.keep(entry("b"), NETWORK)
    networks.get(entry("a"))
    networks.keep(entry("c"), NETWORK)
    assert len(networks) == 2
    assert [networks.get(entry(name)) is None for name in "abc"] == [False, True, False]


def test_large_ones_go_before_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks_module, "_MAX_PARAMETERS", 2 * MODEL.count_params())
    networks = Networks(16)
    for name in "abc":
        networks.keep(entry(name), NETWORK)
    assert len(networks) == 2


def test_the_newest_stays_however_large_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks_module, "_MAX_PARAMETERS", 1)
    networks = Networks(16)
    networks.keep(entry("a"), NETWORK)
    networks.keep(entry("b"), NETWORK)
    assert networks.get(entry("b")) is NETWORK
    assert len(networks) == 1


def test_networks_of_files_that_went_go() -> None:
    networks = Networks(16)
    for name in "abc":
        networks.keep(entry(name), NETWORK)
    networks.retain([entry("a").file, entry("b", modified=2).file, entry("d").file])
    assert [networks.get(entry(name)) is None for name in "abc"] == [False, True, True]


def test_the_memory_of_one_that_went_is_free_again() -> None:
    networks = Networks(1)
    model = small_model()
    network = networks.keep(entry("a"), Network("a", parts(model), card(model, classes=["a", "b", "c"])))
    variable, dropped = weakref.ref(model.weights[0]), weakref.ref(network)
    del model, network
    networks.keep(entry("b"), NETWORK)
    gc.collect()
    assert dropped() is None
    assert variable() is None
