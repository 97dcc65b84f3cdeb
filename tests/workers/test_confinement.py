"""What a confined process cannot do any more, tried in one."""

import ctypes
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Landlock and seccomp are Linux'")

HAS_LANDLOCK = sys.platform == "linux" and ctypes.CDLL(None).syscall(444, None, 0, 1) > 0


def confined(attempt: str, megabytes: int = 512, readable: str = "[]", before: str = "") -> str:
    """Return what a process prints that is confined and then tries something."""
    program = f"""
import os, socket, sys, threading
from pathlib import Path
from app.workers.confinement import confine
{before}
enforced = confine({megabytes}, {readable})
try:
    print({attempt}, flush=True)
except BaseException as error:
    print(type(error).__name__, flush=True)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    return done.stdout.strip() or f"status {done.returncode}"


def test_the_system_says_what_it_enforces() -> None:
    files = "'files', " if HAS_LANDLOCK else ""
    assert confined("sorted(enforced)") == f"[{files}'memory', 'system calls']"


@pytest.mark.parametrize(
    "attempt",
    [
        "open('/etc/passwd')",
        "open('/proc/self/maps')",
        "os.listdir('/')",
        "open('/tmp/layerglass-written', 'w')",
        "os.system('true') and 1 / 0",
        "os.fork()",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.execv('/bin/true', ['true'])",
        "socket.socket()",
        "socket.socketpair() and None",
        "os.kill(os.getppid(), 0)",
        "os.kill(1, 0)",
        "os.memfd_create('x')",
        "os.chmod(sys.executable, 0o755)",
        "os.unshare(0) if hasattr(os, 'unshare') else (_ for _ in ()).throw(PermissionError)",
        "bytearray(600 * 2**20)",
    ],
)
def test_what_it_cannot_do(attempt: str) -> None:
    said = confined(attempt)
    if "socketpair" in attempt:
        assert said in {"None", "PermissionError"}  # it leads nowhere
    elif "bytearray" in attempt:
        assert said == "MemoryError"
    else:
        assert said in {"PermissionError", "ZeroDivisionError"}


def test_what_it_can_do() -> None:
    assert confined("sum(range(10))") == "45"
    begun = "(thread := threading.Thread(target=print, args=('from a thread',))).start() or thread.join()"
    assert confined(begun).startswith("from a thread")
    assert confined("len(bytearray(100 * 2**20))") == str(100 * 2**20)


def test_descriptors_that_were_open_stay_open(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("hello")
    assert confined("file.read()", before=f"file = open({str(tmp_path / 'a')!r})") == "hello"


def test_folders_that_it_may_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("hello")
    inside, outside = f"[Path({str(tmp_path)!r})]", "open('/etc/passwd').read()"
    assert confined(f"open({str(tmp_path / 'a')!r}).read()", readable=inside) == "hello"
    assert confined(f"open({str(tmp_path / 'b')!r}, 'w')", readable=inside) == "PermissionError"
    if HAS_LANDLOCK:
        assert confined(outside, readable=inside) == "PermissionError"


def test_a_limit_on_processor_time_ends_it() -> None:
    program = """
        from app.workers.confinement import limit_time
        limit_time(0)
        while True:
            pass
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], timeout=60, check=False)
    assert done.returncode == -24  # SIGXCPU
