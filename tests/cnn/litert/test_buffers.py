import numpy as np
import pytest

from app.cnn.litert import engine as blocks
from app.cnn.litert.engine import Blocks
from app.cnn.types import Array


@pytest.fixture(autouse=True)
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "LARGE", 10)


def address(block: Array) -> int:
    start: int = block.__array_interface__["data"][0]
    return start


def test_a_block_that_is_read_from_is_not_given_out() -> None:
    made = Blocks(100)
    first = made.take()
    view = first[10:20].reshape(2, 5)
    where = address(first)
    del first
    second = made.take()
    assert address(second) != where
    second[:] = 7
    view[:] = 1
    assert (second == 7).all()


def test_a_block_that_nothing_reads_is_given_out_again() -> None:
    made = Blocks(100)
    where = address(made.take())
    assert address(made.take()) == where


def test_of_many_unused_blocks_few_are_kept() -> None:
    made = Blocks(100)
    held = [made.take() for _ in range(9)]
    assert len({address(block) for block in held}) == 9
    held.clear()
    del held
    made.take()
    assert len(made._given) == 3


def test_a_small_block_is_its_own() -> None:
    assert Blocks(5).take().shape == (5,)


def test_a_block_from_the_system_stays_while_something_reads_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "LARGE", 2**20)
    made = Blocks(2**15)
    first, second = made.take(), made.take()
    assert first.shape == second.shape == (2**15,)
    assert first.dtype == np.float32
    view = first[10:20].reshape(2, 5)
    view[:] = 3
    second[:] = 7
    del first, second
    made.take()[:] = 8
    assert (view == 3).all()


def test_where_the_system_gives_no_more_malloc_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(blocks, "LARGE", 2**20)
    monkeypatch.setattr("app.cnn.litert.engine.mmap.mmap", refuse)
    block = Blocks(2**15).take()
    block[:] = 1
    assert block.shape == (2**15,)
