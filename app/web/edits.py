"""The REST API: edits of a network, checked and told in words."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from ..cnn.edits import Edits
from .errors import POST_ERRORS, problem_responses
from .forms import EditsField, ModelPath, edit_network, open_network

router = APIRouter()


class EditsAnswer(BaseModel):
    """Edits that can be made in a model."""

    model: str
    edits: str = Field(description="The same edits as text, each as short as it can be written; later ones count.")
    words: list[str] = Field(description="What each of them does.", examples=[["conv1 map 3 muted"]])


@router.post(
    "/api/models/{model}/edits", tags=["models"], responses=problem_responses(HTTPStatus.NOT_FOUND) | POST_ERRORS
)
async def post_edits(request: Request, model: ModelPath, edits: EditsField = "") -> EditsAnswer:
    """Check edits of a model, and tell them in words.

    Nothing is changed on the server: send the same `edits` with a drawing to run the model with them.
    """
    made = Edits.parse(edits)
    network = await edit_network(request, await open_network(request, model), made)
    return EditsAnswer(model=model, edits=str(made), words=made.describe(network.layers))
