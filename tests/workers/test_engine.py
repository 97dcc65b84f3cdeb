"""Networks run by worker processes: the same numbers, and a sentence for whatever goes wrong there."""

import gc
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import keras
import numpy as np
import psutil
import pytest
from keras import layers

from app.cnn.cost import RunLimits
from app.cnn.edits import Edits
from app.cnn.errors import ImageTooSmall, RunFailed, RunInterrupted
from app.cnn.network import make_engine
from app.cnn.tensorflow import layer_class
from app.cnn.types import PoolingMode
from app.model_files.loading import LoadedModel, load_model
from app.model_files.serialization import serialize
from app.workers import engine as engine_module
from app.workers.engine import WorkerEngine, Workers
from tests.small_models import build_digits, build_with_facts

Make = Callable[..., WorkerEngine]
SECONDS = 60.0


def write(model: LoadedModel) -> BinaryIO:
    file = tempfile.TemporaryFile()  # noqa: SIM115
    file.writelines(serialize(model))
    file.flush()
    return file


def loaded(model: keras.Model, folder: Path) -> LoadedModel:
    path = folder / "m.keras"
    model.save(path)
    return load_model(path)


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    workers = Workers(RunLimits(512, SECONDS), parallel=2)
    yield workers
    workers.close()


@pytest.fixture
def make(tmp_path: Path, workers: Workers) -> Iterator[Make]:
    """Make an engine of a Keras model."""
    made: list[WorkerEngine] = []

    def make(model: keras.Model, run_by: Workers = workers) -> WorkerEngine:
        opened = loaded(model, tmp_path)
        made.append(WorkerEngine(run_by, write(opened), opened.definition.layers))
        return made[-1]

    yield make
    for each in made:
        each.close()


def processes(engine: WorkerEngine) -> list[psutil.Process]:
    return [psutil.Process(worker._process.pid) for worker in engine._all]


def test_the_outputs_are_those_of_this_process(make: Make, tmp_path: Path) -> None:
    model = build_digits()
    here, there = make_engine(loaded(model, tmp_path).definition), make(model)
    image = np.random.default_rng(0).random((28, 28, 1), dtype=np.float32)
    for mode in (None, *PoolingMode):
        for found, expected in zip(there.run(image, mode), here.run(image, mode), strict=True):
            np.testing.assert_array_equal(found, expected)
            assert found.shape == expected.shape


@pytest.mark.parametrize("has_keras", [False, True])
def test_every_input_reaches_the_worker(has_keras: bool, make: Make, tmp_path: Path) -> None:
    model = build_with_facts()
    here, there = make_engine(loaded(model, tmp_path).definition), make(model)
    there._needs_keras = has_keras
    rng = np.random.default_rng(0)
    image, facts = rng.random((28, 28, 1), dtype=np.float32), rng.random(4, dtype=np.float32)
    for mode in (None, PoolingMode.MIN):
        for found, expected in zip(there.run(image, mode, [facts]), here.run(image, mode, [facts]), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("has_keras", [False, True])
def test_maps_are_muted_in_the_worker(has_keras: bool, make: Make, tmp_path: Path) -> None:
    model = build_digits()
    muted = {"conv1": {1, 2}, "conv2": {0, 19}}
    here = make_engine(loaded(model, tmp_path).definition.edited(Edits.muting(muted)))
    whole = make(model)
    whole._needs_keras = has_keras
    image = np.random.default_rng(0).random((28, 28, 1), dtype=np.float32)
    whole.run(image, None)
    apart = whole.edited(Edits.muting({"conv1": [1]})).edited(Edits.parse("mute:conv1.2;mute:conv2.0;mute:conv2.19"))
    try:
        for mode in (None, PoolingMode.MIN):
            for found, expected in zip(apart.run(image, mode), here.run(image, mode), strict=True):
                np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
        assert not apart.run(image, None)[0][..., 1:3].any()
        assert whole.run(image, None)[0][..., 1:3].any()  # the one that was whole still is
    finally:
        apart.close()


def test_large_outputs_are_read_where_the_worker_wrote_them(make: Make, tmp_path: Path) -> None:
    model = keras.Sequential(
        [keras.Input((None, None, 3)), layers.Conv2D(16, 3), layers.MaxPooling2D(), layers.Conv2D(4, 1)]
    )
    here, there = make_engine(loaded(model, tmp_path).definition), make(model)
    for side in (400, 300):
        image = np.random.default_rng(0).random((side, side + 1, 3), dtype=np.float32)
        found, expected = there.run(image, PoolingMode.MIN), here.run(image, PoolingMode.MIN)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, other)
        assert not found[0].flags.writeable
    again = there.run(image, None)  # while the others are still read
    np.testing.assert_array_equal(found[0], expected[0])
    assert len(again) == 3


