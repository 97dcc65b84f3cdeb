"""Wrappers and attention: each Keras' own files open, and compute what they did."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import keras
import numpy as np
import pytest
import tf_keras

from app.cnn.network import Network
from app.cnn.types import PoolingMode
from app.model_files.errors import ModelError
from app.model_files.infer_card import infer_card
from app.model_files.loading import load_model
from app.model_files.serialization import deserialize, serialize
from tests.model_files.keras_2 import ENDINGS, Build, both, with_random_weights

pytestmark = pytest.mark.filterwarnings("ignore:.*HDF5 file:UserWarning", "ignore:.*structure of `inputs`:UserWarning")

Layers = Any  # keras.layers, of either Keras


def rows(of: ModuleType) -> tuple[Any, Any]:
    """Return an image, and twelve rows of features of it."""
    image = of.Input((8, 12, 2))
    maps = of.layers.Conv2D(2, 3, padding="same", activation="relu")(image)
    return image, of.layers.Reshape((12, 16))(of.layers.Permute((2, 1, 3))(maps))


def ending(of: ModuleType, image: Any, x: Any) -> Any:
    return of.Model(image, of.layers.Dense(3, activation="softmax")(of.layers.Flatten()(x)))


def build_bidirectional(kind: str, mode: str, sequences: bool) -> Build:
    def build(of: ModuleType) -> Any:
        image, x = rows(of)
        made = getattr(of.layers, kind)(5, return_sequences=sequences)
        return ending(of, image, of.layers.Bidirectional(made, merge_mode=mode)(x))

    return build


def build_two_kinds(of: ModuleType) -> Any:
    image, x = rows(of)
    back = of.layers.GRU(5, return_sequences=True, go_backwards=True)
    x = of.layers.Bidirectional(of.layers.LSTM(5, return_sequences=True), backward_layer=back)(x)
    return ending(of, image, x)


def build_line_reader(of: ModuleType) -> Any:
    """As models that read lines of text are put together."""
    image, x = rows(of)
    x = of.layers.TimeDistributed(of.layers.Dense(6, activation="relu"))(x)
    x = of.layers.Bidirectional(of.layers.LSTM(4, return_sequences=True))(x)
    x = of.layers.Bidirectional(of.layers.GRU(4, return_sequences=True, reset_after=False), merge_mode="sum")(x)
    return of.Model(image, of.layers.TimeDistributed(of.layers.Dense(5, activation="softmax"))(x))


def build_sequential(of: ModuleType) -> Any:
    made = [
        of.layers.Conv2D(4, 3),
        of.layers.Reshape((6, 40)),
        of.layers.Bidirectional(of.layers.SimpleRNN(4, return_sequences=True)),
        of.layers.TimeDistributed(of.layers.Dense(3)),
    ]
    return of.Sequential([of.Input((8, 12, 2)), *made])


def parts(of: ModuleType) -> tuple[Any, Any]:
    """Return an image, and three pictures of it."""
    image = of.Input((8, 12, 2))
    return image, of.layers.Reshape((3, 8, 4, 2))(image)


def build_distributed(of: ModuleType) -> Any:
    """Layers that are themselves where there is one more axis, and layers that are not."""
    image, x = parts(of)
    for layer in (
        of.layers.Conv2D(4, 3, padding="same", activation="relu"),
        of.layers.BatchNormalization(),
        of.layers.BatchNormalization(axis=3),
        of.layers.MaxPooling2D(2),
        of.layers.Dropout(0.5),
        of.layers.SpatialDropout2D(0.5),
        of.layers.SeparableConv2D(4, 2),
        of.layers.PReLU(),
        of.layers.Softmax(axis=1),
        of.layers.Flatten(),
        of.layers.LayerNormalization(),
        of.layers.Dense(6),
        of.layers.Reshape((2, 3)),
        of.layers.Bidirectional(of.layers.LSTM(4)),
    ):
        x = of.layers.TimeDistributed(layer)(x)
    return ending(of, image, x)


def build_distributed_model(of: ModuleType) -> Any:
    picture = of.Input((8, 4, 2))
    maps = of.layers.Conv2D(4, 3, padding="same")(picture)
    both_maps = of.layers.Concatenate()([maps, of.layers.BatchNormalization()(maps)])
    read = of.Model(picture, of.layers.GlobalAveragePooling2D()(both_maps), name="read")
    image, x = parts(of)
    return ending(of, image, of.layers.GRU(4)(of.layers.TimeDistributed(read)(x)))


def build_film(of: ModuleType) -> Any:
    frames = of.Input((4, 6, 5, 1))
    x = of.layers.TimeDistributed(of.layers.Conv2D(3, 3))(frames)
    return ending(of, frames, of.layers.TimeDistributed(of.layers.Flatten())(x))


def build_nested(of: ModuleType) -> Any:
    """The weights of a nested model are told apart by their names, or by their order."""
    image, x = rows(of)
    source = of.Input((12, 16))
    y = of.layers.Bidirectional(of.layers.LSTM(4, return_sequences=True))(source)
    y = of.layers.TimeDistributed(of.layers.Dense(8, name="dense"))(y)
    y = of.layers.BatchNormalization()(y)
    y = of.layers.MultiHeadAttention(2, 3)(y, y)
    return ending(of, image, of.Model(source, of.layers.Dense(8, name="dense")(y), name="head")(x))


def build_spectral(of: ModuleType) -> Any:
    source, wrap = of.Input((8, 12, 2)), of.layers.SpectralNormalization
    y = wrap(of.layers.Conv2D(4, 3, activation="relu"))(source)
    base = of.Model(source, wrap(of.layers.Conv2D(4, 3))(of.layers.BatchNormalization()(y)), name="base")
    image = of.Input((8, 12, 2))
    x = wrap(of.layers.Conv2DTranspose(3, 3, strides=2))(base(image))
    return ending(of, image, wrap(of.layers.Dense(6), power_iterations=2)(x))


def build_heads(of: ModuleType) -> Any:
    image, x = rows(of)
    y = of.layers.MultiHeadAttention(2, 3)(x, x)
    x = of.layers.LayerNormalization()(of.layers.Add()([x, y]))
    y = of.layers.MultiHeadAttention(4, 2, value_dim=5, use_bias=False, dropout=0.1)(query=x, value=x, key=x)
    return ending(of, image, of.layers.MultiHeadAttention(3, 2, output_shape=9)(y, of.layers.Dense(7)(y), y))


def build_heads_over_a_picture(of: ModuleType) -> Any:
    image = of.Input((4, 6, 8))
    y = of.layers.MultiHeadAttention(2, 3, attention_axes=(1, 2))(image, image)
    return ending(of, image, of.layers.MultiHeadAttention(2, 3)(y, image))


def build_attention(of: ModuleType) -> Any:
    image, x = rows(of)
    query, key = of.layers.Dense(6)(x), of.layers.Dense(6)(x)
    made = [
        of.layers.Attention()([query, key]),
        of.layers.Attention(use_scale=True)([query, x, key]),
        of.layers.Attention(score_mode="concat")([query, key]),
        of.layers.Attention(score_mode="concat", use_scale=True, dropout=0.1)([query, x, key]),
        of.layers.AdditiveAttention()([query, key]),
        of.layers.AdditiveAttention(use_scale=False)([query, x, key]),
    ]
    return ending(of, image, of.layers.Concatenate()(made))


def build_groups(of: ModuleType) -> Any:
    image, x = rows(of)
    y = of.layers.GroupQueryAttention(3, 4, 2)(x, x)
    y = of.layers.GroupQueryAttention(3, 4, 1, use_bias=False)(query=y, value=x, key=x)
    y = of.layers.GroupQueryAttention(2, 6, 3, use_gate=True)(y, y)
    return ending(of, image, of.layers.MultiHeadAttention(2, 3, use_gate=True)(y, y))


def assert_opens(model: Any, path: Path) -> Network:
    """Every layer of the file has the output that it has in its own Keras."""
    of = keras if isinstance(model, keras.Model) else tf_keras
    named = [layer for layer in model.layers if type(layer).__name__ not in {"InputLayer", "Functional", "Sequential"}]
    shape = model.inputs[0].shape[1:]
    image = np.random.default_rng(1).random([size or 9 for size in shape], np.float32)
    expected = of.Model(model.inputs, [layer.output for layer in named])(image[np.newaxis])
    model.save(path)
    opened = load_model(path)
    again = deserialize(b"".join(map(bytes, serialize(opened))))
    assert again.definition.layers == opened.definition.layers
    network = Network("m", again.definition, infer_card(opened, "m"))
    made = network.run(image.reshape(-1, *image.shape[-2:])).activations
    for layer, output in zip(named, expected, strict=True):
        np.testing.assert_allclose(made[layer.name], np.asarray(output)[0], rtol=1e-4, atol=1e-5)
    return network


BUILDS: list[Callable[[ModuleType], Any]] = [
    build_two_kinds,
    build_line_reader,
    build_sequential,
    build_distributed,
    build_distributed_model,
    build_film,
    build_nested,
    build_heads,
    build_heads_over_a_picture,
    build_attention,
]


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("suffix", ENDINGS)
@both
def test_it_computes_what_was_saved(build: Build, suffix: str, written_by: ModuleType, tmp_path: Path) -> None:
    assert_opens(with_random_weights(build(written_by)), tmp_path / f"m{suffix}")


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "SimpleRNN"])
@pytest.mark.parametrize(("mode", "sequences"), [("concat", True), ("sum", False), ("mul", True), ("ave", False)])
@pytest.mark.parametrize("suffix", ENDINGS)
@both
def test_both_directions(
    kind: str, mode: str, sequences: bool, suffix: str, written_by: ModuleType, tmp_path: Path
) -> None:
    model = build_bidirectional(kind, mode, sequences)(written_by)
    network = assert_opens(with_random_weights(model), tmp_path / f"m{suffix}")
    assert sum(layer.kind == kind for layer in network.layers) == 2
    assert sum(layer.parameters for layer in network.layers) == model.count_params()


@pytest.mark.parametrize("suffix", ENDINGS)
def test_groups_of_heads(suffix: str, tmp_path: Path) -> None:
    assert_opens(with_random_weights(build_groups(keras)), tmp_path / f"m{suffix}")


@pytest.mark.parametrize("suffix", ENDINGS)
def test_kernels_are_as_spectral_normalization_left_them(suffix: str, tmp_path: Path) -> None:
    network = assert_opens(with_random_weights(build_spectral(keras)), tmp_path / f"m{suffix}")
    assert {"Conv2D", "Conv2DTranspose", "Dense"} <= {layer.kind for layer in network.layers}


def test_spectral_normalization_of_tensorflow_addons(tmp_path: Path) -> None:
    """Its weights have the wrapper's name alone, as those of Keras 2 do."""
    model = with_random_weights(build_spectral(keras))
    model.save(path := tmp_path / "m.h5")
    with h5py.File(path, "r+") as file:
        config = file.attrs["model_config"]
        file.attrs["model_config"] = config.replace('"SpectralN', '"Addons>SpectralN')
        for group in file["model_weights"].values():
            names = list(group.attrs.get("weight_names", []))
            for number, name in enumerate(names):
                *scope, wrapped, variable = name.split("/")
                if variable == "vector_u":
                    names[number] = "/".join([*scope, wrapped, "sn_u:0"])
                elif scope and "spectral" in scope[-1]:
                    names[number] = "/".join([*scope, f"{variable}:0"])
                if names[number] != name:
                    group.move(name, names[number])
            group.attrs["weight_names"] = names
    image = np.random.default_rng(1).random((8, 12, 2), np.float32)
    opened = load_model(path)
    made = Network("m", opened.definition, infer_card(opened, "m")).run(image).output
    np.testing.assert_allclose(made, np.asarray(model(image[np.newaxis]))[0], rtol=1e-4, atol=1e-5)


