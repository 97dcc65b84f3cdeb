"""The process that opens files for the server, one after another.

It may neither write a file nor take more memory or time than it is given, and imports no more than it needs.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..cnn.network import Network
from .errors import ModelError, printable
from .infer_card import infer_card
from .loading import load_model
from .serialization import ScanResult, dump_scan_result, serialize

READY = b"ready\n"
NEEDS = "needs"  # the key of an answer that asks for a process with Keras
MEMORY = "Opening the file took more than {megabytes:,} MB of memory. Bring a smaller model."
_NOT_RUN = "The model opens, and Layerglass cannot run it ({kind}). Bring one of usual layers."
_NO_MEMORY = ("MemoryError", "ResourceExhaustedError")  # Python's, TensorFlow's
_NICE = 10  # a drawing goes before a file


def serve(megabytes: str, seconds: str, keras: str = "") -> None:
    """Answer each path that comes in with a line of JSON and then the model's bytes."""
    answers = _take_output()
    # Before the limits: the memory that TensorFlow takes to start is not the file's doing.
    if keras:
        _start_tensorflow()
    else:
        sys.modules.update(dict.fromkeys(("keras", "tensorflow")))  # type: ignore[arg-type]  # None: not to be imported
    if hasattr(os, "nice"):
        os.nice(_NICE)
    answers.write(READY)
    answers.flush()
    for line in sys.stdin.buffer:
        _limit(int(megabytes), float(seconds))
        answer, data = open_file(Path(json.loads(line)), int(megabytes))
        answers.write(json.dumps(answer | {"size": len(data)}).encode() + b"\n" + data)
        answers.flush()


def _start_tensorflow() -> None:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.zeros(1)  # starts its threads


def _take_output() -> BinaryIO:
    """Keep the standard output for the answers alone: what libraries print goes nowhere."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    return answers


def open_file(path: Path, megabytes: int) -> tuple[dict[str, Any], bytes]:
    """Return the scan result of a file, and its model; of a refused one, the reason and nothing."""
    try:
        model = load_model(path)
        card = infer_card(model, printable(path.stem))
        network = Network("model", model.definition, card)
        network.run(np.zeros([size or 32 for size in card.input_shape], np.float32))
        return dump_scan_result(ScanResult(card, network.layers)), serialize(model)
    except ImportError:
        return {NEEDS: "keras"}, b""
    except ModelError as error:
        reason = str(error)
    except Exception as error:
        kind = type(error).__name__
        reason = MEMORY.format(megabytes=megabytes) if kind in _NO_MEMORY else _NOT_RUN.format(kind=kind)
    return dump_scan_result(ModelError(reason)), b""


def _limit(megabytes: int, seconds: float) -> None:
    """Bound what this process may still do, where the system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    used = _address_space(resource.getpagesize())
    if used is not None:
        _lower(resource.RLIMIT_AS, used + megabytes * 2**20)
    _lower(resource.RLIMIT_CPU, int(sum(os.times()[:2]) + seconds) + 1)
    _lower(resource.RLIMIT_FSIZE, 0, also_hard=True)
    _lower(resource.RLIMIT_CORE, 0, also_hard=True)


def _lower(limit: int, value: int, also_hard: bool = False) -> None:
    """Lower a limit of this process. also_hard: for good; else the next file has a limit of its own."""
    import resource

    _, hard = resource.getrlimit(limit)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(limit, (value, value if also_hard else hard))


def _address_space(page: int) -> int | None:
    """Return the bytes of addresses in use; None where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * page
    except OSError:
        return None
