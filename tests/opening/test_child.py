"""The first opening in a process of its own: what goes wrong there is a sentence here."""

import os
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from app.opening import child
from app.opening.child import check_in_child, open_in_child
from app.opening.parcel import pack, unpack
from app.opening.plan import Plan
from app.opening.reader import Opened, open_model, read_model
from app.opening.unusable import UnusableModel
from tests.opening.files import image, numbers, save_h5, sequential, small_file
from tests.opening.test_hostile_configs import INPUT

SECONDS = 120.0


def test_a_good_file_passes(tmp_path: Path) -> None:
    check_in_child(small_file(tmp_path), SECONDS, 512)


def test_a_model_comes_back_as_the_child_opened_it(tmp_path: Path) -> None:
    path = save_h5(
        tmp_path / "m.h5",
        sequential(INPUT, ("Conv2D", {"name": "my conv", "filters": 2, "kernel_size": 3}), ("ReLU", {"name": "r"})),
        {"my conv": [numbers(3, 3, 1, 2), numbers(2)]},
    )
    here, there = open_model(path), open_in_child(path, SECONDS, 512)
    images = image(here.model)
    np.testing.assert_array_equal(there.model(images), here.model(images))
    assert (there.mends, there.keras_version) == (here.mends, here.keras_version)
    assert len(there.mends) == 1


def test_a_parcel_is_checked_again(tmp_path: Path) -> None:
    opened, plan = read_model(small_file(tmp_path))
    unpack(pack(opened, plan))
    for step in (
        replace(plan.steps[0], kind="Lambda"),
        replace(plan.steps[0], name="<script>"),
        replace(plan.steps[0], inputs=("nowhere",)),
        replace(plan.steps[0], settings={"filters": 2_000_000_000}),
    ):
        with pytest.raises(UnusableModel):
            unpack(_packed(opened, replace(plan, steps=(step, *plan.steps[1:]))))
    for data in (b"", b"PK", pack(opened, plan)[:-100]):
        with pytest.raises(UnusableModel, match="gave no model back"):
            unpack(data)


def _packed(opened: Opened, plan: Plan) -> bytes:
    """A parcel of a plan that does not belong to its model, as a child that was taken over would send it."""
    model = SimpleNamespace(get_layer=lambda name: SimpleNamespace(trainable_weights=[], non_trainable_weights=[]))
    return pack(replace(opened, model=model), plan)


def test_a_refusal_comes_back_word_for_word(tmp_path: Path) -> None:
    path = save_h5(tmp_path / "m.h5", sequential(INPUT, ("Lambda", {"name": "{evil}"})), {})
    with pytest.raises(UnusableModel, match=r"a Lambda layer, which is Python code .* “\{evil\}”"):
        check_in_child(path, SECONDS, 512)


def test_too_little_time(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(UnusableModel, match=r"took longer than 0\.2 seconds"):
        check_in_child(small_file(tmp_path), 0.2, 512)
    assert time.monotonic() - started < 20


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system does not say how much memory is in use")
def test_too_little_memory(tmp_path: Path) -> None:
    made = [("UpSampling2D", {"name": "u", "size": [256, 256]}), ("UpSampling2D", {"name": "v", "size": [2, 2]})]
    path = save_h5(tmp_path / "m.h5", sequential(INPUT, *made), {})
    with pytest.raises(UnusableModel, match="took more than 40 MB of memory"):
        check_in_child(path, SECONDS, 40)


@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("import os; os.abort()", "memory"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "stopped the process"),
        ("import sys; sys.exit(3)", "stopped the process"),
        ("pass", "stopped the process"),
        ("print('layerglass:')", "stopped the process"),
    ],
)
def test_a_child_that_ends_badly(program: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_PROGRAM", program)
    with pytest.raises(UnusableModel, match=says):
        check_in_child(tmp_path, SECONDS, 512)


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot limit what a process writes")
def test_the_child_can_write_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trace = tmp_path / "trace"
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from app.opening.child import _limit; _limit(512, 60.0)\n"
        f"try: open({str(trace)!r}, 'wb', buffering=0).write(b'x' * 100)\n"
        "except OSError: print('layerglass:\"refused\"')"
    )
    monkeypatch.setattr(child, "_PROGRAM", program)
    with pytest.raises(UnusableModel, match="refused"):
        check_in_child(tmp_path, SECONDS, 512)
    assert trace.read_bytes() == b""


def test_the_child_is_given_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "secret")
    monkeypatch.setattr(
        child, "_PROGRAM", "import os, json; print('layerglass:' + json.dumps(' '.join(os.environ) + '.'))"
    )
    with pytest.raises(UnusableModel) as raised:
        check_in_child(tmp_path, SECONDS, 512)
    assert "SECRET_TOKEN" not in str(raised.value)
