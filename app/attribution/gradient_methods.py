"""Methods that look at the gradient alone: saliency, gradient × input, integrated gradients."""

import numpy as np

from .case import Case, Values


def saliency(case: Case) -> Values:
    """Return |gradient| (Simonyan, Vedaldi and Zisserman, "Deep Inside Convolutional Networks", 2013)."""
    return np.abs(case.gradients(case.forward))


def gradient_times_input(case: Case) -> Values:
    """Return gradient × value (Shrikumar and others, "Not Just a Black Box", 2016)."""
    return case.gradients(case.forward) * case.values


def integrated_gradients(case: Case) -> Values:
    """Return the gradients summed up along the way from the baseline to the image, each times what changes there.

    The way is a straight line for the image (Sundararajan, Taly and Yan, "Axiomatic Attribution for Deep Networks",
    2017). A layer's values change along it as the network makes them (Dhamdhere, Sundararajan and Yan, "How Important
    Is a Neuron?", 2018). By the trapezoidal rule.
    """
    steps, change = case.settings.steps, case.forward.image - case.baseline
    total = np.zeros(case.values.shape)
    before = None
    for step in range(steps + 1):
        image = (case.baseline + change * np.float32(step / steps)).astype(np.float32)
        forward = case.forward if step == steps else case.run(image)
        here = case.gradients(forward).astype(np.float64), case.values_of(forward).astype(np.float64)
        if before is not None:
            total += (before[0] + here[0]) / 2 * (here[1] - before[1])
        before = here
    return total
