import gc
import weakref
from pathlib import Path

import pytest

from app.cnn.card import Card
from app.cnn.network import Network
from app.library.files import ModelFile, Origin, find_files
from app.library.kept import Kept
from app.library.models import BuiltInModels, ModelEntry, ModelState, NetworkCache
from app.model_files.errors import ModelError
from tests.model_files.files import small_model
from tests.small_models import build_logistic, card, parts


@pytest.mark.parametrize(
    ("has_card", "reason", "state"),
    [
        (True, None, ModelState.READY),
        (False, None, ModelState.WAITING),
        (False, "It is cut.", ModelState.BROKEN),
        (True, "It is cut.", ModelState.BROKEN),
    ],
)
@pytest.mark.parametrize("origin", Origin)
def test_how_far_a_model_is(has_card: bool, reason: str | None, state: ModelState, origin: Origin) -> None:
    known: Card | None = card(build_logistic()) if has_card else None
    file = ModelFile("mine", Path("mine.keras"), origin, (1, 2, 3), None)
    found = ModelEntry(file, None, known, None, reason)
    assert found.state is state
    assert found.name == "mine"
    assert found.is_built_in == (origin is Origin.BUILT_IN)


def only_file(folder: Path) -> ModelFile:
    (file,) = find_files(folder)
    return file


def test_a_file_is_known_once_it_was_opened(built_in: Path) -> None:
    models, file = BuiltInModels(), only_file(built_in)
    assert file not in models
    assert models.layers(file) is None
    parts = models.open(file)
    assert file in models
    assert models.layers(file) == parts.layers
    assert [layer.name for layer in parts.layers] == ["flatten", "hidden", "answer"]


def test_a_file_that_does_not_open_is_refused_each_time_for_the_same_reason(tmp_path: Path) -> None:
    (tmp_path / "m.keras").write_bytes(b"nothing")
    (tmp_path / "m.json").write_text("{}")
    models, file = BuiltInModels(), only_file(tmp_path)
    for ask in (models.open, models.layers, models.layers):
        with pytest.raises(ModelError, match="not a Keras model"):
            ask(file)
    assert file in models


def test_a_file_that_was_away_for_a_moment_is_opened_when_it_is_back(built_in: Path) -> None:
    models, file = BuiltInModels(), only_file(built_in)
    away = file.path.rename(file.path.with_suffix(".away"))
    with pytest.raises(ModelError, match="There is no file"):
        models.open(file)
    assert file not in models
    away.rename(file.path)
    assert models.open(file).layers


MODEL = build_logistic()
CARD = card(MODEL, classes=["no", "yes"])


def network() -> Network:
    return Network("a", parts(MODEL), CARD)


SIZE = network().engine.nbytes


def cache(count: float = 16) -> NetworkCache:
    """A cache with room for so many of these networks."""
    return NetworkCache(Kept(int(count * SIZE)))


def entry(name: str, modified: int = 1, **facts: object) -> ModelEntry:
    file = ModelFile(name, Path(f"{name}.keras"), Origin.OWN, (modified, 2, 3), None)
    return ModelEntry(file, None, CARD.model_copy(update=facts), None, None)


def test_what_was_not_kept_is_not_there() -> None:
    assert cache(2).get(entry("a")) is None


def test_what_was_kept_is() -> None:
    networks, kept = cache(2), network()
    assert networks.put(entry("a"), kept) is kept
    assert networks.get(entry("a")) is kept


def test_a_file_that_changed_has_no_network() -> None:
    networks = cache(2)
    networks.put(entry("a"), network())
    assert networks.get(entry("a", modified=2)) is None


def test_a_broken_one_has_none() -> None:
    networks = cache(2)
    networks.put(entry("a"), network())
    broken = ModelEntry(entry("a").file, None, None, None, "Its card contradicts it.")
    assert networks.get(broken) is None


def test_the_network_has_the_card_that_its_model_has_now() -> None:
    networks = cache(2)
    kept = networks.put(entry("a"), network())
    changed = networks.get(entry("a", title="Changed"))
    assert changed is not None and changed.card.title == "Changed"
    assert networks.get(entry("a", title="Changed")) is changed
    assert kept.card.title == CARD.title


def test_the_least_recently_used_goes() -> None:
    networks = cache(2)
    networks.put(entry("a"), network())
    networks.put(entry("b"), network())
    networks.get(entry("a"))
    networks.put(entry("c"), network())
    assert len(networks) == 2
    assert [networks.get(entry(name)) is None for name in "abc"] == [False, True, False]


def test_one_that_got_heavier_sends_others_away() -> None:
    kept = Kept(4 * SIZE)
    networks = NetworkCache(kept)
    first = networks.put(entry("a"), network())
    networks.put(entry("b"), network())
    kept.weigh(first.engine, 4 * SIZE)
    assert networks.get(entry("a")) is first
    assert networks.get(entry("b")) is None


def test_the_newest_stays_however_large_it_is() -> None:
    networks = cache(0)
    networks.put(entry("a"), network())
    newest = networks.put(entry("b"), network())
    assert networks.get(entry("b")) is newest
    assert len(networks) == 1


def test_the_engine_of_one_that_went_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    networks, closed = cache(1), list[str]()
    first = networks.put(entry("a"), network())
    monkeypatch.setattr(first.engine, "close", lambda: closed.append("a"))
    networks.put(entry("b"), network())
    assert closed == ["a"]


def test_networks_of_files_that_went_go() -> None:
    networks = cache(16)
    for name in "abc":
        networks.put(entry(name), network())
    networks.retain([entry("a").file, entry("b", modified=2).file, entry("d").file])
    assert [networks.get(entry(name)) is None for name in "abc"] == [False, True, True]


def test_the_memory_of_one_that_went_is_free_again() -> None:
    networks = cache(1)
    model = small_model()
    kept = networks.put(entry("a"), Network("a", parts(model), card(model, classes=["a", "b", "c"])))
    variable, dropped = weakref.ref(model.weights[0]), weakref.ref(kept)
    del model, kept
    networks.put(entry("b"), network())
    gc.collect()
    assert dropped() is None
    assert variable() is None
