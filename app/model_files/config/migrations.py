"""Migrations of a layer's config from Keras 1 and 2 to Keras 3, in memory. The file is never changed."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from ...cnn.kinds import ALIASES
from ..errors import ModelError, shown
from .allow_list import is_activation
from .nodes import Config


@dataclass(frozen=True)
class LayerConfig:
    """One layer as a file describes it, or as a migration left it."""

    kind: str
    settings: Config
    era: int = 3  # the Keras that wrote it: 1, 2 or 3
    then: "tuple[LayerConfig, ...]" = ()  # what a migration split off, to be called one after the other on its output
    notes: tuple[str, ...] = field(default=())  # what was changed, a sentence each

    def noted(self, note: str) -> "LayerConfig":
        return replace(self, notes=(*self.notes, note))

    def changed(self, **settings: Any) -> "LayerConfig":
        return replace(self, settings=self.settings | settings)

    def without(self, *names: str) -> "LayerConfig":
        return replace(self, settings={key: value for key, value in self.settings.items() if key not in names})


_Migration = Callable[[LayerConfig], LayerConfig]


def migrate(layer: LayerConfig) -> LayerConfig:
    """Return the layer as Keras 3 would describe it. Raises: ModelError, for what it cannot express."""
    for step in _MIGRATIONS:
        layer = step(layer)
    return layer


def _class_name(layer: LayerConfig) -> LayerConfig:
    if (kind := ALIASES.get(layer.kind)) is None:
        return layer
    renamed = replace(layer, kind=kind)
    return renamed if ">" in layer.kind else renamed.noted(f"{layer.kind} is called {kind} now.")


def _fixed_dropout(layer: LayerConfig) -> LayerConfig:
    """Replace the Dropout of EfficientNets published with Keras 2.2, which differs from Keras' in training only."""
    if layer.kind != "FixedDropout":
        return layer
    note = "FixedDropout, taken to change nothing once a model is trained, is a Dropout here."
    return replace(layer, kind="Dropout").noted(note)


def _random_crop(layer: LayerConfig) -> LayerConfig:
    """Resize as Keras 2 did when a trained network answered; Keras 3 leaves the picture as it is."""
    if layer.kind != "RandomCrop" or layer.era > 2:
        return layer
    size = {name: layer.settings.get(name) for name in ("height", "width")}
    made = replace(layer, kind="Resizing", settings={**size, "crop_to_aspect_ratio": True})
    return made.noted("RandomCrop, which resizes when a trained network answers, is a Resizing here.")


_MERGES = {"sum": "Add", "mul": "Multiply", "ave": "Average", "max": "Maximum", "concat": "Concatenate"}


def _merge(layer: LayerConfig) -> LayerConfig:
    if layer.kind != "Merge":
        return layer
    mode = layer.settings.get("mode")
    if not isinstance(mode, str) or mode not in _MERGES:
        raise ModelError(f"The model has a Merge layer of the mode {shown(mode)}, which Keras 3 has no layer for.")
    kind = _MERGES[mode]
    axis = {"axis": layer.settings.get("concat_axis", -1)} if kind == "Concatenate" else {}
    return LayerConfig(kind, axis, layer.era, layer.then, layer.notes).noted(
        f"Merge with the mode {mode} is {kind} now."
    )


def _plain_values(layer: LayerConfig) -> LayerConfig:
    """Unwrap the arrays of Keras 2, {"type": "ndarray", "value": 0.3}, and the tuples of Keras 3."""
    return replace(layer, settings={key: _plain(value) for key, value in layer.settings.items()})


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") == "ndarray":
        return value.get("value")
    if value.get("class_name") == "__tuple__" and isinstance(items := value.get("items", value.get("config")), list):
        return [_plain(entry) for entry in items]
    return value.get("config") if is_activation(value) else value


_KERAS_1 = {
    "nb_filter": "filters",
    "border_mode": "padding",
    "subsample": "strides",
    "dim_ordering": "data_format",
    "bias": "use_bias",
    "output_dim": "units",
    "p": "rate",
    "sigma": "stddev",
    "atrous_rate": "dilation_rate",
    "inner_activation": "recurrent_activation",
}
# How training began and was held back, of no matter to a trained model.
_KERAS_1_TRAINING = [
    "init",
    "inner_init",
    "forget_bias_init",
    "beta_init",
    "gamma_init",
    "W_regularizer",
    "b_regularizer",
    "U_regularizer",
    "W_constraint",
    "b_constraint",
    "U_constraint",
    "dropout_W",
    "dropout_U",
    "depthwise_regularizer",
    "pointwise_regularizer",
    "consume_less",
    "beta_regularizer",
    "gamma_regularizer",
    "output_shape",
    "input_dim",
    "weights",
]
_ORDERINGS = {"tf": "channels_last", "th": "channels_first", "default": "channels_last"}


