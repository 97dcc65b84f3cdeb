"""A server's models and their runs: each method is one request to its API."""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self, Unpack
from urllib.parse import quote

import httpx2
import numpy as np

from ..cnn.types import Array
from ..scripting.answers import Cell, Comparison, Prediction
from ..scripting.explanations import Attribution, Contributions
from ..scripting.model import Model, RunRequest
from ..scripting.options import AttributionKeywords, AttributionOptions, GridKeywords, GridOptions, read_pooling
from ..scripting.run import Run, read_class
from ..web.schemas import ModelDetails
from .transport import Transport

_SECONDS = 100.0  # that an answer may take: a little more than a server gives itself


def connect(url: str, timeout: float = _SECONDS, client: httpx2.Client | None = None) -> "Server":
    """Return a running server's models.

    url: such as http://127.0.0.1:8000. timeout: seconds that an answer may take. client: sends the requests, where a
    proxy, certificates or a password are needed.
    Raises: ServerError, if there is no server.
    """
    server = Server(Transport(client or httpx2.Client(base_url=url, timeout=timeout)))
    server.names()
    return server


class Server:
    """A running server."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def names(self) -> list[str]:
        """Return the names of its models, the default one first. Raises: ServerError."""
        return [str(each["name"]) for each in self._transport.get("/api/models").json()]

    @property
    def models(self) -> "RemoteModels":
        """Its models by name: server.models["digits"]."""
        return RemoteModels(self)

    def model(self, name: str) -> "RemoteModel":
        """Return a model. Raises: LookupError, if the server has none of this name; ServerError."""
        details = self._transport.get(f"/api/models/{quote(name, safe='')}").content
        return RemoteModel(self._transport, ModelDetails.model_validate_json(details))

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class RemoteModels(Mapping[str, "RemoteModel"]):
    """A server's models by name, as they are there whenever it is asked."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def __getitem__(self, name: str) -> "RemoteModel":
        return self._server.model(name)

    def __contains__(self, name: object) -> bool:
        return name in self._server.names()

    def __iter__(self) -> Iterator[str]:
        return iter(self._server.names())

    def __len__(self) -> int:
        return len(self._server.names())

    def __repr__(self) -> str:
        return f"<models {', '.join(self)}>"


class RemoteModel(Model):
    """A model on a server."""

    def __init__(self, transport: Transport, details: ModelDetails, edits: str = "") -> None:
        self.name = details.name
        self._transport, self._details, self._edits = transport, details, edits

    @property
    def details(self) -> ModelDetails:
        return self._details

    def close(self) -> None:
        """Do nothing: the connection is the server's."""

    def edited(self, edits: str) -> "RemoteModel":
        checked = [self._post("", text).json()["edits"] for text in (self._edits, edits) if text]
        made = self._post("", ";".join(checked)).json()["edits"]
        return RemoteModel(self._transport, self._details, made)

    def save(self, path: str | PathLike[str], pooling: str | None = None) -> None:
        mode = read_pooling(pooling)
        fields = {} if mode is None else {"pooling": str(mode)}
        Path(path).write_bytes(self._post(".keras", self._edits, fields).content)

    def _post(self, ending: str, edits: str, fields: Mapping[str, str] = MappingProxyType({})) -> httpx2.Response:
        path = f"/api/models/{quote(self.name, safe='')}/edits{ending}"
        return self._transport.post(path, {"edits": edits, **fields}, {})

    def _start(self, request: RunRequest) -> "RemoteRun":
        return RemoteRun(self._transport, self._details, replace(request, edits=self._edits))


