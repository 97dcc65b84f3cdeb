"""Files of text: pages and messages of servers, programs, notebooks, tables, and models described in words."""

import codecs
import json
import re
from collections.abc import Callable
from typing import Any

from ..errors import shown
from .sentences import CHECKPOINT, CONFIGURATION, CORE_ML, DATA, FRAMEWORK, GRAPH, TENSORFLOW_JS

_HEAD_BYTES = 2**16  # by which a text is told
_LFS = (
    "This is a Git LFS pointer, not the model that it stands for: run `git lfs pull` in the repository, or download "
    "the file itself."
)
_PAGE = "This is a web page, not a model. Download the file itself, not the page that shows it."
_GITHUB = (
    "This is GitHub's page about a file, not the file. Press “Download raw file” there, or replace /blob/ by /raw/ in "
    "its address."
)
_DRIVE = (
    "This is Google Drive's page about a file, not the file. Open that page in a browser, press “Download anyway”, and "
    "bring the file that is saved."
)
_SERVER = (
    "This is what a server answered in place of the model: {}. Check the address, and whether one has to be logged in "
    "for it, and download the file again."
)
_NOTEBOOK = (
    "This is a Jupyter notebook, which builds a model and is none. Run it, end it with model.save('name.keras'), and "
    "bring that file."
)
_PYTHON = (
    "This is Python source, which Layerglass does not run. Run it yourself, end it with model.save('name.keras'), and "
    "bring that file."
)
_ARCHITECTURE = (
    "This is the architecture of a Keras model without its weights, as {0} writes it. With the Keras that wrote it: "
    "model = keras.models.{1}(open('{2}').read()), then model.load_weights(...) and model.save('name.keras')."
)
_GRAPH_JS = (
    "This is a TensorFlow.js graph model, made to be run only, without the layers. Bring the Keras model that it was "
    "converted from, saved with model.save('name.keras')."
)
_CARD = (
    "This is a card of Layerglass, which describes a model. Put it beside the model's file, as name.json for "
    "name.keras, and bring that file."
)
_LABELS = "This lists names of classes, and holds no model. Bring the model's file, and write the names into its card."
_JSON = "This is JSON, and describes no model of Keras or TensorFlow.js. Bring a .keras or .h5 file."
_TEXT = "This is not a Keras model but a text that begins with {}. Bring a .keras or .h5 file."
_TABLE = DATA.format("a table of values (CSV)")
_SHORT = 1_000  # characters of a server's answer, at most
_SERVER_SAYS = re.compile(
    r"(?:error:?\s*)?(?:http\S*\s+)?[45]\d\d\b.*|.*\b(?:not found|denied|forbidden|unauthorized|too many requests|"
    r"rate limit|quota|bad request|bad gateway|internal server error|service unavailable|invalid \w+)\b.*",
    re.IGNORECASE,
)
_PYTHON_LINE = re.compile(
    r"^(?:import \w[\w.]*|from \w[\w.]* import |def \w+\(|class \w+[(:]|#!.*python)", re.MULTILINE
)
_CLASS_LINE = re.compile(r"\d+[ \t:,]+\D.{0,80}")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_SEPARATORS = (",", ";", "\t")


def describe_text(name: str, data: bytes) -> str | None:
    """Return the sentence about a file of text; None for any other. name: the file's, in lower case."""
    text = _decode(data)
    if not text:
        return None
    if text.startswith(("{", "[")) and not text.startswith(("[net]", "[convolutional]")):
        return _describe_json(data, text)
    for recognises, sentence in _KINDS:
        if recognises(text, name):
            return sentence
    first = text.splitlines()[0]
    if len(text) < _SHORT and _SERVER_SAYS.fullmatch(first):
        return _SERVER.format(shown(first))
    if _is_class_list(text):
        return _LABELS
    return _TABLE if _is_table(text, name) else _TEXT.format(shown(first))


def is_page(data: bytes) -> bool:
    """Return whether a file is a web page."""
    return _IS_PAGE(data[:_HEAD_BYTES].decode(errors="replace").strip(), "")


