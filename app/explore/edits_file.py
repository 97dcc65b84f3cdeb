"""Edits of a network in a file, as JSON: those that are too many for an address, and those that are to be kept."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..cnn.edits import MOST_EDITS, Edits
from ..cnn.errors import InvalidEdit
from ..cnn.network import Network

_NAME = 200  # characters
MOST_CHARACTERS = 131_072  # of a file


class EditsFile(BaseModel):
    """Edits, and the model that they were made in."""

    model_config = ConfigDict(extra="forbid")

    model: Annotated[str, Field(max_length=_NAME, description="The model's name.")]
    fingerprint: Annotated[str | None, Field(max_length=64)] = Field(
        None, description="Tells the model's layers and weights from others; without it, the name does."
    )
    edits: Annotated[list[str], Field(max_length=MOST_EDITS)] = Field(
        description="The edits in the order in which they were made, each as text.", examples=[["mute:conv1.3"]]
    )

    @classmethod
    def of(cls, network: Network, edits: Edits) -> "EditsFile":
        """Return the file of edits. network: as it was before them."""
        texts = [edit.write() for edit in edits]
        return cls(model=network.name, fingerprint=network.definition.fingerprint, edits=texts)


def read_edits(text: str, network: Network) -> Edits:
    """Return the edits that a text tells of, or what is in a file. network: to be edited. Raises: InvalidEdit."""
    if not text.lstrip().startswith("{"):
        return Edits.parse(text)
    if len(text) > MOST_CHARACTERS:
        raise InvalidEdit(f"This file of edits is {len(text):,} characters long; {MOST_CHARACTERS:,} are read at most.")
    try:
        file = EditsFile.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = "".join(f" at “{'.'.join(map(str, first['loc']))}”" for _ in first["loc"][:1])
        raise InvalidEdit(
            f"This is no file of edits: {first['msg'].lower()}{place}. Such a file is a JSON object with “model”, "
            "“fingerprint” and “edits”, as Layerglass saves it."
        ) from error
    _require_same(file, network)
    return Edits.parse(";".join(file.edits))


def describe_saved(network: Network, edits: str) -> dict[str, Any]:
    """Return what the metadata of a saved network says of it: the classes' names, and what was edited."""
    return {"model": network.name, "edits": edits, "labels": network.card.classes}


def _require_same(file: EditsFile, network: Network) -> None:
    """Raises: InvalidEdit, where the edits were made in another model."""
    if file.fingerprint is None:
        if file.model != network.name:
            raise InvalidEdit(_OTHER.format(made_in=file.model, here=network.name))
    elif file.fingerprint != network.definition.fingerprint:
        name = "another version of it" if file.model == network.name else f"“{file.model}”"
        raise InvalidEdit(f"These edits were made in {name}, and this is “{network.name}”: {_CHOOSE}")


_CHOOSE = "its layers or weights are others. Choose the model that they were made in."
_OTHER = "These edits were made in “{made_in}”, and this is “{here}”. Choose the model that they were made in."
