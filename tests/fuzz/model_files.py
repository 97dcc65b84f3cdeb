"""Malformed model files, through the child process that opens them: a model comes out, or a sentence does.

Changed are the file's own bytes; the bytes of what is in its archive; values in its description. What the child process
hands over is changed, too, as if a file had taken it over.
"""

import io
import json
import random
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np

from app.cnn.network import Network
from app.model_files.errors import ModelError
from app.model_files.serialization import deserialize
from app.workers.sandbox import Sandbox, SerializedModel
from tests.fuzz.mutations import change_value, mutate
from tests.small_models import build_branches, build_digits, build_picture

FILE_SECONDS = 20.0  # for one file
PARCELS = 20  # changed ones of each model that opens


def seeds() -> list[tuple[str, bytes]]:
    """Return small valid files, with their suffixes."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for ending in (".keras", ".h5"):
            for model in (build_digits(), build_branches(), build_picture()):
                path = Path(folder) / f"seed{ending}"
                model.save(path)
                found.append((ending, path.read_bytes()))
    return found


def change(data: bytes, others: list[bytes], chance: random.Random) -> bytes:
    """Mutate a file."""
    if not zipfile.is_zipfile(io.BytesIO(data)) or chance.random() < 0.2:
        return mutate(data, others, chance)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    name = chance.choice(list(contents))
    if name.endswith(".json") and chance.random() < 0.8:
        contents[name] = json.dumps(change_value(json.loads(contents[name]), chance)).encode()
    else:
        contents[name] = mutate(contents[name], list(contents.values()), chance)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for each, content in contents.items():
            archive.writestr(each, content)
    return file.getvalue()


def fuzz(seconds: float, seed: int = 0) -> list[str]:
    """Try malformed files for this many seconds. Returns: at most ten faults."""
    chance, known, faults, told = random.Random(seed), seeds(), list[str](), Counter[str]()
    others, slowest, end = [data for _, data in known], 0.0, time.monotonic() + seconds
    with Sandbox(FILE_SECONDS, 512) as opener, tempfile.TemporaryDirectory() as folder:
        while time.monotonic() < end:
            ending, data = chance.choice(known)
            path = Path(folder) / f"fuzzed{ending}"
            path.write_bytes(changed := change(data, others, chance))
            began = time.monotonic()
            try:
                parcel = opener.open(path)
                told["opened"] += 1
                check(parcel)
                told["parcels refused"] += check_changed(parcel, chance)
            except ModelError as error:
                told["refused"] += 1
                told[_kind(str(error))] += 1
            except Exception as error:
                kept = Path(tempfile.gettempdir()) / f"layerglass-fuzz-{len(faults)}{ending}"
                kept.write_bytes(changed)
                faults.append(f"{type(error).__name__}: {str(error)[:300]}: kept as {kept}")
            slowest = max(slowest, time.monotonic() - began)
    counts = ", ".join(f"{count:,} {what}" for what, count in told.most_common() if what)
    print(f"model files: {counts}, slowest {slowest:.1f} s", flush=True)
    return faults[:10]


def _kind(sentence: str) -> str:
    """Return the reason why a file ended the child process, or an empty string."""
    return next((f"({word})" for word in ("stopped the process", "longer than", "of memory") if word in sentence), "")


def check(parcel: SerializedModel) -> None:
    """Run what opened. Raises: ModelError; anything else is a bug."""
    network = Network("fuzzed", deserialize(parcel.file.read()).definition, parcel.scan.card)
    network.run(np.zeros([size or 32 for size in network.card.input_shape], np.float32))


def check_changed(parcel: SerializedModel, chance: random.Random) -> int:
    """Count the mutated parcels that are refused. Whatever else it raises is a bug."""
    refused = 0
    parcel.file.seek(0)
    data = parcel.file.read()
    for _ in range(PARCELS):
        try:
            deserialize(change(data, [data], chance))
        except ModelError:
            refused += 1
    return refused