class RemoteRun(Run):
    """A picture that a server has run. It is sent again with each request, and the server remembers the last runs."""

    def __init__(self, transport: Transport, details: ModelDetails, request: RunRequest) -> None:
        maps = [
            layer.name
            for layer in details.layers
            if len(layer.output_shape) == 3 and (layer.kernel_size or layer.pooling or layer.pool_size)
        ]
        super().__init__(details.name, request.pooling, maps)
        self._transport, self._path = transport, f"/api/models/{quote(details.name, safe='')}"
        self._fields, self._files = _make_form(request)
        answer = None if len(details.layers[-1].output_shape) > 2 else self._post("/prediction").json()
        self._prediction = Prediction.from_document(answer) if answer else None
        if answer is None:
            self._npz  # noqa: B018  # so that what cannot be run is refused now

    @property
    def prediction(self) -> Prediction | None:
        return self._prediction

    @cached_property
    def _npz(self) -> bytes:
        return self._post("/activations.npz").content

    @cached_property
    def arrays(self) -> Mapping[str, Array]:
        with np.load(io.BytesIO(self._npz)) as arrays:
            return dict(arrays)

    def npz(self) -> Iterator[bytes]:
        return iter([self._npz])

    def grid_png(self, layer: str, **options: Unpack[GridKeywords]) -> bytes:
        return self._post(
            f"/layers/{quote(layer, safe='')}/feature-maps.png", GridOptions.read(options).to_form()
        ).content

    def cell(self, layer: str, channel: int, row: int, column: int) -> Cell:
        path = f"/layers/{quote(layer, safe='')}/feature-maps/{channel}/cells/{row},{column}"
        return Cell.from_document(self._post(path).json())

    def contributions(
        self, target: str | int | None = None, against: str | int | None = None, layer: str | None = None
    ) -> Contributions:
        fields: dict[str, Any] = _name_classes(target, against) | ({} if layer is None else {"layers": [layer]})
        document = self._post("/contributions", fields).json()
        return Contributions.from_document(document, lambda: self._load("/contributions.npz", fields))

    def attribution(
        self,
        method: str,
        target: str | int | None = None,
        against: str | int | None = None,
        **options: Unpack[AttributionKeywords],
    ) -> Attribution:
        fields = _name_classes(target, against) | AttributionOptions.read(options).to_form()
        path = f"/attributions/{quote(method, safe='')}"
        document = self._post(path, fields).json()
        return Attribution.from_document(document, lambda: self._load(f"{path}.npz", fields))

    def _load(self, path: str, fields: Mapping[str, Any]) -> Mapping[str, Array]:
        with np.load(io.BytesIO(self._post(path, fields).content)) as arrays:
            return dict(arrays)

    def compare(self, *layers: str) -> Comparison:
        fields: dict[str, Any] = {"layers": list(layers)} if layers else {}
        return Comparison.from_document(self._post("/comparison", fields, leave_out="pooling").json())

    def _post(self, path: str, fields: Mapping[str, Any] | None = None, leave_out: str = "") -> httpx2.Response:
        form = {name: value for name, value in self._fields.items() if name != leave_out} | dict(fields or {})
        return self._transport.post(self._path + path, form, self._files)


def _name_classes(target: str | int | None, against: str | int | None) -> dict[str, str]:
    """Return the fields of the API's form that ask for these classes."""
    named = {"target": read_class(target), "against": read_class(against)}
    return {name: value for name, value in named.items() if value is not None}


def _make_form(request: RunRequest) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the fields and the files of the API's form."""
    fields: dict[str, Any] = {}
    if request.pooling is not None:
        fields["pooling"] = str(request.pooling)
    if request.region is not None:
        fields["region"] = ",".join(map(str, request.region))
    if request.blank:
        fields["blank"] = "true"
    if request.edits:
        fields["edits"] = request.edits
    if request.input is not None:
        fields["input"] = request.input
    if numbers := {name: value for name, value in request.held.items() if not isinstance(value, bytes)}:
        fields["held"] = json.dumps(numbers)
    files = {f"held_{name}": value for name, value in request.held.items() if isinstance(value, bytes)}
    return fields, files | ({} if request.drawing is None else {"drawing": request.drawing})
