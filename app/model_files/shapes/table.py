"""Every kind of layer that has a rule, and what Keras takes where a file says nothing."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from app.cnn.layers import Shape
from app.model_files.plan import Settings
from app.model_files.shapes import cells, places, windows
from app.model_files.shapes.made import Made, NeedsKeras, Rule, check, needing, unchanged

_KERNEL = {"strides": (1, 1), "dilation_rate": (1, 1), "padding": "valid", "activation": "linear", "use_bias": True}
_POOL = {"pool_size": (2, 2), "strides": None, "padding": "valid"}
_GLOBAL = {"keepdims": False}

DEFAULTS: Mapping[str, Settings] = MappingProxyType(
    {
        "AveragePooling2D": _POOL,
        "BatchNormalization": {"axis": -1, "epsilon": 1e-3, "center": True, "scale": True},
        "Concatenate": {"axis": -1},
        "Conv2D": _KERNEL | {"groups": 1},
        "Conv2DTranspose": _KERNEL,
        "Cropping2D": {"cropping": ((0, 0), (0, 0))},
        "Dense": {"activation": "linear", "use_bias": True},
        "DepthwiseConv2D": _KERNEL | {"depth_multiplier": 1},
        "ELU": {"alpha": 1.0},
        "GlobalAveragePooling2D": _GLOBAL,
        "GlobalMaxPooling2D": _GLOBAL,
        "GlobalMinPooling2D": _GLOBAL,
        "LeakyReLU": {"negative_slope": 0.3},
        "MaxPooling2D": _POOL,
        "MinPooling2D": _POOL,
        "Normalization": {"axis": -1},
        "PReLU": {"shared_axes": None},
        "ReLU": {"max_value": None, "negative_slope": 0.0, "threshold": 0.0},
        "Rescaling": {"offset": 0.0},
        "Resizing": {"interpolation": "bilinear"},
        "SeparableConv2D": _KERNEL | {"depth_multiplier": 1},
        "Softmax": {"axis": -1},
        "UpSampling2D": {"size": (2, 2), "interpolation": "nearest"},
        "ZeroPadding2D": {"padding": ((1, 1), (1, 1))},
    }
)


def made_by(kind: str, settings: Settings, inputs: Sequence[Shape]) -> Made:
    """settings: checked ones, completed from DEFAULTS. Raises: NeedsKeras."""
    if kind not in RULES:
        raise NeedsKeras(kind)
    try:
        check(all(settings.get(name, 0) >= 0 for name in _NOT_NEGATIVE) and settings.get("rate", 0) <= 1)
        made = RULES[kind](settings, list(inputs))
    except (TypeError, ValueError, KeyError) as error:  # a shape of another rank, a size unknown, a setting missing
        raise NeedsKeras(kind) from error
    if any(size is not None and size < 1 for size in made.shape):
        raise NeedsKeras(kind)
    return made


_NOT_NEGATIVE = ("rate", "stddev", "negative_slope", "threshold")

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "Activation": needing("activation"),
        "ActivityRegularization": unchanged,
        "Add": cells.merge,
        "AlphaDropout": needing("rate"),
        "Average": cells.merge,
        "AveragePooling2D": windows.pooling,
        "BatchNormalization": cells.batch_normalization,
        "Concatenate": places.concatenate,
        "Conv2D": windows.convolution,
        "Conv2DTranspose": windows.transposed,
        "Cropping2D": places.cropping,
        "Dense": windows.dense,
        "DepthwiseConv2D": windows.depthwise,
        "Dropout": needing("rate"),
        "ELU": unchanged,
        "Flatten": places.flatten,
        "GaussianDropout": needing("rate"),
        "GaussianNoise": needing("stddev"),
        "GlobalAveragePooling2D": windows.global_pooling,
        "GlobalMaxPooling2D": windows.global_pooling,
        "GlobalMinPooling2D": windows.global_pooling,
        "Identity": unchanged,
        "LeakyReLU": unchanged,
        "MaxPooling2D": windows.pooling,
        "Maximum": cells.merge,
        "MinPooling2D": windows.pooling,
        "Minimum": cells.merge,
        "Multiply": cells.merge,
        "Normalization": cells.normalization,
        "PReLU": cells.prelu,
        "Permute": places.permute,
        "ReLU": cells.relu,
        "Rescaling": needing("scale"),
        "Reshape": places.reshape,
        "Resizing": places.resizing,
        "SeparableConv2D": windows.separable,
        "Softmax": cells.softmax,
        "SpatialDropout2D": needing("rate"),
        "Subtract": cells.subtract,
        "UpSampling2D": places.upsampling,
        "ZeroPadding2D": places.zero_padding,
    }
)