def test_what_each_row_attends_to_is_shown(tmp_path: Path) -> None:
    source, x = rows(keras)
    layer = keras.layers.MultiHeadAttention(2, 3, name="attention")
    output, scores = layer(x, x, return_attention_scores=True)
    model = with_random_weights(keras.Model(source, output))
    image = np.random.default_rng(1).random((8, 12, 2), np.float32)
    expected = np.asarray(keras.Model(source, scores)(image[np.newaxis]))[0].transpose(1, 2, 0)
    model.save(path := tmp_path / "m.keras")
    opened = load_model(path)
    made = Network("m", opened.definition, infer_card(opened, "m")).run(image).activations["attention_scores"]
    assert made.shape == (12, 12, 2)
    np.testing.assert_allclose(made, expected, atol=1e-5)
    np.testing.assert_allclose(made.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("mode", PoolingMode)
def test_pooling_of_each_part_is_swapped(mode: PoolingMode, tmp_path: Path) -> None:
    source, x = parts(keras)
    pooled = keras.layers.TimeDistributed(keras.layers.MaxPooling2D(2), name="pooled")(x)
    model = with_random_weights(ending(keras, source, pooled))
    model.save(path := tmp_path / "m.keras")
    opened = load_model(path)
    network = Network("m", opened.definition, infer_card(opened, "m"))
    image = np.random.default_rng(1).random((8, 12, 2), np.float32)
    windows = image.reshape(3, 4, 2, 2, 2, 2)
    pooled_by = {"max": windows.max((2, 4)), "average": windows.mean((2, 4)), "min": windows.min((2, 4))}
    np.testing.assert_allclose(network.run(image, mode).activations["pooled"], pooled_by[mode], rtol=1e-6)


def test_attention_along_some_axes_is_refused(tmp_path: Path) -> None:
    source = keras.Input((4, 6, 8))
    made = keras.layers.MultiHeadAttention(2, 3, attention_axes=(2,))(source, source)
    keras.Model(source, made).save(path := tmp_path / "m.keras")
    with pytest.raises(ModelError, match="attends along some axes of its input only"):
        load_model(path)
