"""The attribution methods: what each computes, what it can and cannot say, and what its values should sum to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from .case import Case, Values
from .class_activation import grad_cam, hires_cam
from .gradient_methods import gradient_times_input, integrated_gradients, saliency
from .occlusion import count_patches, occlusion, require_patch


class UnknownMethod(LookupError):
    """There is no method of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no attribution method “{name}”. There are: {', '.join(METHODS)}.")


class Passes(NamedTuple):
    """How often a method runs a network forward, and how often it goes back through it."""

    forward: int
    backward: int


def _once(case: Case) -> Passes:
    return Passes(1, 1)


@dataclass(frozen=True)
class Method:
    """A way to say what an answer depends on."""

    name: str
    title: str
    compute: Callable[[Case], Values]
    can: str  # what it says
    cannot: str  # what it does not say
    count: Callable[[Case], Passes] = _once
    from_baseline: bool = False  # its values should sum to how far the number is above the baseline's

    @property
    def needs_gradient(self) -> bool:
        return self.compute is not occlusion


def _count_steps(case: Case) -> Passes:
    return Passes(case.settings.steps + 1, case.settings.steps + 1)


def _count_patches(case: Case) -> Passes:
    require_patch(case)
    return Passes(1 + count_patches(case), 0)


_ALL = (
    Method(
        "saliency",
        "Saliency",
        saliency,
        "How strongly the logit reacts to a small change of each value.",
        "It does not say in which direction, nor what the values there contribute: its sum is no part of the logit.",
    ),
    Method(
        "gradient-x-input",
        "Gradient × input",
        gradient_times_input,
        "What each value contributes while all gates (ReLU, pooling) stay as they are.",
        "With the biases' part it is the logit; by itself it is not, and it gives a value of zero nothing.",
    ),
    Method(
        "integrated-gradients",
        "Integrated gradients",
        integrated_gradients,
        "How the logit rises on the way from an empty image to this one, and by which values.",
        "Another baseline gives other shares, images on the way are unlike any that the network has seen, and a cell "
        "that is as in the baseline gets nothing.",
        _count_steps,
        from_baseline=True,
    ),
    Method(
        "grad-cam",
        "Grad-CAM",
        grad_cam,
        "Roughly where the maps are that speak for the class on the whole.",
        "It averages each map's gradient over all places, so that it may mark places that the logit does not depend "
        "on, and leaves out what speaks against the class.",
    ),
    Method(
        "hires-cam",
        "HiResCAM",
        hires_cam,
        "What each place of a layer contributes while all gates after it stay as they are.",
        "It does not say which map contributes there, and what the biases after the layer add is missing.",
    ),
    Method(
        "occlusion",
        "Occlusion",
        occlusion,
        "By how much the logit falls when a patch of the image is covered.",
        "Two places of which either is enough both get nothing, and a covered image is unlike any that the network has "
        "seen.",
        _count_patches,
        from_baseline=True,
    ),
)
METHODS = {method.name: method for method in _ALL}


def find_method(name: str) -> Method:
    """Return the method of this name. Raises: UnknownMethod."""
    if name not in METHODS:
        raise UnknownMethod(name)
    return METHODS[name]