def test_a_block_is_used_again_when_its_numbers_are_gone(make: Make) -> None:
    engine = make(keras.Sequential([keras.Input((256, 256, 1)), layers.Conv2D(32, 3)]))
    image = np.zeros((256, 256, 1), np.float32)
    first = engine.run(image, None)
    (worker,) = engine._all
    (block,) = worker.blocks._given
    del first
    gc.collect()
    engine.run(image, None)
    assert worker.blocks._given == [block]


def test_nothing_starts_before_it_is_needed_and_the_memory_is_counted(make: Make) -> None:
    engine = make(build_digits())
    assert processes(engine) == []
    idle = engine.nbytes
    engine.run(np.zeros((28, 28, 1), np.float32), None)
    assert len(processes(engine)) == 1
    assert engine.nbytes > idle + 10 * 2**20


def test_an_engine_that_is_closed_ends_its_process_and_may_run_again(make: Make) -> None:
    engine = make(build_digits())
    engine.run(np.zeros((28, 28, 1), np.float32), None)
    (process,) = processes(engine)
    engine.close()
    process.wait(20)
    engine.run(np.zeros((28, 28, 1), np.float32), None)
    assert len(processes(engine)) == 1


def test_a_worker_that_was_killed_is_replaced(make: Make) -> None:
    engine = make(build_digits())
    image = np.zeros((28, 28, 1), np.float32)
    before = engine.run(image, None)
    (process,) = processes(engine)
    process.kill()
    process.wait()
    for found, expected in zip(engine.run(image, None), before, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_an_image_that_is_too_small_ends_nothing(make: Make) -> None:
    engine = make(keras.Sequential([keras.Input((None, None, 1)), layers.Conv2D(1, 5)]))
    engine.run(np.zeros((9, 9, 1), np.float32), None)
    first = processes(engine)
    with pytest.raises(ImageTooSmall):
        engine.run(np.zeros((3, 9, 1), np.float32), None)
    engine.run(np.zeros((9, 9, 1), np.float32), None)
    assert processes(engine) == first


def test_a_run_that_takes_too_long_is_ended(make: Make) -> None:
    slow = keras.Sequential([keras.Input((None, None, 16)), layers.MaxPooling2D(128, 1, "same")])
    workers = Workers(RunLimits(2048, 1.5))
    engine = make(slow, workers)
    image = np.zeros((32, 32, 16), np.float32)
    engine.run(image, None)
    (process,) = processes(engine)
    start = time.monotonic()
    with pytest.raises(RunFailed, match=r"took longer than 1\.5 seconds, and was ended.*LAYERGLASS_RUN_SECONDS"):
        engine.run(np.zeros((700, 700, 16), np.float32), None)
    assert time.monotonic() - start < 15
    assert not process.is_running()
    engine.run(image, None)  # by another one
    workers.close()


def test_a_run_that_takes_too_much_memory_is_ended(make: Make) -> None:
    hungry = keras.Sequential([keras.Input((None, None, 1)), layers.Conv2D(64, 3)])
    workers = Workers(RunLimits(64, SECONDS))
    engine = make(hungry, workers)
    with pytest.raises(RunFailed, match=r"took more than 64 MB of memory.*LAYERGLASS_RUN_MEGABYTES"):
        engine.run(np.zeros((900, 900, 1), np.float32), None)
    engine.run(np.zeros((90, 90, 1), np.float32), None)
    workers.close()


def test_workers_that_are_closed_end_what_runs(make: Make) -> None:
    slow = keras.Sequential([keras.Input((None, None, 16)), layers.MaxPooling2D(128, 1, "same")])
    workers = Workers(RunLimits(2048, SECONDS))
    engine = make(slow, workers)
    engine.run(np.zeros((32, 32, 16), np.float32), None)
    refusals: list[str] = []

    def run() -> None:
        with pytest.raises(RunInterrupted) as raised:
            engine.run(np.zeros((700, 700, 16), np.float32), None)
        refusals.append(str(raised.value))

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.5)
    workers.close()
    thread.join(20)
    assert refusals == ["The network was not run: the server is shutting down."]
    with pytest.raises(RunInterrupted, match="shutting down"):
        engine.run(np.zeros((32, 32, 16), np.float32), None)


