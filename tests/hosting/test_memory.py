import gc
import platform
import subprocess
import sys
import weakref

import pytest

from app.hosting.server import frozen_heap
from tests.process import ROOT

ARENAS = """
import ctypes, sys, threading
from app.hosting.server import limit_malloc

if sys.argv[1] == "few":
    limit_malloc()
libc = ctypes.CDLL(None)
libc.malloc.restype, all_there = ctypes.c_void_p, threading.Barrier(9)
threads = [threading.Thread(target=lambda: (libc.malloc(1000), all_there.wait())) for _ in range(8)]
for thread in threads:
    thread.start()
all_there.wait()
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


def count_arenas(how: str) -> int:
    command = [sys.executable, "-c", ARENAS, how]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    return result.stdout.count("<heap nr=")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="arenas are glibc's")
def test_threads_share_two_arenas() -> None:
    assert count_arenas("few") <= 2 < count_arenas("as usual")


class Knot:
    """Refers to itself, so that only the garbage collector finds it."""

    def __init__(self) -> None:
        self.itself = self


def test_what_is_there_is_left_out_and_what_comes_later_is_not() -> None:
    old = Knot()
    gone = weakref.ref(old)
    with frozen_heap():
        del old
        new = weakref.ref(Knot())
        gc.collect()
        assert gone() is not None and new() is None
    gc.collect()
    assert gone() is None
