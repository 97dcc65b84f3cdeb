"""What a person declared of a model's Lambda layers, checked by itself and against the model."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from ...cnn.declared import DeclaredLambda, Lambdas
from ..errors import ModelError, UndeclaredLambdas, shown

_LAMBDAS = TypeAdapter(Lambdas)
_LISTED = 4  # in a sentence
_EXAMPLE = '{"scale": 0.003921569, "offset": 0}'


def parse_lambdas(written: Any) -> dict[str, DeclaredLambda]:
    """Return the declarations in a value, or in its JSON, by the names of layers. Raises: ModelError.

    None and an empty text declare nothing.
    """
    if written is None or written == "":
        return {}
    try:
        text = written if isinstance(written, str) else json.dumps(written)
        return _LAMBDAS.validate_json(text)
    except ValidationError as error:
        raise ModelError(_sentence(error)) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise ModelError(f"“lambdas” is no JSON that can be read; expected {_expected()}.") from error


def write_lambdas(lambdas: Mapping[str, DeclaredLambda]) -> str:
    """Return declarations as JSON, the same for the same ones; an empty text for none."""
    plain = {name: each.model_dump(mode="json", exclude_defaults=True) for name, each in lambdas.items()}
    return json.dumps(plain, sort_keys=True) if plain else ""


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    if "ctx" in first and isinstance(cause := first["ctx"].get("error"), ValueError):
        return f"“lambdas” contradicts itself: {cause}."
    path = ".".join(str(part) for part in first["loc"][:2] if part != "[key]")  # deeper ones name kinds of numbers
    where = f"“lambdas” is wrong at {shown(path)}" if path else "“lambdas” is wrong"
    return f"{where}: {first['msg'].removeprefix('Input ')}; expected {_expected()}."


def _expected() -> str:
    return f'{{"name of the Lambda": {_EXAMPLE}}}'


def check_declared(found: Sequence[str], declared: Mapping[str, DeclaredLambda], functions: Mapping[str, str]) -> None:
    """Refuse a model with Lambdas that were not declared, or a declaration of what it has not.

    found: the model's Lambdas. functions: the names of their functions, where the file says them.
    Raises: UndeclaredLambdas, ModelError.
    """
    if unknown := [name for name in declared if name not in found]:
        has = f"its Lambdas are {_listed(found)}" if found else "it has none"
        raise ModelError(f"“lambdas” declares {shown(unknown[0])}, no Lambda layer of this model: {has}.")
    missing = list(dict.fromkeys(name for name in found if name not in declared))
    if missing:
        raise UndeclaredLambdas(_undeclared(missing, functions), missing)


def _undeclared(missing: Sequence[str], functions: Mapping[str, str]) -> str:
    first = missing[0]
    called = f" with the function {shown(functions[first])}" if first in functions else ""
    what = (
        f"The layer {shown(first)} is a Lambda{called}, which is Python code of its author and never run here"
        if len(missing) == 1
        else f"The layers {_listed(missing)} are Lambdas, which are Python code of their author and never run here"
    )
    example = f"{{{json.dumps(first, ensure_ascii=False)[: 2 + 80]}: {_EXAMPLE}}}"
    return (
        f"{what}. Say what it computes: the page asks for it when the file is opened there, the API takes "
        f"lambdas={example} (for x / 255) with the file, and a card beside the file takes the same as “lambdas”. Or "
        "put keras.layers.Rescaling(1 / 255) or the like in its place, and save the model again."
    )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(map(shown, names[:_LISTED])) + more
