"""The page in a notebook's cell."""

import atexit
import os
import threading
from collections import OrderedDict
from contextlib import ExitStack
from html import escape
from os import PathLike, fspath
from pathlib import Path

from ..library.files import ENDINGS, Stamp, find_files, stamp_of
from ..library.library import UnknownModel
from ..model_argument import NoSuchFile
from ..scripting.in_memory import SavesItself, save
from ..scripting.model import Model
from ..scripting.pictures import Picture, read_picture
from ..settings import Settings
from .address import page_path
from .server import LocalServer

_HEIGHT = 760  # CSS pixels
_LOWEST, _HIGHEST = 200, 10_000
_MOST_SERVERS = 4  # of a kernel, with about 150 MB each
_FRAME = (
    "<iframe src='{address}' title='{title}' allow='fullscreen; clipboard-write' "
    "style='display:block;width:100%;height:{height}px;border:0'></iframe>"
)

_Key = tuple[Path, Stamp | None] | None  # of a server: the file that it was started with
_servers: OrderedDict[_Key, LocalServer] = OrderedDict()
_lock = threading.Lock()


class Shown:
    """A page that a notebook shows in a frame."""

    def __init__(self, server: LocalServer, model: str | None, picture: bytes | None, height: int) -> None:
        """model: its name; None is the one that the page opens with. height: CSS pixels. Raises: InvalidDrawing."""
        self.model = model
        self.height = height
        self.address = server.address + page_path(model, picture)  # also for a tab of its own
        self._server = server

    def close(self) -> None:
        """End the server, before the kernel does. Frames of other cells may be its as well."""
        self._server.close()

    def __repr__(self) -> str:
        return f"<the page at {self.address.partition('#')[0]}>"

    def _repr_html_(self) -> str:
        title = escape(f"Layerglass: {self.model}" if self.model else "Layerglass", quote=True)
        return _FRAME.format(address=escape(self.address, quote=True), title=title, height=self.height)


def show(
    model: str | PathLike[str] | SavesItself | None = None, picture: Picture | None = None, height: int = _HEIGHT
) -> Shown:
    """Show the page in a notebook's cell, from a server on this machine that ends with the kernel.

    model: a .keras, .h5, .hdf5 or .zip file; the name of a model that comes with Layerglass; a Keras model in memory,
    as it is now; None is the one that the page opens with. picture: what lies on the pad, as for Model.run. height: of
    the frame, 200 to 10,000 CSS pixels.
    Raises: FileNotFoundError; LookupError, if no model has this name; ValueError, if the model or the picture cannot be
    opened; RuntimeError, if the server does not start.
    """
    if not _LOWEST <= height <= _HIGHEST:
        raise ValueError(f"A frame is {_LOWEST} to {_HIGHEST:,} pixels high. Received: {height}.")
    content = None if picture is None else read_picture(picture)
    settings = Settings()
    with ExitStack() as stack:
        path, name = _find(model, settings, stack)
        page_path(name, content)  # what is no picture is refused before a server starts
        server = _server_for(path, settings, stack)
    server.require_model(name)
    return Shown(server, name, content, height)


def _find(model: object, settings: Settings, stack: ExitStack) -> tuple[Path | None, str | None]:
    """Return the file to serve beside those that are there, and the model's name; None if there is none to name."""
    if model is None:
        return None, None
    if isinstance(model, Model):
        raise TypeError("Give show what you gave open: a file, a name, or a Keras model.")
    path = Path(fspath(model) if isinstance(model, str | PathLike) else save(model, stack)).expanduser()  # type: ignore[arg-type]
    if path.suffix.lower() not in ENDINGS and not path.is_file():
        names = {file.name: file for file in find_files(settings.built_in_models, settings.models, settings.model)}
        if str(model) not in names:
            raise UnknownModel(str(model), names)
        return None, str(model)
    if not path.is_file():
        raise NoSuchFile(f"There is no file {path}.")
    if os.pathsep in str(path.absolute()):
        raise ValueError(f"{path} has a “{os.pathsep}” in it, which separates paths. Rename it.")
    return path, _name_of(path, settings)


def _name_of(path: Path, settings: Settings) -> str:
    """Return the name by which the server knows a file."""
    files = find_files(settings.built_in_models, settings.models, (*settings.model, path.absolute()))
    return next(file.name for file in files if file.path.samefile(path))


def _server_for(path: Path | None, settings: Settings, stack: ExitStack) -> LocalServer:
    """Return the server that has this file, or start one, which ends the oldest of several.

    stack: what a new server keeps until it ends, the file of a model in memory among it.
    """
    key = None if path is None else (path.absolute(), stamp_of(path))
    with _lock:
        server = _servers.pop(key, None)
        if server is None or not server.is_running:
            server = LocalServer([path] if path else [], settings, stack.pop_all())
        _servers[key] = server
        while len(_servers) > _MOST_SERVERS:
            _servers.popitem(last=False)[1].close()
    return server


@atexit.register
def close_all() -> None:
    """End all servers. Those of a kernel that is killed end by themselves."""
    while _servers:
        _servers.popitem()[1].close()
