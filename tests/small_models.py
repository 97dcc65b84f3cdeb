"""Small models with random weights that are always the same ones, and their cards."""

import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

from app.cnn.card import Card, write_card
from app.cnn.tensorflow import layer_class
from app.model_files.infer_card import infer_card
from app.model_files.loading import load_model
from tests.keras_layers import define as parts

MinPooling2D = layer_class("MinPooling2D")

__all__ = ["parts"]

DIGITS = list("0123456789")
HTML = "<script>alert('&')</script>"  # what must stay text on every page
HTML_LAYER = "conv->1"  # TensorFlow allows no other character that HTML gives a meaning


def with_random_weights(model: keras.Model, seed: int = 0) -> keras.Model:
    """The model with weights large enough for its outputs to differ from each other."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        fan_in = np.prod(weight.shape[:-1]) if len(weight.shape) > 1 else 4
        value = rng.normal(0, 1.5 / np.sqrt(fan_in), weight.shape)
        weight.assign(np.abs(value) + 0.1 if "variance" in weight.name else value)
    return model


def build_digits(pooling: type[layers.Layer] = layers.MaxPooling2D, seed: int = 0) -> keras.Model:
    """Two pooling layers of one mode; the second convolution's output has both signs."""
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(4, 3, activation="relu", name="conv1"),
            pooling(2, name="pool1"),
            layers.Conv2D(20, (3, 5), padding="same", name="conv2"),
            pooling(3, strides=2, padding="same", name="pool2"),
            layers.Flatten(name="flatten"),
            layers.Dropout(0.5, name="dropout"),
            layers.Dense(10, activation="softmax", name="answer"),
        ]
    )
    return with_random_weights(model, seed)


def build_branches() -> keras.Model:
    """A functional graph whose pooling layers differ in their modes."""
    image = keras.Input((20, 24, 1), name="image")
    trunk = layers.Conv2D(3, 3, activation="relu", name="trunk")(image)
    left = layers.MaxPooling2D(2, name="left_max")(trunk)
    right = layers.AveragePooling2D(2, name="right_average")(trunk)
    both = layers.Concatenate(name="both")([left, right])
    mixed = layers.Conv2D(6, 1, name="mixed")(both)
    added = layers.Add(name="added")([both, mixed])
    least = MinPooling2D((3, 2), strides=(2, 1), name="least")(added)
    pooled = layers.GlobalAveragePooling2D(name="global_average")(least)
    answer = layers.Dense(10, activation="softmax", name="answer")(pooled)
    return with_random_weights(keras.Model(image, answer), seed=1)


def build_without_pooling() -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(3, 5, strides=3, activation="tanh", name=HTML_LAYER),
            layers.Flatten(name="flatten"),
            layers.Dense(10, activation="softmax", name="answer"),
        ]
    )
    return with_random_weights(model, seed=2)


def build_logistic() -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(name="flatten"),
            layers.Dense(3, activation="relu", name="hidden"),
            layers.Dense(1, activation="sigmoid", name="answer"),
        ]
    )
    return with_random_weights(model, seed=3)


def build_picture() -> keras.Model:
    """It takes a picture of any size and answers with one."""
    model = keras.Sequential(
        [
            keras.Input((None, None, 1)),
            layers.Conv2D(2, 3, padding="same", activation="relu", name="conv1"),
            layers.Conv2D(1, 3, padding="same", activation="sigmoid", name="answer"),
        ]
    )
    return with_random_weights(model, seed=4)


def build_siamese(shape: tuple[int | None, int | None, int] = (28, 28, 1)) -> keras.Model:
    """Two images, read by one encoder; how far apart they are becomes a probability."""
    layers_of_encoder = [
        layers.Conv2D(3, 3, activation="relu", name="conv"),
        layers.MaxPooling2D(2, name="pool"),
        layers.GlobalAveragePooling2D(name="average"),
        layers.Dense(4, name="code"),
    ]
    encoder = keras.Sequential([keras.Input(shape), *layers_of_encoder], name="encoder")
    left, right = keras.Input(shape, name="left"), keras.Input(shape, name="right")
    apart = layers.Subtract(name="apart")([encoder(left), encoder(right)])
    squared = layers.Multiply(name="squared")([apart, apart])
    answer = layers.Dense(1, activation="sigmoid", name="answer")(squared)
    model = with_random_weights(keras.Model([left, right], answer), seed=7)
    last = model.get_layer("answer").kernel
    last.assign(last * 50)  # so that two drawings are far apart
    return model


def build_with_facts() -> keras.Model:
    """A vector of four facts, and an image."""
    facts, image = keras.Input((4,), name="facts"), keras.Input((28, 28, 1), name="image")
    maps = layers.MaxPooling2D(4, name="pool")(layers.Conv2D(3, 3, activation="relu", name="conv")(image))
    seen = layers.Flatten(name="flatten")(maps)
    known = layers.Dense(5, activation="relu", name="known")(facts)
    both = layers.Concatenate(name="both")([seen, known])
    answer = layers.Dense(10, activation="softmax", name="answer")(both)
    return with_random_weights(keras.Model([facts, image], answer), seed=8)


def build_decoder(numbers: int = 2) -> keras.Model:
    """It makes a picture of a few numbers, as the second half of a variational autoencoder does."""
    model = keras.Sequential(
        [
            keras.Input((numbers,), name="z"),
            layers.Dense(98, activation="relu", name="dense"),
            layers.Reshape((7, 7, 2), name="maps"),
            layers.Conv2DTranspose(3, 3, strides=2, padding="same", activation="relu", name="larger"),
            layers.Conv2DTranspose(1, 3, strides=2, padding="same", activation="sigmoid", name="picture"),
        ]
    )
    return with_random_weights(model, seed=9)


