"""The process that opens files for the server, one after another.

It may neither write a file nor take more memory or time than it is given, and imports no more than it needs.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..cnn.cost import trial_shape
from ..cnn.network import Network
from ..model_files.config.lambdas import parse_lambdas
from ..model_files.errors import ModelError, printable
from ..model_files.infer_card import infer_card
from ..model_files.loading import load_model
from ..model_files.serialization import ScanResult, dump_scan_result, serialize
from .confinement import OPENING, be_modest, limit_memory, limit_time

READY = b"ready\n"
NEEDS = "needs"  # the key of an answer that asks for a process with Keras
MEMORY = "Opening the file took more than {megabytes:,} MB of memory. Bring a smaller model."
_NOT_RUN = "The model opens, and Layerglass cannot run it ({kind}). Bring one of usual layers."
_NO_MEMORY = ("MemoryError", "ResourceExhaustedError")  # Python's, TensorFlow's


def serve(megabytes: str, seconds: str, keras: str = "") -> None:
    """Answer each path that comes in, with what Lambdas compute, by a line of JSON and then the model's bytes."""
    answers = _take_output()
    # Before the limits: the memory that TensorFlow takes to start is not the file's doing.
    if keras:
        _start_tensorflow()
    else:
        sys.modules.update(dict.fromkeys(("keras", "tensorflow")))  # type: ignore[arg-type]  # None: not to be imported
    be_modest(OPENING)
    answers.write(READY)
    answers.flush()
    for line in sys.stdin.buffer:
        limit_memory(int(megabytes))
        limit_time(float(seconds))
        path, lambdas = json.loads(line)
        answer, parts = open_file(Path(path), int(megabytes), lambdas)
        answers.write(json.dumps(answer | {"size": sum(map(len, parts))}).encode() + b"\n")
        answers.writelines(parts)
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


def open_file(path: Path, megabytes: int, lambdas: str = "") -> tuple[dict[str, Any], list[bytes | memoryview]]:
    """Return the scan result of a file, and its model in parts; of a refused one, the reason and nothing.

    lambdas: what the file's Lambda layers compute, as JSON.
    """
    try:
        model = load_model(path, parse_lambdas(lambdas))
        card = infer_card(model, printable(path.stem))
        network = Network("model", model.definition, card)
        network.run(np.zeros(trial_shape(network.layers, card.input_shape), np.float32))
        return dump_scan_result(ScanResult(card, network.layers)), list(serialize(model))
    except ImportError:
        return {NEEDS: "keras"}, []
    except ModelError as error:
        return dump_scan_result(error), []
    except Exception as error:
        kind = type(error).__name__
        reason = MEMORY.format(megabytes=megabytes) if kind in _NO_MEMORY else _NOT_RUN.format(kind=kind)
    return dump_scan_result(ModelError(reason)), []
