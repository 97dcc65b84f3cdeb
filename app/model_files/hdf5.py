"""An HDF5 file, searched for everything that reaches out of it or blows up, before a value is read."""

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from .errors import RESAVE, ModelError, shown
from .limits import (
    ATTRIBUTE_ITEMS,
    COMPRESSION_RATIO,
    CONFIG_BYTES,
    HDF5_DEPTH,
    HDF5_OBJECTS,
    HDF5_RANK,
    SMALL_BYTES,
    WEIGHTS_BYTES,
)
from .regular_files import RegularFile

# What HDF5 itself brings. Any other filter would be looked for among shared libraries on this machine.
_FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}
_BFLOAT16 = np.dtype("V2")  # as Keras writes it: the upper half of a 32-bit number, which HDF5 has no name for
_DAMAGED = "The HDF5 file is damaged or cut. Download or save it again."
_CUT = "The HDF5 file is shorter than it says: it was cut in the download. Download or save it again."


@contextmanager
def open_hdf5(source: Path | bytes) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading, and check all of it. Raises: ModelError, also for errors inside the block."""
    try:
        opened = io.BytesIO(source) if isinstance(source, bytes) else io.BufferedReader(RegularFile(source))
        with opened, h5py.File(opened, "r") as file:
            _check_group(file)
            yield file
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, SystemError) as error:
        # h5py raises all of these for files that are not as they should be.
        raise ModelError(_CUT if "truncated file" in str(error) else _DAMAGED) from error


def _check_group(file: h5py.File) -> None:
    """Visit every object once, without following a link. Raises: ModelError."""
    waiting: list[tuple[str, h5py.Group, int]] = [("", file, 0)]
    seen = {_address(file)}
    total = 0
    while waiting:
        where, group, depth = waiting.pop()
        _check_attributes(group, where)
        if depth > HDF5_DEPTH or len(group) + len(seen) > HDF5_OBJECTS:
            raise ModelError("The HDF5 file holds more groups, or deeper ones, than any model has.")
        for name in group:
            path = f"{where}/{name}"
            _check_link(group.get(name, getlink=True), path)
            member = group[name]
            if _address(member) in seen:
                raise ModelError(f"The HDF5 file holds {shown(path)} under two names, as no model's file does.")
            seen.add(_address(member))
            if isinstance(member, h5py.Group):
                waiting.append((path, member, depth + 1))
            else:
                total += _check_dataset(member, path)
    if total > WEIGHTS_BYTES:
        raise ModelError(f"The weights have {total:,} bytes; at most {WEIGHTS_BYTES:,} are read.")


def _address(member: Any) -> int:
    return int(h5py.h5o.get_info(member.id).addr)


def _check_link(link: Any, path: str) -> None:
    if isinstance(link, h5py.ExternalLink):
        raise ModelError(f"{shown(path)} is a link to another file, {shown(link.filename)}, which no model needs.")
    if not isinstance(link, h5py.HardLink):
        raise ModelError(f"{shown(path)} is a link to another place, which no model's file needs.")


def _check_dataset(dataset: Any, path: str) -> int:
    """Check a dataset, unread, and return its size in bytes. Raises: ModelError."""
    if not isinstance(dataset, h5py.Dataset):
        raise ModelError(f"{shown(path)} is neither a group nor an array of numbers.")
    _check_attributes(dataset, path)
    if dataset.shape is None or dataset.dtype.kind not in "fiubSV" or dataset.dtype.hasobject:
        raise ModelError(f"{shown(path)} is not an array of numbers.")
    if dataset.is_virtual:
        raise ModelError(f"{shown(path)} is a virtual dataset, which takes its numbers from other files.")
    if dataset.external:
        raise ModelError(f"{shown(path)} keeps its numbers in another file, {shown(dataset.external[0][0])}.")
    properties = dataset.id.get_create_plist()
    filters = {properties.get_filter(index)[0] for index in range(properties.get_nfilters())}
    if not filters <= _FILTERS:
        raise ModelError(f"{shown(path)} is packed in an unusual way. {RESAVE}")
    size: int = math.prod(dataset.shape) * int(dataset.dtype.itemsize)
    if len(dataset.shape) > HDF5_RANK or size > WEIGHTS_BYTES:
        raise ModelError(f"{shown(path)} claims the shape {_times(dataset.shape)}, larger than any model read here.")
    if size > max(SMALL_BYTES, COMPRESSION_RATIO * dataset.id.get_storage_size()):
        raise ModelError(f"{shown(path)} unpacks to more than {COMPRESSION_RATIO} times its size, as a bomb does.")
    chunk = math.prod(dataset.chunks or ()) * dataset.dtype.itemsize
    if chunk > max(SMALL_BYTES, 2 * size):
        raise ModelError(f"{shown(path)} is stored in pieces larger than itself, as a bomb is.")
    return size


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(f"{size:,}" for size in shape)


def _check_attributes(thing: Any, path: str) -> None:
    for name in thing.attrs:
        attribute = thing.attrs.get_id(name)
        items = math.prod(attribute.shape)
        if items > ATTRIBUTE_ITEMS or items * attribute.dtype.itemsize > CONFIG_BYTES:
            raise ModelError(f"The attribute {shown(name)} of {shown(path or '/')} is larger than any model's.")


def text_attribute(group: h5py.Group, name: str) -> str | None:
    """Read a text; None where there is none. Raises: ModelError."""
    if name not in group.attrs:
        return None
    if math.prod(group.attrs.get_id(name).shape) != 1:
        raise ModelError(f"The attribute {shown(name)} is not one text.")
    value = group.attrs[name]
    if isinstance(value, np.ndarray):
        value = value.reshape(-1)[0]
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    if not isinstance(text, str):
        raise ModelError(f"The attribute {shown(name)} is not a text.")
    if len(text) > CONFIG_BYTES:
        raise ModelError(f"The attribute {shown(name)} is longer than any model's.")
    return text


def name_list(group: h5py.Group, name: str) -> list[str]:
    """Read a list of names, which Keras splits into name0, name1, ... where it is long. Raises: ModelError."""
    keys = [name] if name in group.attrs else []
    while not keys or keys[-1] != name:
        if (key := f"{name}{len(keys)}") not in group.attrs:
            break
        keys.append(key)
    names = [entry for key in keys for entry in np.asarray(group.attrs[key]).reshape(-1).tolist()]
    return [entry.decode("utf-8", "replace") if isinstance(entry, bytes) else str(entry) for entry in names]


def member(group: h5py.Group, path: str) -> Any:
    """Return a group or dataset below a group; None where there is none, or where a step leads upward."""
    for step in path.strip("/").split("/"):
        if step in {"", ".", ".."} or not isinstance(group, h5py.Group) or step not in group:
            return None
        group = group[step]
    return group


Tree = dict[str, Any]  # what a group holds by name: trees for its groups, and datasets


def read_tree(group: h5py.Group) -> Tree:
    """Return everything below a group, the datasets unread. Raises: ModelError, for a name that is two things.

    A name with backslashes is taken for a path, as Keras 2 wrote paths on Windows: one group, layers\\conv2d.
    """
    tree: Tree = {}
    for name, found in group.items():
        *steps, last = name.split("\\")
        place = tree
        for step in steps:
            place = place.setdefault(step, {})
            if not isinstance(place, dict):
                raise ModelError(f"The HDF5 file holds {shown(name)} below an array of numbers.")
        if not isinstance(found, h5py.Group):
            if last in place:
                raise ModelError(f"The HDF5 file holds {shown(name)} twice, so that it can be read two ways.")
            place[last] = found
        else:
            _merge(place.setdefault(last, {}), read_tree(found), name)
    return tree


def _merge(tree: Any, other: Tree, name: str) -> None:
    """Add a tree to another, which may hold the same groups and no dataset of the same name. Raises: ModelError."""
    for key, found in other.items():
        if not isinstance(tree, dict) or (key in tree and not isinstance(found, dict)):
            raise ModelError(f"The HDF5 file holds {shown(name)} twice, so that it can be read two ways.")
        if key in tree:
            _merge(tree[key], found, name)
        else:
            tree[key] = found


def numbers(dataset: Any) -> NDArray[np.float32]:
    """Read a dataset's values as 32-bit numbers, bfloat16 among them. Raises: ModelError."""
    if isinstance(dataset, h5py.Dataset) and dataset.dtype == _BFLOAT16:
        return (np.asarray(dataset[()]).view("<u2").astype("<u4") << 16).view("<f4").reshape(dataset.shape)
    if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "fiu":
        name = shown(getattr(dataset, "name", dataset))
        raise ModelError(f"{name} holds weights that are not plain numbers. {RESAVE}")
    with np.errstate(over="ignore"):  # what is too large becomes infinite, which is said of it later
        return np.asarray(dataset[()], dtype=np.float32)