def test_threads_share_an_engine(make: Make) -> None:
    engine = make(build_digits())
    images = np.random.default_rng(0).random((8, 28, 28, 1), dtype=np.float32)
    expected = [engine.run(image, None)[-1] for image in images]
    found: dict[int, Any] = {}

    def run(index: int) -> None:
        found[index] = engine.run(images[index], None)[-1]

    threads = [threading.Thread(target=run, args=[index]) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index in range(8):
        np.testing.assert_array_equal(found[index], expected[index])
    assert len(processes(engine)) == 1  # small outputs are waited for


@pytest.mark.slow
def test_a_network_that_litert_does_not_run(make: Make) -> None:
    model = keras.Sequential(
        [keras.Input((None, None, 2)), layers.Conv2DTranspose(3, 3, dilation_rate=2), layers.LayerNormalization()]
    )
    engine = make(model)
    image = np.random.default_rng(0).random((6, 9, 2), dtype=np.float32)
    found = engine.run(image, None)
    with_own = keras.models.clone_model(
        model, clone_function=lambda layer: layer_class(type(layer).__name__).from_config(layer.get_config())
    )
    with_own.set_weights(model.get_weights())
    expected = np.asarray(with_own(image[np.newaxis]))[0]
    np.testing.assert_allclose(found[-1], expected, rtol=1e-4, atol=1e-4)
    assert engine.output_shapes((6, 9, 2)) == [output.shape for output in found]


LOADED = "say({'ready': []}); hear(); say({'loaded': True})\n"


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, make: Make) -> Iterator[Callable[[str], WorkerEngine]]:
    """Make an engine whose workers run another program."""
    made: list[Workers] = []

    def run(text: str) -> WorkerEngine:
        head = (
            "import json, os, signal, socket, sys, time\n"
            "channel = socket.socket(fileno=int(sys.argv[2]))\n"
            "def say(message): channel.sendall(json.dumps(message).encode() + b'\\n')\n"
            "def hear(): return socket.recv_fds(channel, 65_536, 1)\n"
        )
        monkeypatch.setattr(engine_module, "_PROGRAM", head + text)
        made.append(Workers(RunLimits(64, 2)))
        return make(build_digits(), made[-1])

    yield run
    for each in made:
        each.close()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LOADED + "hear(); sys.exit(0)", "stopped the process"),
        (LOADED + "hear(); os.abort()", "took more than 64 MB"),
        (LOADED + "hear(); os.kill(os.getpid(), signal.SIGKILL)", "took more than 64 MB"),
        (LOADED + "hear(); os.kill(os.getpid(), signal.SIGXCPU)", "took longer than 2 seconds"),
        (LOADED + "hear(); os.kill(os.getpid(), signal.SIGSEGV)", "stopped the process"),
        (LOADED + "hear(); time.sleep(60)", "took longer than 2 seconds"),
        (LOADED + "hear(); channel.sendall(b'x'); time.sleep(60)", "took longer than 2 seconds"),
        (LOADED + "hear(); channel.sendall(b'nonsense\\n'); time.sleep(60)", "stopped the process"),
        (LOADED + "hear(); channel.sendall(b'[]\\n'); time.sleep(60)", "stopped the process"),
        (LOADED + "hear(); channel.sendall(b'[' * 2_000_000); time.sleep(60)", "stopped the process"),
        (LOADED + "hear(); say({'problem': ['<script>']}); time.sleep(60)", "stopped the process"),
        (LOADED + "hear(); say({'problem': 'no memory'}); time.sleep(60)", "took more than 64 MB"),
        ("say({'ready': []}); hear(); sys.exit(0)", "stopped the process"),
        ("say({'ready': []}); hear(); say({'problem': 'needs keras'}); time.sleep(60)", "stopped the process"),
    ],
)
def test_a_worker_that_ends_badly(program: Callable[[str], WorkerEngine], text: str, says: str) -> None:
    engine = program(text)
    with pytest.raises(RunFailed, match=says):
        engine.run(np.zeros((28, 28, 1), np.float32), None)


