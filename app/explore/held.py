"""What inputs hold that are not drawn into: numbers as they are, or a picture that is prepared as the drawing is."""

import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from types import MappingProxyType

import numpy as np

from ..cnn.card import Card, Fit, check_held
from ..cnn.errors import UnknownInput
from ..cnn.kinds.inputs import InputLayer
from ..cnn.network import Network
from ..cnn.types import Array

# By input: one number for all of it, all of its numbers row by row, or a picture's bytes.
HeldValue = float | Sequence[float] | bytes
Held = Mapping[str, HeldValue]
NOTHING: Held = MappingProxyType({})
Prepare = Callable[[bytes, Card], Array]  # from a picture to the input of a network with this card


def check_names(network: Network, held: Held) -> None:
    """Check that each input can hold what it is to hold. Raises: UnknownInput."""
    card = network.card
    for name, value in held.items():
        if name == card.input and not card.takes_numbers:
            raise UnknownInput(f"The input “{name}” is drawn into, so it holds nothing else: send the drawing alone.")
        if name not in card.held_inputs:
            known = ", ".join(f"“{each}”" for each in card.held_inputs) or "none beside the drawing"
            raise UnknownInput(f"The model “{network.name}” holds nothing in “{name[:80]}”. Its other inputs: {known}.")
        if isinstance(value, bytes) and name not in card.drawable:
            raise UnknownInput(f"The input “{name}” is no image, so it holds no picture: send its numbers as “held”.")


def make_vector(network: Network, held: Held) -> Array:
    """Return the image of a network that starts from a vector: (1, numbers, 1). Raises: UnknownInput."""
    name, (_, count, _) = network.card.input or "", network.card.input_shape
    return _fill(name, (count or 0,), _value(network, name, held)).reshape(1, -1, 1)


def fill_inputs(network: Network, held: Held, image: Array, prepare: Prepare) -> dict[str, Array]:
    """Return the values of all inputs beside the image. Raises: UnknownInput, and what prepare raises."""
    return {layer.name: _fill_input(network, layer, held, image, prepare) for layer in network.held_inputs}


def _fill_input(network: Network, layer: InputLayer, held: Held, image: Array, prepare: Prepare) -> Array:
    sizes, value = layer.known_sizes(image.shape), _value(network, layer.name, held)
    if not isinstance(value, bytes):
        return _fill(layer.name, sizes, value)
    card = network.card.drawing_into(layer.name)
    fit = Fit.FIT if card.fit is Fit.ORIGINAL else card.fit
    return prepare(value, card.model_copy(update={"input_shape": sizes, "fit": fit}))


def _value(network: Network, name: str, held: Held) -> HeldValue:
    return held[name] if name in held else network.card.held.get(name, 0.0)


def _fill(name: str, sizes: tuple[int, ...], value: HeldValue) -> Array:
    try:
        check_held(name, sizes, value)
    except ValueError as error:
        raise UnknownInput(f"{str(error).capitalize()}.") from error
    if isinstance(value, int | float):
        return np.full(sizes, value, np.float32)
    return np.asarray(value, np.float32).reshape(sizes)


def digest(held: Held) -> bytes:
    """Return a short value that is another one wherever other values are held."""
    hashed = blake2b(digest_size=16)
    for name, value in sorted(held.items()):
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        hashed.update(json.dumps([name, isinstance(value, bytes), len(data)]).encode() + data)
    return hashed.digest() if held else b""
