"""Configs that ran code, or read and wrote files, in Keras itself. Here each is refused by name, and nothing runs."""

import base64
import json
import marshal
from pathlib import Path
from types import FunctionType
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cnn.network import Network
from app.model_files.config.allow_list import CLASSES, check_config, parse_config
from app.model_files.errors import ModelError
from app.model_files.infer_card import infer_card
from app.model_files.loading import load_model
from tests.model_files.files import (
    Config,
    change_config,
    graph,
    layer,
    members,
    node,
    save_h5,
    save_zip,
    sequential,
    small_file,
)
from tests.model_files.watching import watched

INPUT = ("InputLayer", {"name": "in", "batch_input_shape": [None, 8, 8, 1]})


def refusal(path: Path) -> str:
    """The sentence for a file, after making sure that nothing at all was done."""
    before = set(path.parent.iterdir())
    with watched() as deeds, pytest.raises(ModelError) as raised:
        load_model(path)
    assert deeds == []
    assert set(path.parent.iterdir()) == before
    return str(raised.value)


def in_archive(folder: Path, *layers: Config) -> Path:
    """A .keras file with these layers before its own last one."""
    return change_config(small_file(folder), lambda config: config["config"]["layers"].extend(layers))


def keras_3(module: str, class_name: str, config: Any, registered: str | None = None) -> Config:
    return {"module": module, "class_name": class_name, "config": config, "registered_name": registered}


def evil_code(trace: Path) -> str:
    """Marshalled bytecode that would leave a trace, as a Lambda layer holds it."""
    code = compile(f"lambda x: (open({str(trace)!r}, 'w').close(), x)[1]", "evil", "eval").co_consts[0]
    return base64.b64encode(marshal.dumps(code)).decode()


def function(module: str, name: str) -> Config:
    return keras_3(module, "function", name, "function")


def test_the_watch_sees_what_a_gadget_would_do(tmp_path: Path) -> None:
    with watched() as deeds:
        (tmp_path / "trace").write_text("", encoding="utf-8")
        marshal.loads(marshal.dumps(1))
    assert len(deeds) == 2


def test_the_code_that_the_lambdas_hold_is_real(tmp_path: Path) -> None:
    code = marshal.loads(base64.b64decode(evil_code(tmp_path / "trace")))
    FunctionType(code, globals())(1)
    assert (tmp_path / "trace").exists()


def test_cve_2024_3660_lambda_in_an_archive(tmp_path: Path) -> None:
    code = keras_3("builtins", "__lambda__", {"code": evil_code(tmp_path / "trace"), "defaults": None, "closure": None})
    sentence = refusal(in_archive(tmp_path, keras_3("keras.layers", "Lambda", {"name": "evil", "function": code})))
    assert "The layer “evil” is a Lambda, which is Python code of its author and never run here" in sentence


def test_cve_2025_9905_lambda_in_an_h5_file_which_knows_no_safe_mode(tmp_path: Path) -> None:
    settings = {"name": "evil", "function": [evil_code(tmp_path / "trace"), None, None], "function_type": "lambda"}
    path = save_h5(tmp_path / "m.h5", sequential(INPUT, ("Lambda", settings)), {})
    assert "Lambda" in refusal(path)


def test_cve_2026_12481_lambda_where_no_safe_mode_is_set(tmp_path: Path) -> None:
    path = small_file(tmp_path)
    change_config(path, lambda config: config["config"]["layers"][1].update(class_name="Lambda"))
    with keras.saving.custom_object_scope({}):
        assert "Lambda" in refusal(path)


@pytest.mark.parametrize(
    ("module", "name"),
    [("os", "system"), ("builtins", "exec"), ("subprocess", "Popen"), ("types", "FunctionType"), ("__main__", "Mine")],
)
def test_cve_2025_1550_a_class_of_any_module(module: str, name: str, tmp_path: Path) -> None:
    sentence = refusal(in_archive(tmp_path, keras_3(module, name, f"touch {tmp_path / 'trace'}")))
    assert f"“{name}” of the module “{module}”" in sentence


@pytest.mark.parametrize("name", ["Dense", "Conv2D", "Zeros"])
def test_cve_2025_1550_a_known_name_in_an_unknown_module(name: str, tmp_path: Path) -> None:
    sentence = refusal(in_archive(tmp_path, keras_3("evil.keras.layers", name, {"name": "x"})))
    assert f"“{name}” in “evil.keras.layers”, no module of Keras" in sentence