@pytest.mark.parametrize("text", ["sys.exit(1)", "os.abort()", "say('hello')", "say({'ready': 3})", "say({})"])
def test_a_worker_that_does_not_start(program: Callable[[str], WorkerEngine], text: str) -> None:
    with pytest.raises(RunInterrupted, match="the process that runs it does not start"):
        program(text + "\ntime.sleep(60)").run(np.zeros((28, 28, 1), np.float32), None)


def test_descriptors_that_a_worker_sends_are_closed(program: Callable[[str], WorkerEngine]) -> None:
    engine = program(LOADED + "while True: hear(); socket.send_fds(channel, [b'{}\\n'], [0])")
    engine.run(np.zeros((28, 28, 1), np.float32), None)
    gc.collect()
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for _ in range(5):
        engine.run(np.zeros((28, 28, 1), np.float32), None)
    assert not before or len(os.listdir("/proc/self/fd")) <= before


def test_what_it_describes_is_checked(program: Callable[[str], WorkerEngine]) -> None:
    for shapes in ("[[3]]", "3", "[[2**40]] * 6", "['ab'] * 6", "[[0, 1]] * 6", "None"):
        engine = program(LOADED + f"hear(); say({{'shapes': {shapes}}}); time.sleep(60)")
        with pytest.raises(RunFailed, match="stopped the process"):
            engine.output_shapes((28, 28, 1))


def test_a_worker_is_given_no_secrets(program: Callable[[str], WorkerEngine], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "secret")
    engine = program(LOADED + "hear(); os.environ.get('SECRET_TOKEN') and os.abort(); sys.exit(3)")
    with pytest.raises(RunFailed, match="stopped the process"):
        engine.run(np.zeros((28, 28, 1), np.float32), None)


def test_a_system_that_bounds_little_is_named(
    program: Callable[[str], WorkerEngine], caplog: pytest.LogCaptureFixture
) -> None:
    engine = program("say({'ready': ['memory', 'system calls']}); hear(); say({'loaded': True}); hear(); say({})")
    engine.run(np.zeros((28, 28, 1), np.float32), None)
    assert "This system does not bound these of networks out of files: files." in caplog.text


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no signals")
def test_a_worker_is_confined(make: Make) -> None:
    engine = make(build_digits())
    engine.run(np.zeros((28, 28, 1), np.float32), None)
    (process,) = processes(engine)
    status = Path(f"/proc/{process.pid}/status")
    if status.exists():
        assert "Seccomp:\t2" in status.read_text() and "NoNewPrivs:\t1" in status.read_text()
    assert process.rlimit(psutil.RLIMIT_CORE) == (0, 0)
    assert process.rlimit(psutil.RLIMIT_AS)[0] < 2**31
    assert process.nice() >= 10


def test_shuffled_weights_are_those_of_this_process(make: Make, tmp_path: Path) -> None:
    model = build_digits()
    image = np.random.default_rng(2).uniform(size=(28, 28, 1)).astype(np.float32)
    expected = make_engine(loaded(model, tmp_path).definition.shuffling(7)).run(image, None)
    for one, other in zip(make(model).shuffling(7).run(image, None), expected, strict=True):
        np.testing.assert_array_equal(one, other)
