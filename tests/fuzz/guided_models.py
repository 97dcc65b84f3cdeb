"""`python -m tests.fuzz.guided_models [libFuzzer's options]`: the description in a model's file, by atheris.

What is tried is the config.json of a .keras file, or the whole archive. Never is it HDF5: bent, that stops the process,
for which it is opened in one of its own. Keras is not there, as in the process that opens files.
"""

import json
import random
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import atheris

from tests.fuzz.mutations import change_value
from tests.process import ROOT

sys.modules.update(dict.fromkeys(("keras", "tensorflow")))  # type: ignore[arg-type]  # None: not to be imported

with atheris.instrument_imports(include=["app.model_files", "app.cnn", "zipfile"]):
    from app.cnn.network import Network
    from app.model_files.errors import ModelError
    from app.model_files.infer_card import infer_card
    from app.model_files.loading import load_model
    from app.model_files.serialization import deserialize, serialize

MODELS = ("five-layer-convolutional", "five-layer-dense", "figure-6-3", "section-6-3", "untrained")
ARCHIVE = b"PK\3\4"


def _layer(kind: str, name: str, settings: Mapping[str, object], *nodes: object) -> dict[str, object]:
    return {"class_name": kind, "name": name, "config": {"name": name, **settings}, "inbound_nodes": list(nodes)}


# As Keras 2 wrote it: a model within a model, an operation, and layers with two inputs, none with weights.
INNER = {"layers": [_layer("InputLayer", "j", {"batch_input_shape": [None, 8, 8, 2]}), _layer("ReLU", "r", {})]}
OLD = {
    "layers": [
        _layer("InputLayer", "i", {"batch_input_shape": [None, 8, 8, 2]}),
        _layer("TFOpLambda", "o", {"function": "math.multiply"}, ["i", 0, 0, {"y": 2.0}]),
        _layer("Sequential", "n", INNER, [["o", 0, 0, {}]]),
        _layer("Add", "a", {}, [["i", 0, 0, {}], ["n", 1, 0, {}]]),
        _layer("Concatenate", "c", {"axis": -1}, [["a", 0, 0, {}], ["o", 0, 0, {}]]),
        _layer("AveragePooling2D", "p", {"pool_size": [2, 2], "padding": "same"}, [["c", 0, 0, {}]]),
        _layer("GlobalAveragePooling2D", "g", {}, [["p", 0, 0, {}]]),
        _layer("Activation", "s", {"activation": "softmax"}, [["g", 0, 0, {}]]),
    ],
    "input_layers": [["i", 0, 0]],
    "output_layers": [["s", 0, 0]],
}


class Files:
    """Makes model files of bytes, each with the weights of the smallest model."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "fuzzed.keras"
        self.smallest = ROOT / "models" / f"{MODELS[0]}.keras"
        self.members = self._members(self.smallest)

    def seeds(self) -> list[bytes]:
        """The configs of models that came with Layerglass, an old one, and a whole archive."""
        archives = [self._members(ROOT / "models" / f"{name}.keras") for name in MODELS]
        old = json.dumps({"class_name": "Functional", "config": OLD}).encode()
        return [*(each["config.json"] for each in archives), old, self.smallest.read_bytes()]

    def write(self, data: bytes) -> Path:
        """An archive as it is; anything else as the config of one."""
        if data.startswith(ARCHIVE):
            self.path.write_bytes(data)
        else:
            with zipfile.ZipFile(self.path, "w") as archive:
                for name, content in (self.members | {"config.json": data}).items():
                    archive.writestr(name, content)
        return self.path

    @staticmethod
    def _members(path: Path) -> dict[str, bytes]:
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}


def check(path: Path) -> None:
    """A model comes out, or a sentence does, or a word that Keras is needed. Raises: anything else, which is a bug."""
    try:
        opened = load_model(path)
        card = infer_card(opened, "fuzzed")
        there = deserialize(b"".join(serialize(opened)))
        assert Network("fuzzed", there.definition, card).layers == opened.definition.layers
    except ModelError as error:
        assert str(error).isprintable(), "a refusal must be a sentence on one line"
    except ImportError:
        pass


def mutated(data: bytes, max_size: int, seed: int) -> bytes:
    """Values of the description changed where it is JSON, and bytes otherwise."""
    chance = random.Random(seed)
    if chance.random() < 0.7:
        with suppress(ValueError, RecursionError):
            tree = json.loads(data)
            for _ in range(chance.randint(1, 3)):
                tree = change_value(tree, chance)
            return json.dumps(tree).encode()[:max_size]
    changed: bytes = atheris.Mutate(data, max_size)
    return changed


def main() -> None:
    """Fuzz until libFuzzer's options say to stop, or bytes are found that break something."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as corpus:
        files = Files(Path(folder))
        for number, seed in enumerate(files.seeds()):
            (Path(corpus) / f"seed-{number}").write_bytes(seed)
        atheris.Setup([*sys.argv, corpus], lambda data: check(files.write(data)), custom_mutator=mutated)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