def test_cve_2025_8747_get_file_as_the_function_of_a_lambda(tmp_path: Path) -> None:
    settings = {
        "name": "x",
        "function": function("keras.utils", "get_file"),
        "arguments": {"origin": "http://127.0.0.1/x"},
    }
    path = in_archive(tmp_path, keras_3("keras.layers", "Lambda", settings))
    assert "Lambda" in refusal(path)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("keras.utils", "get_file"),  # CVE-2025-8747, CVE-2025-12060
        ("keras.config", "enable_unsafe_deserialization"),  # CVE-2025-9906
        ("keras.src.backend.common.global_state", "set_global_attribute"),  # CVE-2025-9906
        ("keras.models", "load_model"),
        ("keras.datasets.mnist", "load_data"),
        ("builtins", "eval"),
        ("keras.activations", "deserialize"),
    ],
)
@pytest.mark.parametrize("key", ["activation", "kernel_initializer", "kernel_regularizer", "dtype", "units"])
def test_cve_2025_9906_a_function_in_the_place_of_a_setting(key: str, module: str, name: str, tmp_path: Path) -> None:
    dense = keras_3("keras.layers", "Dense", {"name": "x", "units": 3, key: function(module, name)})
    assert f"the function “{name}” of the module “{module}”" in refusal(in_archive(tmp_path, dense))


def test_cve_2025_49655_torch_module_wrapper(tmp_path: Path) -> None:
    wrapper = keras_3("keras.layers", "TorchModuleWrapper", {"name": "x", "module": "gASVAAAA"})
    assert "a TorchModuleWrapper, which runs a pickle" in refusal(in_archive(tmp_path, wrapper))


