"""Layers that matter in training only: they pass everything on when a trained network answers."""

from .checks import between, one_of, optional, setting
from .layer import Unchanged

_share = between(0, 1)

# Layers that change pictures in training and do nothing else, so that a model without them answers the same.
AUGMENTATIONS = frozenset(
    {
        *("RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomContrast", "RandomBrightness"),
        *("RandomHeight", "RandomWidth", "RandomShear", "RandomErasing", "RandomGaussianBlur", "RandomColorJitter"),
        *("RandomSharpness", "RandomHue", "RandomSaturation", "RandomPerspective", "RandomElasticTransform"),
        *("RandomGrayscale", "RandomInvert", "RandomPosterization", "RandomColorDegeneration"),
        *("AugMix", "CutMix", "MixUp", "RandAugment", "RandomCrop"),
    }
)


class Dropout(Unchanged):
    """Values are set to zero at random in training (Srivastava and others, 2014)."""

    rate: float = setting(_share)

    is_minor = True
    keeps_probabilities = True

    def describe(self) -> str:
        return f"dropout of {self.rate:.0%} while training; nothing happens here when the network answers"


class SpatialDropout2D(Unchanged):
    """Whole maps are set to zero at random in training."""

    rate: float = setting(_share)
    data_format: str | None = setting(optional(one_of("channels_last")), None, compare=False)

    is_minor = True
    ignores_leading_axes = False


class AlphaDropout(Unchanged):
    """Dropout that keeps mean and variance, for SELU (Klambauer and others, 2017)."""

    rate: float = setting(_share)


class GaussianDropout(Unchanged):
    """Values are multiplied by noise around one in training."""

    rate: float = setting(_share)

    is_minor = True


class GaussianNoise(Unchanged):
    """Noise is added in training."""

    stddev: float = setting(_share)

    is_minor = True


class ActivityRegularization(Unchanged):
    """A cost is added to the loss in training."""


class Identity(Unchanged):
    """Nothing at all."""
