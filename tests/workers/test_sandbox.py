"""The first opening in a process of its own: what goes wrong there is a sentence here."""

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from app.cnn.kinds import Layer
from app.cnn.types import Weights
from app.model_files.errors import ModelError
from app.model_files.loading import LoadedModel, load_model
from app.model_files.plan import Plan
from app.model_files.serialization import ScanResult, deserialize, deserialize_weights, serialize
from app.workers import sandbox as opener_module
from app.workers.sandbox import Sandbox, SerializedModel, open_in_sandbox
from tests.model_files.config.test_hostile_configs import INPUT
from tests.model_files.files import image, numbers, save_h5, sequential, small_file

resource = pytest.importorskip("resource", reason="Windows cannot limit a process")

SECONDS = 120.0
ANSWER = "print(json.dumps({{'reason': {reason}, 'size': 0}}), flush=True)"
Programs = Callable[..., None]


@pytest.fixture(scope="module")
def opener() -> Iterator[Sandbox]:
    """One child process for all files of this module that end well."""
    with Sandbox(SECONDS) as opener:
        yield opener


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Lets the child run another program for each path that it is sent, one without TensorFlow."""

    def run(for_each_path: str, before: str = "") -> None:
        head = f"import json, os, signal, sys, time\n{before}\nprint('ready', flush=True)\nfor line in sys.stdin:\n"
        body = f"    path, lambdas = json.loads(line)\n    {for_each_path}"
        monkeypatch.setattr(opener_module, "_PROGRAM", head + body)

    return run


def whole(model: LoadedModel) -> bytes:
    return b"".join(serialize(model))


def taken(model: SerializedModel) -> bytes:
    with model.file:
        return model.file.read()


def scan(opener: Sandbox, path: Path) -> ScanResult:
    model = opener.open(path)
    model.file.close()
    return model.scan


def pid(opener: Sandbox) -> int:
    assert opener._process is not None
    return opener._process.pid


def test_a_model_comes_back_as_the_child_opened_it(opener: Sandbox, tmp_path: Path) -> None:
    path = save_h5(
        tmp_path / "m.h5",
        sequential(INPUT, ("Conv2D", {"name": "my conv", "filters": 2, "kernel_size": 3}), ("ReLU", {"name": "r"})),
        {"my conv": [numbers(3, 3, 1, 2), numbers(2)]},
    )
    here, there = load_model(path), deserialize(taken(opener.open(path)))
    images = image(here.model)
    np.testing.assert_array_equal(there.model(images), here.model(images))
    assert (there.mends, there.keras_version) == (here.mends, here.keras_version)
    assert len(there.mends) == 1


def test_what_was_found_is_the_layers_and_a_card_under_the_file_s_name(opener: Sandbox, tmp_path: Path) -> None:
    path = small_file(tmp_path)
    named = path.rename(tmp_path / "Zoë’s <b>digits \n 1.keras")
    finding = scan(opener, named)
    assert finding.card.title == "Zoë’s <b>digits · 1"
    assert finding.card.input_shape == (8, 8, 1)
    assert [layer.name for layer in finding.layers] == ["conv", "flatten", "answer"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such file names")
def test_a_file_name_that_is_no_text(opener: Sandbox, tmp_path: Path) -> None:
    named = small_file(tmp_path).rename(tmp_path / "caf\udce9.keras")
    assert scan(opener, named).card.title == "caf·"


def test_one_process_opens_one_file_after_another(opener: Sandbox, tmp_path: Path) -> None:
    path, evil = small_file(tmp_path), save_h5(tmp_path / "m.h5", sequential(INPUT, ("Lambda", {"name": "{evil}"})), {})
    taken(opener.open(path))
    first = pid(opener)
    with pytest.raises(ModelError, match=r"“\{evil\}” is a Lambda, which is Python code"):
        opener.open(evil)
    with pytest.raises(ModelError, match="is empty"):
        (tmp_path / "empty.keras").touch()
        opener.open(tmp_path / "empty.keras")
    assert taken(opener.open(path))
    assert pid(opener) == first


@pytest.mark.slow
def test_a_file_that_needs_keras_is_opened_by_a_process_that_has_it(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.GroupNormalization(1), keras.layers.Flatten()])
    model.save(path)
    with Sandbox(SECONDS) as opener:
        taken(opener.open(small_file(tmp_path)))
        first = pid(opener)
        parcel = opener.open(path)
        assert [layer.kind for layer in parcel.scan.layers] == ["GroupNormalization", "Flatten"]
        with_keras = pid(opener)
        taken(opener.open(path))
        assert first != with_keras == pid(opener)
    images = image(model)
    np.testing.assert_array_equal(deserialize(taken(parcel)).model(images), model(images))


def test_a_process_that_ended_in_between_is_replaced(program: Programs, tmp_path: Path) -> None:
    program(ANSWER.format(reason="str(os.getpid())"))
    with Sandbox(SECONDS) as opener:
        with pytest.raises(ModelError) as first:
            opener.open(tmp_path)
        assert opener._process is not None
        opener._process.kill()
        opener._process.wait()
        with pytest.raises(ModelError, match=r"^\d+$") as second:
            opener.open(tmp_path)
    assert str(first.value) != str(second.value)


def test_a_process_that_a_file_stopped_is_replaced_for_the_next_file(program: Programs, tmp_path: Path) -> None:
    program("os.abort() if 'bad' in path else " + ANSWER.format(reason="path"))
    with Sandbox(SECONDS) as opener:
        for name in ("good", "bad", "good", "bad"):
            with pytest.raises(ModelError, match="memory" if name == "bad" else "good$"):
                opener.open(tmp_path / name)


def test_a_parcel_is_checked_again(tmp_path: Path) -> None:
    opened = load_model(small_file(tmp_path))
    plan = opened.plan
    deserialize(whole(opened))
    for step in (
        replace(plan.steps[0], kind=type("Lambda", (Layer,), {}, abstract=True)),
        replace(plan.steps[0], name="<script>"),
        replace(plan.steps[0], inputs=("nowhere",)),
        replace(plan.steps[0], settings={"filters": 2_000_000_000}),
    ):
        with pytest.raises(ModelError):
            deserialize(_packed(opened, replace(plan, steps=(step, *plan.steps[1:]))))
    for data in (b"", b"PK", whole(opened)[:-100]):
        with pytest.raises(ModelError, match="gave no model back"):
            deserialize(data)


@pytest.mark.parametrize(
    ("key", "value"),
    [("weights", [[[-8, 9]]]), ("weights", [[[2**40, 2**40]]]), ("weights", 3), ("weights", []), ("steps", None)],
)
def test_a_parcel_whose_header_lies(tmp_path: Path, key: str, value: Any) -> None:
    data = whole(load_model(small_file(tmp_path)))
    size = int.from_bytes(data[:8], "little")
    header = json.dumps(json.loads(data[8 : 8 + size]) | {key: value}).encode()
    for length in (len(header), 2**62):
        with pytest.raises(ModelError, match="gave no model back"):
            deserialize(length.to_bytes(8, "little") + header + data[8 + size :])


def test_the_server_reads_the_weights_where_they_lie(tmp_path: Path) -> None:
    opened = load_model(small_file(tmp_path))
    data = whole(opened)
    weights = deserialize_weights(data, opened.definition.layers)
    for name, arrays in opened.definition.weights.items():
        assert list(weights[name]) == list(arrays)
        for found, expected in zip(weights[name].values(), arrays.values(), strict=True):
            np.testing.assert_array_equal(found, expected)
            assert not found.flags.owndata
            assert found.ctypes.data % 64 == np.frombuffer(data, np.uint8).ctypes.data % 64
    with pytest.raises(ModelError, match="gave no model back"):
        deserialize_weights(data, opened.definition.layers[1:])


def _packed(opened: LoadedModel, plan: Plan) -> bytes:
    """A parcel of a plan that does not belong to its model, as a child that was taken over would send it."""
    nothing: dict[str, Weights] = {step.name: {} for step in plan.steps}
    return whole(replace(opened, plan=plan, definition=replace(opened.definition, weights=nothing)))


def test_too_little_time(program: Programs, tmp_path: Path) -> None:
    program("time.sleep(60)")
    with pytest.raises(ModelError, match=r"took longer than 0\.2 seconds"):
        open_in_sandbox(tmp_path, seconds=0.2)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system does not say how much memory is in use")
def test_too_little_memory(tmp_path: Path) -> None:
    made = [("UpSampling2D", {"name": "u", "size": [256, 256]}), ("UpSampling2D", {"name": "v", "size": [2, 2]})]
    path = save_h5(tmp_path / "m.h5", sequential(INPUT, *made), {})
    with pytest.raises(ModelError, match="took more than 40 MB of memory"):
        open_in_sandbox(path, SECONDS, 40)


@pytest.mark.parametrize(
    ("ending", "says"),
    [
        ("os.abort()", "took more than 512 MB of memory"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "took more than 512 MB of memory"),
        ("os.kill(os.getpid(), signal.SIGXCPU)", "took longer than 120 seconds"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "stopped the process"),
        ("sys.exit(3)", "stopped the process"),
        ("sys.exit(0)", "stopped the process"),
        ("print('nonsense', flush=True)", "stopped the process"),
        ("print(flush=True)", "stopped the process"),
        ("print('[]', flush=True)", "stopped the process"),
        ("print('{}', flush=True)", "stopped the process"),
        ("print('[' * 100_000, flush=True)", "stopped the process"),
        ("print(json.dumps({'size': 0}), flush=True)", "stopped the process"),
        ("print(json.dumps({'size': 0, 'reason': 3}), flush=True)", "stopped the process"),
        ("print(json.dumps({'size': 0, 'card': {}, 'layers': []}), flush=True)", "stopped the process"),
        ("print(json.dumps({'size': -1, 'reason': 'x'}), flush=True)", "stopped the process"),
        ("print(json.dumps({'size': 10**12, 'reason': 'x'}), flush=True)", "stopped the process"),
        ("print(json.dumps({'size': 9, 'reason': 'x'})); sys.exit()", "stopped the process"),
    ],
)
def test_a_child_that_ends_badly(program: Programs, ending: str, says: str, tmp_path: Path) -> None:
    program(ending)
    with pytest.raises(ModelError, match=says):
        open_in_sandbox(tmp_path, SECONDS, 512)


def test_a_refusal_that_a_child_was_made_to_say_is_bounded(program: Programs, tmp_path: Path) -> None:
    program(ANSWER.format(reason="'a\\n\\ud800' * 100_000"))
    with pytest.raises(ModelError) as raised:
        open_in_sandbox(tmp_path, SECONDS)
    assert str(raised.value).startswith("a··a··")
    assert len(str(raised.value)) == 2_000


@pytest.mark.parametrize("start", ["sys.exit(1)", "os.abort()", "print('hello')"])
def test_a_process_that_does_not_start_is_not_the_file_s_fault(program: Programs, start: str, tmp_path: Path) -> None:
    program("pass", before=start)
    with pytest.raises(ModelError, match="the process that opens files does not start"):
        open_in_sandbox(tmp_path, SECONDS)


def test_python_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(ModelError, match="the process that opens files does not start"):
        open_in_sandbox(tmp_path, SECONDS)


def test_another_thread_stops_it(program: Programs, tmp_path: Path) -> None:
    (tmp_path / "trace").touch()
    program("open(path, 'w').write('x'); time.sleep(600)")
    opener = Sandbox(SECONDS)
    refusals: list[str] = []

    def open_file() -> None:
        with pytest.raises(ModelError) as raised:
            opener.open(tmp_path / "trace")
        refusals.append(str(raised.value))

    thread = threading.Thread(target=open_file)
    thread.start()
    while not (tmp_path / "trace").read_text():
        pass
    opener.stop()
    thread.join()
    with pytest.raises(ModelError) as raised:
        opener.open(tmp_path / "trace")
    assert [*refusals, str(raised.value)] == ["The file was not opened: the server is shutting down."] * 2
    assert opener._process is None


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="this system does not tell another process's limits")
def test_the_child_can_write_no_file(opener: Sandbox, tmp_path: Path) -> None:
    taken(opener.open(small_file(tmp_path)))
    assert resource.prlimit(pid(opener), resource.RLIMIT_FSIZE) == (0, 0)
    assert resource.prlimit(pid(opener), resource.RLIMIT_CORE) == (0, 0)


def test_the_child_is_given_no_secrets(program: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "secret")
    program(ANSWER.format(reason="' '.join(os.environ)"))
    with pytest.raises(ModelError, match="PATH") as raised:
        open_in_sandbox(tmp_path, SECONDS)
    assert "SECRET_TOKEN" not in str(raised.value)


def test_a_person_s_folder_is_not_searched_for_modules(
    program: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    program(ANSWER.format(reason="json.__file__"))
    with pytest.raises(ModelError) as raised:
        open_in_sandbox(tmp_path, SECONDS)
    assert str(raised.value) != str(tmp_path / "json.py")
    assert Path(str(raised.value)) == Path(json.__file__)
