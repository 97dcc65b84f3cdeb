"""Blocks of memory that a worker fills and the server reads."""

import ctypes
import fcntl
import gc
import mmap
import os
import subprocess
import sys
import threading
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import pytest

from app.workers import memory
from app.workers.memory import SharedBlock, SharedBlocks, give_back_pages, map_file
from tests.process import ROOT

MEGABYTE = 2**20


def fill(block: SharedBlock, value: float) -> None:
    os.pwrite(block.descriptor, np.full(block.size // 4, value, np.float32).tobytes(), 0)


def test_what_is_written_to_a_block_is_read_from_its_array() -> None:
    block = SharedBlock(40)
    fill(block, 3)
    np.testing.assert_array_equal(block.array, np.full(10, 3, np.float32))
    assert not block.array.flags.writeable


def test_a_block_is_given_out_again_when_nothing_reads_it() -> None:
    blocks = SharedBlocks()
    first = blocks.take(40)
    view = first.array[2:4]
    second = blocks.take(40)
    assert second is not first
    other = second.array[:1]
    del view
    gc.collect()
    assert blocks.take(40) is first
    assert blocks.nbytes == 40
    del other
    assert blocks.nbytes == 80


def test_few_unused_blocks_are_kept() -> None:
    blocks = SharedBlocks()
    views = [blocks.take(40).array[:1] for _ in range(6)]
    for _ in range(6):
        views.append(blocks.take(40).array[:1])
    views.clear()
    blocks.take(40)
    assert blocks.nbytes == 40
    blocks.take(80)
    assert blocks.nbytes == 80


def test_its_descriptor_is_closed_with_it() -> None:
    block = SharedBlock(40)
    descriptor = block.descriptor
    del block
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="this system has no anonymous files")
def test_nobody_can_make_it_shorter() -> None:
    """Whoever reads behind the end of a mapped file is ended by the system."""
    block = SharedBlock(2 * MEGABYTE)
    for size in (0, MEGABYTE, 3 * MEGABYTE):
        with pytest.raises(PermissionError):
            os.ftruncate(block.descriptor, size)
    with pytest.raises(PermissionError):
        fcntl.fcntl(block.descriptor, 1033, 0x10)  # no seal can be added, either


def test_a_system_without_anonymous_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    block = SharedBlock(40)
    fill(block, 2)
    assert block.array.tolist() == [2] * 10


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * mmap.PAGESIZE


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes the pages of shared memory back")
def test_pages_that_are_given_back_are_not_this_process_s_memory() -> None:
    block = SharedBlock(64 * MEGABYTE)
    fill(block, 1)
    before = resident()
    assert block.array.sum(dtype=np.float64) == 16 * MEGABYTE
    read = resident()
    give_back_pages()
    assert read - before > 60 * MEGABYTE
    assert resident() - before < 4 * MEGABYTE
    assert block.array[-1] == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes the pages of shared memory back")
def test_they_are_given_back_as_long_as_an_array_reads_them() -> None:
    """A block may be gone before, with the worker that wrote it."""
    block = SharedBlock(64 * MEGABYTE)
    fill(block, 1)
    array = block.array[:]
    del block
    before = resident()
    assert array.sum(dtype=np.float64) == 16 * MEGABYTE
    give_back_pages()
    assert resident() - before < 4 * MEGABYTE


def test_a_block_is_unmapped_by_another_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    block = SharedBlock(40)
    view = block.array[2:4]
    threads: SimpleQueue[str] = SimpleQueue()
    monkeypatch.setattr(memory._Map, "close", lambda _: threads.put(threading.current_thread().name))
    del block
    assert threads.empty()
    del view
    assert threads.get(timeout=10) == "unmap"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says what is mapped")
def test_pages_of_a_file_are_given_back_as_well(tmp_path: Path) -> None:
    (tmp_path / "weights").write_bytes(bytes(32 * MEGABYTE))
    with open(tmp_path / "weights", "rb") as file:
        mapped = map_file(file)
    numbers = np.frombuffer(mapped, np.float32)
    numbers.sum()
    before = resident()
    give_back_pages()
    assert before - resident() > 24 * MEGABYTE
    assert numbers[-1] == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux takes the pages of shared memory back")
def test_nothing_is_unmapped_while_its_pages_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its address could be another's by then, and what that holds would be zero."""
    block, tried = SharedBlock(40), []

    class System:
        def __init__(self, _: None) -> None: ...

        def madvise(self, *_: object) -> None:
            for each in list(memory._maps):
                with pytest.raises(BufferError):
                    each.close()
                tried.append(each)

    monkeypatch.setattr(ctypes, "CDLL", System)
    give_back_pages()
    assert tried
    assert block.array.tolist() == [0] * 10


def test_a_script_ends_that_holds_a_block_to_its_end() -> None:
    """Its memory is dropped by the interpreter, which runs no new threads by then."""
    script = "from app.workers.memory import SharedBlock; array = SharedBlock(4096).array; print(len(array))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "1024\n"), done.stderr
