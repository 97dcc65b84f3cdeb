"""The models in a folder, each as a network that is ready to run."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from app.cnn.card import read_card
from app.cnn.network import Network
from app.cnn.pooling import PoolingMode
from app.opening.reader import open_model
from app.settings import model_files, no_models

DEFAULT = "digits"


class UnknownModel(LookupError):
    """The library has no model of this name."""

    def __init__(self, name: str, names: Iterable[str]) -> None:
        super().__init__(f"There is no model “{name}”. There is: {', '.join(names)}.")


class EmptyLibrary(FileNotFoundError):
    """The folder holds no model."""

    def __init__(self, folder: Path) -> None:
        super().__init__(no_models(folder))


class Library:
    """Networks by name, the default one first. Nothing changes after it is made."""

    def __init__(self, networks: Iterable[Network]) -> None:
        by_name = {network.name: network for network in networks}
        first = [DEFAULT] if DEFAULT in by_name else []
        self._networks = {name: by_name[name] for name in [*first, *sorted(by_name.keys() - first)]}

    @classmethod
    def load(cls, folder: Path) -> "Library":
        """Every NAME.keras that has its card NAME.json beside it. Raises: EmptyLibrary."""
        files = model_files(folder)
        if not files:
            raise EmptyLibrary(folder)
        return cls(_open(path) for path in files)

    @property
    def default(self) -> Network:
        """The network that the page opens with."""
        return next(iter(self))

    def __iter__(self) -> Iterator[Network]:
        return iter(self._networks.values())

    def sibling(self, network: Network, pooling: PoolingMode | None) -> Network:
        """The model of the same architecture that was trained with this pooling; the network itself without one."""
        name = network.card.siblings.get(pooling) if pooling else None
        return self._networks.get(name, network) if name else network

    def network(self, name: str) -> Network:
        """The network of this name. Raises: UnknownModel."""
        try:
            return self._networks[name]
        except KeyError:
            raise UnknownModel(name, self._networks) from None


def _open(path: Path) -> Network:
    """The network in a file, built from the checked description of its layers: nothing in the file is run."""
    model = open_model(path).model
    return Network(path.stem, model, read_card(path.with_suffix(".json")), path.stat().st_size)
