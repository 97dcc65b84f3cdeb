"""The first opening of a file in a process of its own, so that the worst of files costs one refusal and no server.

That process may neither write a file nor take more memory or time than it is given.
"""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from app.opening.unusable import UnusableModel

if TYPE_CHECKING:
    from app.opening.reader import Opened

_ROOT = Path(__file__).parents[2]
_MARK = b"layerglass:"  # before the answer, since libraries print what they like
# -c and not -m: a person's own folder is never searched for modules.
_PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from app.opening.child import answer; answer(*sys.argv[2:])"
_KEPT = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL")
_SETTINGS = {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}


def open_in_child(path: Path, seconds: float, megabytes: int) -> "Opened":
    """The model in a file that nobody vouches for. Only the child reads the file; here its checked plan is built anew.

    seconds: for all of it, 3 of which TensorFlow takes to start. megabytes: beyond what TensorFlow itself takes; where
    the system cannot limit memory, time alone is. Raises: UnusableModel, also where the child ran out of either.
    """
    # Imported here, so that the child can set its limits before Keras starts.
    from app.opening.parcel import unpack

    return unpack(_ask(path, seconds, megabytes, "open"))


def check_in_child(path: Path, seconds: float, megabytes: int) -> None:
    """Whether open_in_child would open the file. Raises: UnusableModel, as there."""
    _ask(path, seconds, megabytes, "check")


def _ask(path: Path, seconds: float, megabytes: int, wish: str) -> bytes:
    """What a child gives back of the file. Raises: UnusableModel."""
    arguments = [str(_ROOT), str(path.absolute()), str(megabytes), str(seconds), wish]
    environment = {key: value for key in _KEPT if (value := os.environ.get(key))} | _SETTINGS
    try:
        # TensorFlow's own notes are of no use to the person who brought the file.
        done = subprocess.run(
            [sys.executable, "-P", "-c", _PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env=environment, timeout=seconds, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise UnusableModel(_TIME.format(seconds=seconds)) from None
    _, mark, told = done.stdout.partition(_MARK)
    line, _, parcel = told.partition(b"\n")
    sentence = _sentence(line, done.returncode) if mark else _ENDS.get(-done.returncode, _CRASH)
    if sentence:
        raise UnusableModel(sentence.format(seconds=seconds, megabytes=megabytes) if sentence in _OURS else sentence)
    return parcel


def _sentence(line: bytes, status: int) -> str:
    """What the child said, or what its end says; empty for a file that is fine."""
    with suppress(ValueError):
        if status == 0:
            return str(json.loads(line))
    return _ENDS.get(-status, _CRASH)


_TIME = "Opening the file took longer than {seconds:g} seconds: it is too large, or damaged. Bring a smaller one."
_MEMORY = "Opening the file took more than {megabytes:,} MB of memory. Bring a smaller model."
_CRASH = "Opening the file stopped the process that tried it, so it is damaged or does harm. Save the model again."
_OURS = {_TIME, _MEMORY}
# Aborted by a library that got no memory, killed for memory, out of processor time.
_ENDS = {6: _MEMORY, 9: _MEMORY, 24: _TIME}


def answer(path: str, megabytes: str, seconds: str, wish: str) -> None:
    """What the child does: write one sentence, empty for a file that is fine, then the model if that is the wish."""
    # Imported here, before the limits: what TensorFlow takes to start is not the file's doing.
    import tensorflow as tf

    from app.cnn.network import Network
    from app.opening.guess import guess_card
    from app.opening.parcel import pack
    from app.opening.reader import read_model

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.zeros(1)  # starts its threads
    _limit(int(megabytes), float(seconds))
    sentence, parcel = "", b""
    try:
        opened, plan = read_model(Path(path))
        Network("model", opened.model, guess_card(opened.model, "model"))
        parcel = pack(opened, plan) if wish == "open" else b""
    except UnusableModel as error:
        sentence = str(error)
    except (MemoryError, tf.errors.ResourceExhaustedError):
        sentence = _MEMORY
    except Exception as error:
        sentence = f"The model opens, and Layerglass cannot run it ({type(error).__name__}). Bring one of usual layers."
    sys.stdout.buffer.write(b"\n" + _MARK + json.dumps(sentence).encode() + b"\n" + parcel)
    sys.stdout.buffer.flush()


def _limit(megabytes: int, seconds: float) -> None:
    """Bound what this process may still do, where the system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    used = _address_space(resource.getpagesize())
    if used is not None:
        _lower(resource.RLIMIT_AS, used + megabytes * 2**20)
    _lower(resource.RLIMIT_CPU, int(seconds) + 1, after=1)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_CORE, 0)


def _lower(limit: int, value: int, after: int = 0) -> None:
    """after: how far the limit that kills lies beyond the one that warns."""
    import resource

    _, hard = resource.getrlimit(limit)
    most = value + after if hard == resource.RLIM_INFINITY else min(value + after, hard)
    resource.setrlimit(limit, (min(value, most), most))


def _address_space(page: int) -> int | None:
    """Bytes of addresses in use; None where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * page
    except OSError:
        return None
