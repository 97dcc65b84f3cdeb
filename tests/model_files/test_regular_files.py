"""Pipes, sockets and devices where a file should be: none is waited for, and none is read."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.model_files.errors import ModelError
from app.model_files.loading import load_model
from app.model_files.regular_files import NotRegular, RegularFile, read_regular
from tests.model_files.files import save_h5, sequential, small_file

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes among its files")


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def link_to_pipe(path: Path) -> None:
    pipe = path.with_name("pipe")
    os.mkfifo(pipe)
    path.symlink_to(pipe)


def link_to_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_socket(path: Path) -> None:
    here = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"/proc/self/fd/{here}/{path.name}")  # a whole path may be too long for an address
    os.close(here)


KINDS = {"pipe": make_pipe, "link to a pipe": link_to_pipe, "link to a device": link_to_device, "socket": make_socket}


@contextmanager
def within(seconds: int) -> Iterator[None]:
    """Fail a test that waits, and does not end by itself."""

    def fail(*_: object) -> None:
        pytest.fail(f"took more than {seconds} seconds")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_nothing_else_is_opened(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "x")
    with within(5):
        with pytest.raises(NotRegular):
            RegularFile(tmp_path / "x")
        with pytest.raises(NotRegular):
            read_regular(tmp_path / "x", 100)


@pytest.mark.parametrize("name", ["x.keras", "x.h5", "x.hdf5"])
@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_no_model_is_read_out_of_anything_else(make: Callable[[Path], None], name: str, tmp_path: Path) -> None:
    make(tmp_path / name)
    with within(5), pytest.raises(ModelError, match=f"“{name}” is not a regular file but a pipe, a socket or a device"):
        load_model(tmp_path / name)


@pytest.mark.parametrize("make", [make_pipe, link_to_device])
def test_what_takes_the_place_of_a_file_after_it_was_looked_at(
    make: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = small_file(tmp_path)
    status = path.stat()
    path.unlink()
    make(path)
    monkeypatch.setattr(os, "stat", lambda *_, **__: status)
    with within(5), pytest.raises(NotRegular):
        RegularFile(path)


def test_a_folder_is_none(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        RegularFile(tmp_path)


def test_a_link_to_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    (tmp_path / "link").symlink_to(tmp_path / "x")
    assert read_regular(tmp_path / "link", 100) == b"abc"


def test_one_byte_more_than_asked_for_is_read() -> None:
    assert len(read_regular(Path(__file__), 100)) == 101


def test_what_is_written_meanwhile_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    with RegularFile(path) as file:
        with path.open("ab") as writer:
            writer.write(b"def")
        assert file.read(2) == b"ab"
        assert file.readall() == b"c"
        assert file.seek(0, os.SEEK_END) == 3
        assert file.seek(-2, os.SEEK_END) == 1
        assert file.read(9) == b"bc"
        file.seek(5)
        assert file.read(9) == b""


def test_a_file_that_is_cut_meanwhile_ends(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    with RegularFile(path) as file:
        os.truncate(path, 1)
        assert file.readall() == b"a"


def test_models_are_read_through_it(tmp_path: Path) -> None:
    assert len(load_model(small_file(tmp_path)).definition.layers) == 3
    layers = (("InputLayer", {"name": "in", "batch_input_shape": [None, 8, 8, 1]}), ("ReLU", {"name": "r"}))
    assert len(load_model(save_h5(tmp_path / "m.h5", sequential(*layers), {})).definition.layers) == 1