@pytest.mark.parametrize("name", ["StringLookup", "IntegerLookup", "TextVectorization"])
def test_cve_2025_12058_a_vocabulary_in_another_file(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    lookup = keras_3("keras.layers", name, {"name": "x", "vocabulary": str(tmp_path / "secret")})
    assert "may read another file" in refusal(in_archive(tmp_path, lookup))


def test_cve_2026_1462_tfsm_layer_loads_a_saved_model(tmp_path: Path) -> None:
    made = keras_3("keras.layers", "TFSMLayer", {"name": "x", "filepath": str(tmp_path), "call_endpoint": "serve"})
    assert "a TFSMLayer, which loads another file as code" in refusal(in_archive(tmp_path, made))


@pytest.mark.parametrize("module", ["keras.src.ops.core", "keras.src.ops.numpy", None])
def test_an_operation_in_a_dead_branch_of_the_graph(module: str | None, tmp_path: Path) -> None:
    """Keras calls the function of a Switch while it loads, whether or not the model's output depends on it."""
    dead = node("Switch", {"name": "dead"}, "in") | {"module": module, "registered_name": None}
    dead["inbound_nodes"] = [{"args": [0, [function("keras.utils", "get_file")], "http://127.0.0.1"], "kwargs": {}}]
    config = graph("in", "r", node(*INPUT), node("ReLU", {"name": "r"}, "in"), dead)
    sentence = refusal(save_h5(tmp_path / "m.h5", config, {}))
    assert "“Switch”" in sentence or "“get_file”" in sentence


@pytest.mark.parametrize("where", ["kwargs", "args"])
def test_a_function_among_the_arguments_of_a_call(where: str, tmp_path: Path) -> None:
    config = graph("in", "r", node(*INPUT), node("ReLU", {"name": "r"}, "in"))
    call: dict[str, Any] = {"args": [], "kwargs": {}}
    call[where] = {"inputs": function("os", "system")} if where == "kwargs" else [function("os", "system")]
    config["config"]["layers"][1]["inbound_nodes"] = [call]
    assert "the function “system” of the module “os”" in refusal(save_h5(tmp_path / "m.h5", config, {}))


def test_an_object_in_a_build_config(tmp_path: Path) -> None:
    path = small_file(tmp_path)
    evil = {"input_shape": keras_3("os", "system", "id")}
    change_config(path, lambda config: config["config"]["layers"][1].update(build_config=evil))
    assert "“system” of the module “os”" in refusal(path)


def test_an_object_in_the_compile_config_is_left_unread(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    evil = {"loss": keras_3("builtins", "exec", f"open({str(trace)!r}, 'w')"), "optimizer": function("os", "system")}
    path = change_config(small_file(tmp_path), lambda config: config.update(compile_config=evil))
    with watched() as deeds:
        load_model(path)
    assert deeds == []
    assert not trace.exists()


def test_a_registered_class_is_not_looked_up_even_where_it_exists(tmp_path: Path) -> None:
    @keras.saving.register_keras_serializable("evil")
    class Mine(keras.layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            (tmp_path / "trace").touch()
            super().__init__(**kwargs)

    for registered in ("evil>Mine", "Mine"):
        made = keras_3("keras.layers", "Mine", {"name": "x"}, registered)
        assert "“Mine”" in refusal(in_archive(tmp_path, made))
    posing = keras_3("keras.layers", "ReLU", {"name": "x"}, "evil>Mine")
    assert "“evil>Mine”, a class of its author's own" in refusal(in_archive(tmp_path, posing))


@pytest.mark.parametrize("registered", [["Conv2D"], {}, 3, True])
def test_a_registered_name_that_is_no_text(registered: Any, tmp_path: Path) -> None:
    dense = keras_3("keras.layers", "Dense", {"name": "x", "units": 3}, registered)
    assert "a class of its author's own" in refusal(in_archive(tmp_path, dense))


def test_a_registered_name_replaces_no_layer_of_ours(tmp_path: Path) -> None:
    with keras.saving.custom_object_scope({"Conv2D": pytest.fail, "relu": pytest.fail}):
        assert load_model(small_file(tmp_path)).model.layers[1].__class__ is keras.layers.Conv2D


@pytest.mark.parametrize("name", ["Embedding", "Wrapper", "RNN", "StackedRNNCells", "Layer", "Conv1D", ""])
def test_other_layers_are_refused_by_name(name: str, tmp_path: Path) -> None:
    assert f"“{name or '(no name)'}”" in refusal(
        save_h5(tmp_path / "m.h5", sequential(INPUT, (name, {"name": "x"})), {})
    )


INNER = layer("Dense", {"name": "inner", "units": 3})


@pytest.mark.parametrize(
    ("name", "settings", "sentence"),
    [
        ("TimeDistributed", {}, "lacks settings"),
        ("TimeDistributed", {"layer": 3}, "expected a layer"),
        ("TimeDistributed", {"layer": {"class_name": "Dense", "config": []}}, "expected a layer"),
        ("TimeDistributed", {"layer": layer("InputLayer", {"name": "inner"})}, "which is no layer"),
        ("TimeDistributed", {"layer": layer("Lambda", {"name": "inner"})}, "Python code of its author"),
        ("TimeDistributed", {"layer": layer("GlorotUniform", {"name": "inner"})}, "which is no layer"),
        ("SpectralNormalization", {"layer": INNER, "power_iterations": 0}, "a whole number from 1"),
        ("Bidirectional", {"layer": INNER}, "around “Dense”; expected an LSTM"),
        ("Bidirectional", {"layer": layer("LSTM", {"units": 3}), "merge_mode": "evil"}, "one of concat, sum, mul, ave"),
        ("Bidirectional", {"layer": layer("LSTM", {"units": 3}), "evil": 3}, "unknown setting “evil”"),
        ("MultiHeadAttention", {"num_heads": 2, "key_dim": 3}, "reads 1 inputs; expected a query"),
        ("MultiHeadAttention", {"num_heads": 10**6, "key_dim": 3}, "a whole number from 1"),
    ],
)
def test_wrappers_and_attention_are_checked(name: str, settings: Any, sentence: str, tmp_path: Path) -> None:
    config = sequential(INPUT, (name, {"name": "x", **settings}))
    assert sentence in refusal(save_h5(tmp_path / "m.h5", config, {}))


def test_wrappers_within_each_other_end(tmp_path: Path) -> None:
    wrapped = INNER
    for number in range(12):
        wrapped = layer("TimeDistributed", {"name": f"x{number}", "layer": wrapped})
    config = sequential(INPUT, ("TimeDistributed", {"name": "x", "layer": wrapped}))
    assert "more than 8 layers within each other" in refusal(save_h5(tmp_path / "m.h5", config, {}))


@pytest.mark.parametrize("name", ["Subclassed", "keras.Sequential", "sequential", ""])
def test_other_models_are_refused_by_name(name: str, tmp_path: Path) -> None:
    sentence = refusal(save_h5(tmp_path / "m.h5", layer(name, {"layers": []}), {}))
    assert f"the class “{name or '(no name)'}”" in sentence and "Python code that the file does not hold" in sentence


@given(
    name=st.one_of(st.text(max_size=12), st.sampled_from(sorted(CLASSES))),
    module=st.one_of(st.none(), st.text(max_size=12), st.sampled_from(["os", "builtins", "keras", "keras.layers"])),
    depth=st.integers(0, 12),
)
def test_an_object_is_seen_however_deep_it_lies(name: str, module: str | None, depth: int) -> None:
    thing: Any = {"class_name": name, "module": module, "config": {}}
    for level in range(depth):
        thing = [thing] if level % 2 else {"x": thing}
    config = layer("Sequential", {"layers": [], "thing": thing})
    if name in CLASSES and (module is None or module.startswith("keras")):
        check_config(config)
    else:
        with pytest.raises(ModelError):
            check_config(config)


def test_a_dense_layer_of_two_billion_units(tmp_path: Path) -> None:
    path = save_h5(tmp_path / "m.h5", sequential(INPUT, ("Dense", {"name": "x", "units": 2_000_000_000})), {})
    assert "units=“2000000000”; expected a whole number from 1 to 65,536" in refusal(path)


def test_layers_that_are_too_large_only_together(tmp_path: Path) -> None:
    made = [("Flatten", {"name": "f"})] + [("Dense", {"name": f"d{index}", "units": 60_000}) for index in range(2)]
    assert "more than 50,000,000 parameters by its layer “d1”" in refusal(
        save_h5(tmp_path / "m.h5", sequential(INPUT, *made), {})
    )


def merging(count: int, kind: str = "Add", name: str = "merge", source: str = "in") -> Config:
    return node(kind, {"name": name}, *[source] * count)


@pytest.mark.parametrize("kind", ["Add", "Concatenate", "Average", "Maximum", "Multiply"])
@pytest.mark.parametrize("count", [257, 40_000])
def test_a_merge_of_too_many_inputs(kind: str, count: int, tmp_path: Path) -> None:
    path = save_h5(tmp_path / "m.h5", graph("in", "merge", node(*INPUT), merging(count, kind)), {})
    assert f"The layer “merge” ({kind}) reads {count:,} inputs; a layer may read 256." in refusal(path)


def test_a_merge_of_too_many_inputs_as_keras_3_writes_it(tmp_path: Path) -> None:
    tensor = {"class_name": "__keras_tensor__", "config": {"shape": [None, 8, 8, 1], "keras_history": ["in", 0, 0]}}
    merge = node("Add", {"name": "merge", "trainable": True}) | {
        "inbound_nodes": [{"args": [[tensor] * 3_000], "kwargs": {}}]
    }
    path = save_h5(tmp_path / "m.h5", graph("in", "merge", node(*INPUT), merge), {}, version="3.0.0")
    assert "“merge” (Add) reads 3,000 inputs" in refusal(path)


def test_a_merge_in_a_model_within_the_model(tmp_path: Path) -> None:
    inner = graph("in", "merge", node(*INPUT), merging(300))
    whole = sequential(INPUT) | {}
    whole["config"]["layers"].append(inner | {"name": "inner"})
    assert "“merge” (Add) reads 300 inputs" in refusal(save_h5(tmp_path / "m.h5", whole, {}))


def test_merges_of_too_many_inputs_together(tmp_path: Path) -> None:
    merges = [merging(250, name=f"m{index}", source=f"m{index - 1}" if index else "in") for index in range(9)]
    path = save_h5(tmp_path / "m.h5", graph("in", "m8", node(*INPUT), *merges), {})
    assert "The layers up to “m8” read 2,250 inputs together; 2,000 may be read." in refusal(path)


def test_a_merge_of_many_inputs_is_opened(tmp_path: Path) -> None:
    path = save_h5(tmp_path / "m.h5", graph("in", "merge", node(*INPUT), merging(256)), {})
    assert len(load_model(path).definition.layers[0].sources) == 256


def test_activations_that_are_too_large(tmp_path: Path) -> None:
    made = [("UpSampling2D", {"name": f"u{index}", "size": [1000, 1000]}) for index in range(2)]
    assert "makes 64,000,000 numbers of one image" in refusal(save_h5(tmp_path / "m.h5", sequential(INPUT, *made), {}))


@pytest.mark.parametrize(
    "value", ["2", True, -1, 0, 1.5, None, [3], {}, 10**400, float("nan"), {"class_name": "Zeros"}]
)
def test_settings_that_are_no_numbers(value: Any, tmp_path: Path) -> None:
    path = save_h5(
        tmp_path / "m.h5", sequential(INPUT, ("Conv2D", {"name": "x", "filters": value, "kernel_size": 3})), {}
    )
    assert "filters" in refusal(path)


def test_a_setting_that_is_not_known(tmp_path: Path) -> None:
    path = save_h5(tmp_path / "m.h5", sequential(INPUT, ("ReLU", {"name": "x", "call": "evil"})), {})
    assert "“x” (ReLU) has the unknown setting “call”" in refusal(path)


def test_a_graph_in_a_circle(tmp_path: Path) -> None:
    config = graph("in", "b", node(*INPUT), node("Add", {"name": "a"}, "in", "b"), node("ReLU", {"name": "b"}, "a"))
    assert "runs in a circle, or out of the model, at “a”, “b”" in refusal(save_h5(tmp_path / "m.h5", config, {}))


@pytest.mark.parametrize("nodes", [None, 1, "x", [1], [["in"]], [[["in", "0", 0]]], [{"args": 1}], [{"args": [[]]}]])
def test_a_graph_that_is_none(nodes: Any, tmp_path: Path) -> None:
    config = graph("in", "a", node(*INPUT), node("ReLU", {"name": "a"}) | {"inbound_nodes": nodes})
    refusal(save_h5(tmp_path / "m.h5", config, {}))


def test_html_in_names_stays_text_on_one_line(tmp_path: Path) -> None:
    name = "<img src=x onerror=alert(1)>\n\x1b[31m" + "x" * 500
    sentence = refusal(save_h5(tmp_path / "m.h5", sequential(INPUT, (name, {"name": "x"})), {}))
    assert "\n" not in sentence
    assert "\x1b" not in sentence
    assert len(sentence) < 500


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{", b"null", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 60 + b"1" + b"}" * 60]
)
def test_a_config_that_is_no_config(text: bytes, tmp_path: Path) -> None:
    contents = members(small_file(tmp_path))
    refusal(save_zip(tmp_path / "bad.keras", contents | {"config.json": text}))


def test_a_config_with_more_entries_than_any_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="more than 500,000 entries"):
        parse_config(json.dumps({"a": [0] * 600_000}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(["in", "ReLU", "x", "r"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "class_name", "x"]), inner),
    max_leaves=6,
)


@given(data=st.data())
def test_any_part_of_a_config_may_be_anything(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever stands anywhere, the answer is a model or a sentence."""
    config: Any = graph("in", "f", node(*INPUT), node("ReLU", {"name": "r"}, "in"), node("Flatten", {"name": "f"}, "r"))
    parent, key = config, data.draw(st.sampled_from(["class_name", "config"]))
    while isinstance(parent[key], dict | list) and parent[key] and data.draw(st.booleans()):
        parent = parent[key]
        key = data.draw(st.sampled_from(list(parent) if isinstance(parent, dict) else range(len(parent))))
    parent[key] = data.draw(JSON)
    path = save_h5(tmp_path_factory.getbasetemp() / "fuzzed.h5", config, {})
    try:
        load_model(path)
    except ModelError as error:
        assert str(error).endswith((".", "”", ")"))


def test_weights_that_are_not_numbers_open_and_are_noted(tmp_path: Path) -> None:
    kernel = np.full((1, 1, 1, 1), np.nan, np.float32)
    made = ("Conv2D", {"name": "c", "filters": 1, "kernel_size": 1, "use_bias": False})
    opened = load_model(save_h5(tmp_path / "m.h5", sequential(INPUT, made), {"c": [kernel]}))
    assert opened.mends == ("Some weights of the layer “c” are not numbers (NaN or infinite).",)


@pytest.mark.parametrize("count", [999, 1_001])
def test_as_many_layers_as_are_read(count: int, tmp_path: Path) -> None:
    made = [("ReLU", {"name": f"r{index}"}) for index in range(count - 1)]
    path = save_h5(tmp_path / "m.h5", sequential(INPUT, *made), {})
    if count > 1_000:
        assert "The model has 1,001 layers; at most 1,000 are read" in refusal(path)
    else:
        opened = load_model(path)
        activations = (
            Network("m", opened.definition, infer_card(opened, "m")).run(np.ones((8, 8, 1), np.float32)).activations
        )
        assert len(activations) == len(made)
