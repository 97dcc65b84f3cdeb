"""The REST API: edits of a network, checked and told in words, and what is kept of them in files."""

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from os import SEEK_END
from typing import IO, Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from ..cnn.edits import Edits
from ..cnn.network import Network
from ..cnn.types import PoolingMode
from ..explore.edits_file import EditsFile, describe_saved, read_edits
from ..hosting.admission import ADMITTED
from ..library.uploads import StorageError
from ..model_files.writing import read_parts, write_keras_file
from .api import attachment, file_response
from .errors import POST_ERRORS, problem_responses
from .forms import EditsField, ModelPath, edit_network, open_network

router = APIRouter()

_REFUSED = problem_responses(HTTPStatus.NOT_FOUND) | POST_ERRORS


class EditsAnswer(BaseModel):
    """Edits that can be made in a model."""

    model: str
    edits: str = Field(description="The same edits as text, each as short as it can be written; later ones count.")
    words: list[str] = Field(description="What each of them does.", examples=[["conv1 map 3 muted"]])


@dataclass(frozen=True)
class EditedNetwork:
    """A network, and what it is with edits made in it."""

    network: Network
    edited: Network
    edits: Edits


async def get_edited(request: Request, model: ModelPath, edits: EditsField = "") -> EditedNetwork:
    """Open a model, and make the edits of the form in it. Raises: UnknownModel, ModelError, InvalidEdit."""
    network = await open_network(request, model)
    made = read_edits(edits, network)
    return EditedNetwork(network, await edit_network(request, network, made), made)


EditedDep = Annotated[EditedNetwork, Depends(get_edited)]


@router.post("/api/models/{model}/edits", tags=["models"], responses=_REFUSED)
async def post_edits(found: EditedDep) -> EditsAnswer:
    """Check edits of a model, and tell them in words.

    Nothing is changed on the server: send the same `edits` with a drawing to run the model with them.
    """
    words = found.edits.describe(found.edited.layers)
    return EditsAnswer(model=found.network.name, edits=str(found.edits), words=words)


@router.post("/api/models/{model}/edits.json", tags=["models"], response_model=EditsFile, responses=_REFUSED)
async def post_edits_file(found: EditedDep) -> Response:
    """Download edits as a file, which the field `edits` takes as well, for this model and no other."""
    file = EditsFile.of(found.network, found.edits)
    headers = attachment(f"{found.network.name}-edits.json")
    return Response(file.model_dump_json(indent=1), media_type="application/json", headers=headers)


@router.post(
    "/api/models/{model}/edits.keras",
    tags=["models"],
    response_class=Response,
    responses=_REFUSED | file_response("application/zip") | problem_responses(HTTPStatus.INSUFFICIENT_STORAGE),
    dependencies=[ADMITTED],
)
def post_edited_model(
    found: EditedDep,
    pooling: Annotated[
        PoolingMode | None, Form(description="Replaces every pooling layer's mode; default: as the model was trained.")
    ] = None,
) -> Response:
    """Download the edited model as a .keras file that Keras 3 opens with the same answers.

    It holds layers of Keras' own and no others: a minimum pooling is a maximum pooling between two Rescaling layers.
    """
    network = found.edited
    told = describe_saved(network, str(found.edits))
    try:
        file = write_keras_file(network.definition.with_pooling(pooling), told)
    except OSError as error:
        raise StorageError.from_os_error(error) from error
    size = file.seek(0, SEEK_END)
    file.seek(0)
    headers = attachment(f"{network.name}-edited.keras") | {"Content-Length": str(size)}
    return StreamingResponse(_read(file), media_type="application/zip", headers=headers)


def _read(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        yield from read_parts(file)
