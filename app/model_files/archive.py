"""A .keras file: a zip of config.json, metadata.json and the weights. Nothing is ever unpacked to disk."""

import io
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from .errors import RESAVE, ModelError, shown
from .foreign import describe_zip
from .limits import ARCHIVE_MEMBERS, COMPRESSION_RATIO, CONFIG_BYTES, METADATA_BYTES, SMALL_BYTES, WEIGHTS_BYTES
from .regular_files import RegularFile

_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_LIMITS = {_CONFIG: CONFIG_BYTES, _METADATA: METADATA_BYTES, _WEIGHTS: WEIGHTS_BYTES}
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1


@dataclass(frozen=True)
class Archive:
    """A .keras file's members, in memory."""

    config: bytes
    metadata: bytes
    weights: bytes  # an HDF5 file


def read_archive(path: Path) -> Archive:
    """Read the three members of a .keras file. Raises: ModelError."""
    try:
        with io.BufferedReader(RegularFile(path)) as opened, zipfile.ZipFile(opened) as file:
            members = _checked(file.infolist())
            config, metadata, weights = (_read(file, members[name]) for name in _LIMITS)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise ModelError(_DAMAGED if _has_end(path) else _CUT) from error
    return Archive(config, metadata, weights)


_CUT = "This zip has no end: it was cut in the download, or while it was saved. Download or save it again."
_DAMAGED = "This zip is damaged within: its parts do not fit together. Download or save it again."
_END, _END_BYTES = b"PK\x05\x06", 2**16 + 22  # of a zip: its last record, with a comment


def _has_end(path: Path) -> bool:
    """Return whether a zip has the list of its members at its end."""
    try:
        with RegularFile(path) as file:
            file.seek(max(0, file.size - _END_BYTES))
            return _END in (file.read(_END_BYTES) or b"")
    except OSError:
        return False


def _checked(members: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """Return the members by name, each of them expected. Raises: ModelError."""
    if sentence := describe_zip([member.filename for member in members]):
        raise ModelError(sentence)
    if len(members) > ARCHIVE_MEMBERS:
        raise ModelError(f"The archive has {len(members):,} members, where a .keras file has three. {RESAVE}")
    by_name: dict[str, zipfile.ZipInfo] = {}
    for member in members:
        if _is_folder_of_assets(member):
            continue
        _check(member)
        if member.filename in by_name:
            raise ModelError(f"The archive holds {shown(member.filename)} twice, so that it can be read two ways.")
        by_name[member.filename] = member
    for name in _LIMITS:
        if name not in by_name:
            raise ModelError(f"This zip is no .keras file: it has no {name}. {RESAVE}")
    return by_name


def _is_folder_of_assets(member: zipfile.ZipInfo) -> bool:
    return member.filename == "assets/" and member.file_size == 0


def _check(member: zipfile.ZipInfo) -> None:
    name = member.filename
    if "\\" in name or name.startswith("/") or ".." in name.split("/") or ":" in name:
        raise ModelError(f"The archive's member {shown(name)} points out of the archive, which no model needs.")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise ModelError(f"The archive's member {shown(name)} is a link, which no model needs.")
    if name not in _LIMITS:
        raise ModelError(f"The archive holds {shown(name)}, which is no part of a .keras file.")
    if member.flag_bits & _ENCRYPTED or member.compress_type not in _METHODS:
        raise ModelError(f"The archive's member {shown(name)} is encrypted or packed in an unusual way. {RESAVE}")
    if member.file_size > _LIMITS[name]:
        raise ModelError(f"{name} has {member.file_size:,} bytes; at most {_LIMITS[name]:,} are read.")
    if member.file_size > max(SMALL_BYTES, COMPRESSION_RATIO * member.compress_size):
        raise ModelError(f"{name} unpacks to more than {COMPRESSION_RATIO} times its size, as a zip bomb does.")


def _read(file: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Read a member, and no more bytes than it declares, whatever its stream would unpack to."""
    with file.open(member) as stream:
        return stream.read(member.file_size)
