"""Every layer that can be built from a file, with a check for each setting that it takes from it."""

from collections.abc import Mapping
from types import MappingProxyType

from app.model_files.config.arguments import (
    Check,
    activation,
    amounts,
    axis,
    either,
    flag,
    margins,
    one_of,
    optional,
    pair,
    real,
    several,
    size,
    whole,
)
from app.model_files.limits import SIDE, UNITS
from app.model_files.names import words

Settings = Mapping[str, Check]  # those of a file that are handed to a layer

_LAST = {"data_format": optional(one_of("channels_last"))}
_OUTPUT = {"activation": activation, "use_bias": flag}
_PADDING = {"padding": one_of("valid", "same")}
_WINDOW = {"kernel_size": pair(1), "strides": pair(1), "dilation_rate": pair(1)} | _PADDING | _LAST
_CONVOLUTION = {"filters": whole(1, UNITS)} | _WINDOW | _OUTPUT
_DEPTH = {"depth_multiplier": whole(1, UNITS)}
_POOL = {"pool_size": pair(1), "strides": optional(pair(1))} | _PADDING | _LAST
_GLOBAL = {"keepdims": flag} | _LAST
_SCALED = {"epsilon": real, "center": flag, "scale": flag}
_RECURRENT = {
    "units": whole(1, UNITS),
    "activation": activation,
    "use_bias": flag,
    "return_sequences": flag,
    "return_state": one_of(False),
    "go_backwards": flag,
}
_GATED = _RECURRENT | {"recurrent_activation": activation}
_INTERPOLATION = {"interpolation": one_of("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")}
_AXES = either(axis, several(axis, most=8))

LAYERS: Mapping[str, Settings] = MappingProxyType(
    {
        "Activation": {"activation": activation},
        "ActivityRegularization": {},
        "Add": {},
        "AlphaDropout": {"rate": real},
        "Average": {},
        "AveragePooling2D": _POOL,
        "BatchNormalization": {"axis": axis, "momentum": real, **_SCALED},
        "CenterCrop": {"height": whole(1, SIDE), "width": whole(1, SIDE), **_LAST},
        "Concatenate": {"axis": axis},
        "Conv2D": {"groups": whole(1, UNITS), **_CONVOLUTION},
        "Conv2DTranspose": {"output_padding": optional(pair(0)), **_CONVOLUTION},
        "Cropping2D": {"cropping": margins, **_LAST},
        "Dense": {"units": whole(1, UNITS), **_OUTPUT},
        "DepthwiseConv2D": {**_DEPTH, **_WINDOW, **_OUTPUT},
        "Dropout": {"rate": real},
        "ELU": {"alpha": real},
        "Flatten": _LAST,
        "GRU": {"reset_after": flag, **_GATED},
        "GaussianDropout": {"rate": real},
        "GaussianNoise": {"stddev": real},
        "GlobalAveragePooling2D": _GLOBAL,
        "GlobalMaxPooling2D": _GLOBAL,
        "GlobalMinPooling2D": _GLOBAL,
        "GroupNormalization": {"groups": whole(-1, UNITS), "axis": axis, **_SCALED},
        "Identity": {},
        "LSTM": _GATED,
        "LayerNormalization": {"axis": _AXES, **_SCALED},
        "LeakyReLU": {"negative_slope": real},
        "MaxPooling2D": _POOL,
        "Maximum": {},
        "MinPooling2D": _POOL,
        "Minimum": {},
        "Multiply": {},
        "Normalization": {
            "axis": optional(_AXES),
            "mean": optional(amounts),
            "variance": optional(amounts),
            "invert": flag,
        },
        "PReLU": {"shared_axes": optional(several(axis, most=8))},
        "Permute": {"dims": several(whole(1, 8), most=8)},
        "ReLU": {"max_value": optional(real), "negative_slope": optional(real), "threshold": optional(real)},
        "RepeatVector": {"n": whole(1, SIDE)},
        "Rescaling": {"scale": amounts, "offset": amounts},
        "Reshape": {"target_shape": several(optional(size), most=8)},
        "Resizing": {
            "height": whole(1, SIDE),
            "width": whole(1, SIDE),
            "crop_to_aspect_ratio": flag,
            "pad_to_aspect_ratio": flag,
            "antialias": flag,
            "fill_mode": one_of("constant"),
            "fill_value": real,
            **_INTERPOLATION,
            **_LAST,
        },
        "SeparableConv2D": {**_DEPTH, **_CONVOLUTION},
        "SimpleRNN": _RECURRENT,
        "Softmax": {"axis": _AXES},
        "SpatialDropout2D": {"rate": real, **_LAST},
        "Subtract": {},
        "UnitNormalization": {"axis": _AXES},
        "UpSampling2D": {"size": pair(1), **_INTERPOLATION, **_LAST},
        "ZeroPadding2D": {"padding": margins, **_LAST},
    }
)


# They change pictures in training and do nothing else, so a model without them answers the same.
TRAINING_ONLY = words(
    "RandomFlip RandomRotation RandomZoom RandomTranslation RandomContrast RandomBrightness RandomHeight RandomWidth "
    "RandomShear RandomErasing RandomGaussianBlur RandomColorJitter RandomSharpness RandomHue RandomSaturation"
)
MODELS = frozenset({"Sequential", "Functional", "Model"})
# What our own training wrote, under the name that it was registered by.
REGISTERED = frozenset({"layerglass>MinPooling2D", "layerglass>GlobalMinPooling2D"})

# What a file may say of a layer that changes nothing once it is trained. Whatever is in it is left unread.
IGNORED = words(
    "name trainable dtype seed batch_input_shape batch_shape input_shape input_dim input_dtype sparse ragged autocast "
    "noise_shape activity_regularizer synchronized fused renorm renorm_clipping renorm_momentum virtual_batch_size "
    "adjustment dropout recurrent_dropout stateful unroll use_cudnn implementation unit_forget_bias "
    "zero_output_for_mask l1 l2 input_length cache_key"
)
IGNORED_ENDINGS = ("_initializer", "_regularizer", "_constraint")