def _keras_1(layer: LayerConfig) -> LayerConfig:
    old = layer.settings.keys() & {*_KERAS_1, "nb_row"}
    if layer.era > 1 and not old:
        return layer
    settings = {_KERAS_1.get(key, key): value for key, value in layer.settings.items()}
    migrated = replace(layer, settings=settings).without(*_KERAS_1_TRAINING, "nb_row", "nb_col")
    if "nb_row" in layer.settings:
        migrated = migrated.changed(kernel_size=[layer.settings["nb_row"], layer.settings.get("nb_col")])
    if isinstance(ordering := settings.get("data_format"), str):
        migrated = migrated.changed(data_format=_ORDERINGS.get(ordering, ordering))
    return migrated.noted(f"The settings of {layer.kind} were in the words of Keras 1.") if old else migrated


def _without_groups(layer: LayerConfig) -> LayerConfig:
    """Drop what Keras 2 wrote into every kind of convolution and only Conv2D has."""
    if layer.kind not in {"DepthwiseConv2D", "SeparableConv2D", "Conv2DTranspose"} or "groups" not in layer.settings:
        return layer
    if layer.settings["groups"] not in (1, None):
        raise ModelError(f"A {layer.kind} has groups={shown(layer.settings['groups'])}, which Keras 3 has not.")
    note = f"{layer.kind}: its setting groups, 1, which Keras 3 no longer takes, was left out."
    return layer.without("groups", "filters" if layer.kind == "DepthwiseConv2D" else "groups").noted(note)


def _batch_normalization(layer: LayerConfig) -> LayerConfig:
    if layer.kind != "BatchNormalization":
        return layer
    if layer.settings.get("mode", 0) not in (0, None):
        raise ModelError("A BatchNormalization works in a mode of Keras 1 that Keras 3 has not.")
    layer = layer.without("mode")
    axis = layer.settings.get("axis")
    if isinstance(axis, list) and len(axis) == 1:
        return layer.changed(axis=axis[0]).noted("BatchNormalization: its axis was written as a list.")
    return layer


def _rectifiers(layer: LayerConfig) -> LayerConfig:
    if layer.kind == "LeakyReLU" and "alpha" in layer.settings:
        slope, note = layer.settings["alpha"], "LeakyReLU: alpha is called negative_slope now."
        return layer.without("alpha").changed(negative_slope=slope).noted(note)
    if layer.kind == "ThresholdedReLU":
        theta = layer.settings.get("theta", 1.0)
        note = "ThresholdedReLU is a ReLU with a threshold now."
        return replace(layer, kind="ReLU").without("theta").changed(threshold=theta).noted(note)
    return layer


def _recurrent(layer: LayerConfig) -> LayerConfig:
    if layer.kind not in {"LSTM", "GRU", "SimpleRNN"}:
        return layer
    if layer.era == 1:
        raise ModelError(f"The model has an {layer.kind} of Keras 1, whose weights are kept in another way.")
    if layer.era < 3 and layer.settings.get("recurrent_activation") == "hard_sigmoid":
        raise ModelError(
            f"The {layer.kind} computes hard_sigmoid as Keras 2 did, and Keras 3 another function of this name. Train "
            "it again with recurrent_activation='sigmoid'."
        )
    if "time_major" not in layer.settings:
        return layer
    if layer.settings["time_major"]:
        raise ModelError(f"The {layer.kind} has time_major=True: it reads its input turned, which Keras 3 cannot.")
    return layer.without("time_major").noted(f"{layer.kind}: its setting time_major, off, was left out.")


_ACTIVATION_LAYERS = {"ReLU", "LeakyReLU", "ELU", "Softmax", "ThresholdedReLU"}


def _activation(layer: LayerConfig) -> LayerConfig:
    """Make a layer of an activation that is one, and layers of a function that has another meaning now."""
    value = layer.settings.get("activation")
    if isinstance(value, str) and value.endswith("_v2"):
        return layer.changed(activation=value[:-3]).noted(f"The activation {shown(value)} lost its _v2.")
    if isinstance(value, dict) and value.get("class_name") in _ACTIVATION_LAYERS:
        kind, settings = value["class_name"], value.get("config")
        after = migrate(LayerConfig(kind, settings if isinstance(settings, dict) else {}, layer.era))
        note = f"{layer.kind}: its activation, a layer {kind}, is a layer of its own now."
        return replace(layer.changed(activation="linear"), then=(after,)).noted(note)
    if value == "hard_sigmoid" and layer.era < 3:
        line = LayerConfig("Rescaling", {"scale": 0.2, "offset": 0.5})
        clip = LayerConfig("ReLU", {"max_value": 1.0})
        note = f"{layer.kind}: hard_sigmoid is another function in Keras 3, so it is a Rescaling and a ReLU here."
        return replace(layer.changed(activation="linear"), then=(line, clip)).noted(note)
    return layer


_MIGRATIONS: tuple[_Migration, ...] = (
    _plain_values,
    _merge,
    _keras_1,
    _class_name,
    _fixed_dropout,
    _random_crop,
    _without_groups,
    _batch_normalization,
    _rectifiers,
    _recurrent,
    _activation,
)
