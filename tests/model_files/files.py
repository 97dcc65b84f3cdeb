"""Model files made by hand: as old versions of Keras wrote them, and as someone who means harm would."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

Config = dict[str, Any]
Arrays = dict[str, list[np.ndarray]]


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.3, shape).astype(np.float32)


def image(model: keras.Model, seed: int = 0) -> np.ndarray:
    """Two images for a model."""
    shape = [size or 20 for size in model.input_shape[1:]]
    return np.random.default_rng(seed).random((2, *shape), dtype=np.float32)


def save_h5(
    path: Path, config: Config, arrays: Arrays, version: str | None = "2.4.0", backend: str = "tensorflow"
) -> Path:
    """An .h5 file of a whole model, as Keras 1 and 2 wrote it. arrays: by layer, in order."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(config).encode()
        file.attrs["backend"] = backend.encode()
        if version is not None:
            file.attrs["keras_version"] = version.encode()
        file.attrs["training_config"] = json.dumps({"loss": {"class_name": "Evil", "config": {}}}).encode()
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = np.array([name.encode() for name in arrays])
        for name, values in arrays.items():
            group = weights.create_group(name)
            names = [f"{name}/weight_{index}:0" for index in range(len(values))]
            group.attrs["weight_names"] = np.array([each.encode() for each in names])
            for each, value in zip(names, values, strict=True):
                group[each] = value
    return path


def sequential(*layers: tuple[str, Config]) -> Config:
    """A Sequential config of Keras 2, without modules."""
    return {"class_name": "Sequential", "config": {"name": "s", "layers": [layer(*each) for each in layers]}}


def layer(class_name: str, config: Config) -> Config:
    return {"class_name": class_name, "config": config}


def node(class_name: str, config: Config, *inputs: str) -> Config:
    """A layer of a graph, in the layout of Keras 2."""
    calls = [[[name, 0, 0, {}] for name in inputs]] if inputs else []
    return layer(class_name, config) | {"name": config["name"], "inbound_nodes": calls}


def graph(source: str, output: str, *nodes: Config) -> Config:
    ends = {"input_layers": [[source, 0, 0]], "output_layers": [[output, 0, 0]]}
    return {"class_name": "Model", "config": {"name": "g", "layers": list(nodes), **ends}}


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def save_zip(path: Path, contents: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, data in contents.items():
            file.writestr(name, data)
    return path


def change_config(path: Path, change: Callable[[Config], None]) -> Path:
    """The same .keras file with its config changed in place."""
    contents = members(path)
    config = json.loads(contents["config.json"])
    change(config)
    return save_zip(path, contents | {"config.json": json.dumps(config).encode()})


def change_weights(path: Path, change: Callable[[h5py.File], None]) -> Path:
    """The same .keras file with its weights changed in place."""
    contents = members(path)
    buffer = io.BytesIO(contents["model.weights.h5"])
    with h5py.File(buffer, "r+") as file:
        change(file)
    return save_zip(path, contents | {"model.weights.h5": buffer.getvalue()})


def small_model() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(2, 3, name="conv"),
            keras.layers.Flatten(name="flatten"),
            keras.layers.Dense(3, activation="softmax", name="answer"),
        ]
    )


def small_file(folder: Path) -> Path:
    path = folder / "small.keras"
    small_model().save(path)
    return path