def build_conditional() -> keras.Model:
    """A generator that makes a picture of noise and of a class, one-hot."""
    noise, label = keras.Input((100,), name="noise"), keras.Input((10,), name="label")
    both = layers.Concatenate(name="both")([noise, label])
    maps = layers.Reshape((7, 7, 2), name="maps")(layers.Dense(98, activation="relu", name="dense")(both))
    picture = layers.Conv2DTranspose(1, 4, strides=4, padding="same", activation="tanh", name="picture")(maps)
    return with_random_weights(keras.Model([noise, label], picture), seed=10)


def save_models_of_several_inputs(folder: Path) -> None:
    """Models of several inputs and of vectors, each with the card that is guessed."""
    models = {"siamese": build_siamese(), "facts": build_with_facts(), "decoder": build_decoder()}
    for name, model in (models | {"conditional": build_conditional()}).items():
        save(model, guess(model, name), folder / f"{name}.keras")


def build_small(shape: tuple[int | None, int | None, int], units: int, activation: str | None = None) -> keras.Model:
    """A convolution, a pooling and a last layer of so many units, for an image of any shape."""
    model = keras.Sequential(
        [
            keras.Input(shape),
            layers.Conv2D(4, 3, activation="relu", name="conv1"),
            layers.MaxPooling2D(2, name="pool1"),
            layers.GlobalMaxPooling2D(name="strongest"),
            layers.Dense(units, activation=activation, name="answer"),
        ]
    )
    return with_random_weights(model, seed=6)


def build_not_a_number() -> keras.Model:
    """What it answers, and most of what it makes, is not a number."""
    model = build_small((28, 28, 1), 10, "softmax")
    model.layers[0].bias.assign([np.nan, np.inf, -np.inf, 0])
    return model


def save_odd_models(folder: Path) -> None:
    """Models of other inputs and answers than a digit's, with guessed cards, but for what nobody could guess."""
    models: dict[str, tuple[keras.Model, dict[str, Any]]] = {
        "alpha": (build_small((24, 24, 4), 3), {}),
        "grey-alpha": (build_small((24, 24, 2), 3), {}),
        "photographs": (
            build_small((48, 64, 3), 1000, "softmax"),
            {"value_range": (0, 255), "mean": [104, 117, 124], "std": [58, 57, 57], "channel_order": "bgr"},
        ),
        "plates": (build_small((40, 100, 1), 6, "sigmoid"), {"fit": "fill", "ink": "bright"}),
        "any-size": (build_small((None, None, 3), 5), {}),
        "age": (build_small((32, 32, 3), 1), {"classes": ["age"]}),
        "spam": (build_small((16, 16, 3), 1), {"answer": "logits", "classes": ["ham", "spam"]}),
        "miscounted": (build_small((28, 28, 1), 4, "softmax"), {"classes": ["a", "b", "c"]}),
        "not-a-number": (build_not_a_number(), {}),
    }
    for name, (model, facts) in models.items():
        guessed = guess(model, name).model_dump()
        save(model, Card.model_validate(guessed | facts), folder / f"{name}.keras")


def guess(model: keras.Model, name: str = "m") -> Card:
    """The card that the model's file would be given."""
    with tempfile.TemporaryDirectory() as folder:
        model.save(path := Path(folder) / "model.keras")
        return infer_card(load_model(path), name)


def card(model: keras.Model, **facts: Any) -> Card:
    """A card with these facts, and for the rest whatever fits."""
    given = {
        "title": "A small model",
        "description": "Random weights.",
        "trained_on": "Nothing.",
        "training": "None.",
        "classes": DIGITS,
        "input_shape": model.input_shape[1:],
        "value_range": (0, 1),
        "pooling": None,
        "parameters": model.count_params(),
        "test_accuracy": 0.5,
    }
    return Card.model_validate(given | facts)


def save_small_models(folder: Path) -> None:
    """A model of each kind, with its card beside it."""
    family = {
        "siblings": {"max": "digits", "min": "digits-min"},
        "test_accuracy_by_pooling": {"max": 0.9, "average": 0.8, "min": 0.7},
    }
    digits, digits_min = build_digits(), build_digits(MinPooling2D, seed=5)
    branches, logistic, picture = build_branches(), build_logistic(), build_picture()
    without_pooling = build_without_pooling()
    save(digits, card(digits, pooling="max", pen_accuracy=0.85, **family), folder / "digits.keras")
    save(digits_min, card(digits_min, pooling="min", **family), folder / "digits-min.keras")
    save(branches, card(branches, value_range=(-1, 1)), folder / "branches.keras")
    html = {"title": HTML, "description": HTML, "classes": [f"{HTML} {digit}" for digit in DIGITS]}
    save(without_pooling, card(without_pooling, **html), folder / "a-plain.keras")
    save(logistic, card(logistic, classes=["not a seven", "a seven"]), folder / "logistic.keras")
    of_picture: dict[str, Any] = {"classes": [], "fit": "original", "value_range": (1, 0), "test_accuracy": None}
    save(picture, card(picture, **of_picture), folder / "picture.keras")


def save(model: keras.Model, card: Card, path: Path) -> None:
    model.save(path)
    write_card(card, path.with_suffix(".json"))
