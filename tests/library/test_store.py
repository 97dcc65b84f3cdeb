"""A store's objects: whole or not at all, made by one of several, and a sentence for each thing that goes wrong."""

import errno
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from app.library import store as store_module
from app.library.store import ObjectStore, StoreUnavailable
from app.library.uploads import StorageError


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ObjectStore]:
    yield ObjectStore(f"file://{tmp_path}/store" if request.param == "file" else f"memory://{tmp_path.name}")
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]


def test_objects_come_and_go(store: ObjectStore, tmp_path: Path) -> None:
    assert (store.names("some"), store.read("some/one")) == ([], None)
    store.create("some/one", b"1")
    (tmp_path / "sent").write_bytes(b"2")
    store.send("some/two", tmp_path / "sent")
    assert sorted(store.names("some")) == ["one", "two"]
    store.fetch("some/two", tmp_path / "fetched")
    assert (store.read("some/one"), (tmp_path / "fetched").read_bytes()) == (b"1", b"2")
    store.delete("some/one")
    store.delete("some/one")
    assert store.names("some") == ["two"]
    store.try_out()
    assert store.names("trial") == []


def test_one_of_several_makes_an_object(tmp_path: Path) -> None:
    stores = [ObjectStore(f"file://{tmp_path}/store") for _ in range(8)]

    def make(number: int) -> bool:
        try:
            stores[number].create("one", b"%d" % number * 100_000)
        except StorageError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(make, range(8)))
    assert made.count(True) == 1
    assert stores[0].read("one") == b"%d" % made.index(True) * 100_000
    assert os.listdir(tmp_path / "store") == ["one"]


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (PermissionError(errno.EACCES, "Access Denied"), StorageError, "does not let it in. Ask whoever runs"),
        (OSError(errno.ENOSPC, "No space left on device"), StorageError, "is full. Remove a model first"),
        (ConnectionRefusedError("http://10.0.0.1"), StoreUnavailable, "cannot be used, so that nothing .* Try again"),
        (ValueError("Who knows.\nAnd more"), StoreUnavailable, "cannot be used, so that nothing .* Try again"),
    ],
)
def test_what_goes_wrong_is_said(
    monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[StorageError], words: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    store = ObjectStore("memory://nothing")
    for name in ("ls", "cat_file", "pipe_file", "rm_file", "put_file", "get_file"):
        monkeypatch.setattr(MemoryFileSystem, name, fail)
    asked: list[Callable[[], object]] = [
        lambda: store.names("a"),
        lambda: store.read("a"),
        lambda: store.create("a", b""),
        lambda: store.send("a", Path("a")),
        lambda: store.fetch("a", Path("a")),
        lambda: store.delete("a"),
    ]
    for ask in asked:
        with pytest.raises(StorageError, match=f"The store where this server keeps models {words}") as raised:
            ask()
        assert raised.type is kind
        assert "10.0.0.1" not in str(raised.value)  # which is for the log
    said = re.escape(str(error).splitlines()[0].rstrip("."))
    with pytest.raises(StorageError, match=f"shared in memory://nothing, which cannot be used: {said}. Mend that"):
        store.try_out()


def test_a_store_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does it take more and more threads."""
    let_go = threading.Event()
    monkeypatch.setattr(MemoryFileSystem, "ls", lambda *_, **__: let_go.wait())
    monkeypatch.setattr(store_module, "SECONDS", 0.05)
    monkeypatch.setattr(store_module.ObjectStore._call, "__defaults__", (0.05,))
    store, before = ObjectStore("memory://hangs"), threading.active_count()
    for _ in range(40):
        with pytest.raises(StoreUnavailable, match=r"does not answer, so that nothing .* Try again in a moment"):
            store.names("a")
    assert threading.active_count() - before <= 16
    let_go.set()
    while threading.active_count() > before:
        time.sleep(0.01)
    monkeypatch.undo()
    assert store.names("a") == []


def test_a_store_that_replaces_objects_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    replace = MemoryFileSystem.pipe_file
    monkeypatch.setattr(MemoryFileSystem, "pipe_file", lambda self, path, data, **_: replace(self, path, data))
    with pytest.raises(StorageError, match="cannot be used: it replaces an object"):
        ObjectStore("memory://careless").try_out()


@pytest.mark.parametrize("address", ["http://host/folder", "ftp://host", "://", "s3//x"])
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(StorageError, match=r"is no address of a store. Models are shared in s3://bucket/folder"):
        ObjectStore(address)


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "find_spec", lambda name: None if name == "s3fs" else object())
    with pytest.raises(StorageError, match=r"s3://bucket, which needs the Python package s3fs: install layerglass"):
        ObjectStore("s3://key:secret@bucket")
