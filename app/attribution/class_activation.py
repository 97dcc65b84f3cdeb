"""Class activation maps: the maps of a layer, weighted by the gradient, as one map."""

import numpy as np

from .case import Case, InvalidSetting, Values


def grad_cam(case: Case) -> Values:
    """Return the sum of a layer's maps, each times its mean gradient, where it is above zero: (height, width).

    Selvaraju and others, "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", 2017.
    """
    _require_maps(case)
    weights = case.gradients(case.forward).mean(axis=(0, 1), dtype=np.float64)
    return np.asarray(np.maximum(case.values @ weights, 0))


def hires_cam(case: Case) -> Values:
    """Return the sum over a layer's maps of gradient × value, cell by cell: (height, width).

    Draelos and Carin, "Use HiResCAM instead of Grad-CAM for Faithful Explanations", 2020.
    """
    _require_maps(case)
    return np.asarray((case.gradients(case.forward) * case.values).sum(axis=2, dtype=np.float64))


def _require_maps(case: Case) -> None:
    if case.values.ndim == 3:
        return
    maps = [layer.name for layer in case.network.layers if case.forward.activations[layer.name].ndim == 3]
    named = f" Layers with maps: {', '.join(maps)}." if maps else ""
    raise InvalidSetting(f"The layer “{case.layer}” has no maps, and a class activation map is a sum of maps.{named}")
