"""The computation that no server could avoid: decode, normalise, run the network, encode its layers."""

from collections.abc import Sequence

from app.cnn.network import Network
from app.explore.exploration import MapRange, RenderOptions, explore
from app.explore.forward_passes import preprocess
from app.library.library import Library
from app.settings import Settings

MODEL = "digits"


def open_network(name: str = MODEL) -> Network:
    """Load a built-in model."""
    library = Library(Settings().built_in_models)
    try:
        return library.network(name)
    finally:
        library.close()


def compute(drawing: bytes, network: Network, layers: Sequence[str]) -> list[bytes]:
    """Return the pictures of these layers, as PNG."""
    parts = [MapRange(layer) for layer in network.layers if layer.name in layers]
    exploration = explore(network, network.run(preprocess(drawing, network.card)), RenderOptions(), parts)
    return [view.grid.png for view in exploration.layers]