def _decode(data: bytes) -> str | None:
    """Return the beginning as text without blanks around it; None where it is no text in UTF-8 or UTF-16."""
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        text = decoder.decode(data[:_HEAD_BYTES], final=len(data) <= _HEAD_BYTES)  # cut, it may end within a character
    except UnicodeDecodeError:
        return None
    return None if any(ord(character) < ord("\t") for character in text) else text.strip()


def _contains(*parts: str) -> Callable[[str, str], bool]:
    return lambda text, name: all(part in text for part in parts)


def _starts(*parts: str) -> Callable[[str, str], bool]:
    return lambda text, name: text[:64].lower().startswith(parts)


def _page_of(mark: str) -> Callable[[str, str], bool]:
    return lambda text, name: _IS_PAGE(text, name) and mark in text


_IS_PAGE = _starts("<!doctype", "<html", "<head")
_IS_XML = _starts("<?xml", "<error")

_KINDS: tuple[tuple[Callable[[str, str], bool], str], ...] = (
    (_starts("version https://git-lfs", "version https://hawser"), _LFS),
    (_page_of("github.com"), _GITHUB),
    (_page_of("Google Drive"), _DRIVE),
    (_IS_PAGE, _PAGE),
    (lambda text, name: _IS_XML(text, name) and "<Error>" in text, _SERVER.format("an error message in XML")),
    (lambda text, name: _IS_XML(text, name) and "<net " in text, FRAMEWORK.format("OpenVINO")),
    (_starts("model_checkpoint_path:"), CHECKPOINT),
    (lambda text, name: name.endswith(".py") or _PYTHON_LINE.search(text) is not None, _PYTHON),
    (_contains("class_name:", "config:"), _ARCHITECTURE.format("to_yaml", "model_from_yaml", "model.yaml")),
    (_contains("[convolutional]"), CONFIGURATION.format("Darknet")),
    (_starts("node {", "node{"), GRAPH),
    (lambda text, name: re.search(r"^layers? ?\{", text, re.MULTILINE) is not None, CONFIGURATION.format("Caffe")),
)


def _describe_json(data: bytes, text: str) -> str:
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError):  # cut, too large, or no JSON at all
        return _describe_keys(set(re.findall(r'"(\w+)"\s*:', text)), {}, text)
    return _describe_keys(set(parsed), parsed, text) if isinstance(parsed, dict) else _JSON


def _describe_keys(keys: set[str], values: dict[str, Any], text: str) -> str:
    """Tell what JSON is by its keys, and a server's message by what it says."""
    if {"nbformat", "cells"} & keys:
        return _NOTEBOOK
    if {"modelTopology", "weightsManifest"} & keys:
        return _GRAPH_JS if values.get("format") == "graph-model" else TENSORFLOW_JS
    if {"class_name", "config"} <= keys:
        return _ARCHITECTURE.format("to_json", "model_from_json", "model.json")
    if {"value_range", "classes"} <= keys:
        return _CARD
    if "labels" in keys:  # as Teachable Machine's metadata.json has
        return _LABELS
    if "itemInfoEntries" in keys:
        return CORE_ML
    if {"message", "error", "errors", "detail"} & keys and len(text) < _SHORT:
        said = next((values[key] for key in ("message", "error", "detail") if isinstance(values.get(key), str)), text)
        return _SERVER.format(shown(said))
    return _JSON


def _is_class_list(text: str) -> bool:
    """Return whether each line is a number and a name, as in the labels.txt of Teachable Machine."""
    return all(_CLASS_LINE.fullmatch(line) for line in text.splitlines()[:10])


def _is_table(text: str, name: str) -> bool:
    """Return whether the lines have the same number of values, most of them numbers."""
    lines = text.splitlines()[:10]
    whole = lines[:-1] or lines  # the last may be cut
    for separator in _SEPARATORS:
        rows = [line.split(separator) for line in whole]
        if len({len(row) for row in rows}) == 1 and len(rows[0]) > 1:
            values = [value.strip() for row in rows[1:] or rows for value in row]  # the first may be headings
            return name.endswith((".csv", ".tsv")) or 2 * sum(map(_is_number, values)) > len(values)
    return name.endswith((".csv", ".tsv"))


def _is_number(value: str) -> bool:
    return _NUMBER.fullmatch(value) is not None
