"""All experiments by name."""

from types import MappingProxyType

from .darkness import Darkness
from .experiment import Experiment
from .ink import Ink
from .maps import Maps
from .neighbours import Neighbours
from .noise import Noise
from .parameters import Parameters
from .poolings import Poolings
from .resolution import Resolution
from .shifts import Shifts
from .start import Start

_CLASSES = (Resolution, Poolings, Shifts, Ink, Neighbours, Darkness, Noise, Maps, Parameters, Start)

EXPERIMENTS = MappingProxyType({each.name: each() for each in _CLASSES})


class UnknownExperiment(LookupError):
    """There is no experiment of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no experiment “{name}”. There is: {', '.join(EXPERIMENTS)}.")


def find_experiment(name: str) -> Experiment:
    """Return the experiment of this name. Raises: UnknownExperiment."""
    try:
        return EXPERIMENTS[name]
    except KeyError:
        raise UnknownExperiment(name) from None
