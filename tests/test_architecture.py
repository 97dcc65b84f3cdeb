"""Imports in app/ go down, never up, never round."""

import ast
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "app").rglob("*.py"))


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}

# What each room may import, beside itself and the standard library. A room that is not here may import nothing.
ALLOWED = {
    "app.settings": "pydantic pydantic_settings",
    "app.temporary": "",
    "app.datasets": "numpy PIL",
    "app.imaging": "numpy PIL isal",
    "app.cnn": "numpy pydantic",
    "app.cnn.litert": "numpy ai_edge_litert flatbuffers app.cnn",
    "app.cnn.tensorflow": "numpy keras tensorflow app.cnn",
    "app.model_files": "numpy pydantic h5py app.cnn app.imaging",
    "app.workers": "numpy app.cnn app.model_files",
    "app.library": "pydantic fsspec app.temporary app.cnn app.model_files app.workers",
    "app.explore": "numpy pydantic app.cnn app.datasets app.imaging app.library",
    "app.attribution": "numpy app.cnn app.explore app.imaging",
    "app.experiments": "numpy app.cnn app.datasets app.library app.explore",
    "app.atlas": "numpy PIL app.cnn app.datasets app.imaging app.explore app.experiments",
    "app.lab": "numpy pydantic PIL app.cnn app.imaging app.library app.explore",
    # Beside web, which shows them: a lesson knows models and answers, and no HTTP.
    "app.lessons": "markdown_it numpy app.cnn app.datasets app.explore app.imaging app.library app.model_files",
    "app.hosting": "fastapi starlette uvicorn limits redis prometheus_client app.settings app.temporary",
    "app.web": "fastapi starlette anyio pydantic jinja2 markupsafe numpy prometheus_client app.__version__ "
    "app.settings app.atlas app.cnn app.datasets app.imaging app.model_files app.library app.explore app.attribution "
    "app.experiments app.lab app.lessons app.hosting",
    "app.training": "numpy PIL pydantic typer keras tensorflow app.cnn app.datasets app.imaging",
    # Beside the pages and the API, whose answers it gives to scripts.
    "app.scripting": "numpy PIL pydantic app.settings app.temporary app.attribution app.cnn app.explore app.imaging "
    "app.library app.model_argument app.model_files app.web",
    # A kernel starts a server with it: hosting is what runs in that process.
    "app.notebook": "app.settings app.temporary app.hosting app.imaging app.library app.model_argument app.scripting",
    "app.client": "numpy httpx2 app.cnn app.scripting app.web",
    "app.main": "fastapi starlette app.__version__ "
    "app.settings app.cnn app.imaging app.workers app.library app.explore app.lab app.lessons app.hosting app.web",
    "app.scale": "fastapi ray app.main",
    "app.cli": "typer pydantic app.settings app.temporary app.cnn app.datasets app.library app.hosting app.training "
    "app.evaluation_command app.experiment_command app.maps_command",
    "app.evaluation_command": "typer app.settings app.cnn app.explore app.library app.model_argument app.model_files",
    "app.experiment_command": "typer app.settings app.cnn app.experiments app.explore app.library app.model_argument "
    "app.model_files",
    "app.maps_command": "typer app.cnn app.library app.model_files app.scripting",
    "app.model_argument": "app.settings app.cnn app.explore app.library app.workers",
}


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def room_of(module: str) -> str:
    """Return the innermost room that a module is in."""
    return max((room for room in ALLOWED if within(module, room)), key=len, default=module)


def imports_in(source: str, module: str, is_package: bool = False) -> Iterator[str]:
    """Return everything that a module imports, anywhere in its text, by its full name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = module.split(".")
            base = parts[: len(parts) - node.level + is_package] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{start}.{alias.name}" for alias in node.names)


def imports_of(module: str) -> Iterator[str]:
    path = MODULES[module]
    return imports_in(path.read_text(encoding="utf-8"), module, path.name == "__init__.py")


def not_allowed(module: str, names: Iterator[str]) -> list[str]:
    """Return those of a module's imports that its room may not have."""
    room = room_of(module)
    allowed = [room, *ALLOWED.get(room, "").split()]
    return [
        name
        for name in names
        if name.partition(".")[0] not in sys.stdlib_module_names
        and not any(within(name, each) for each in allowed)
        and not (room == "app.cnn" and only_when_needed(module, name))
        and not (room in {"app.model_files", "app.workers"} and only_when_needed(module, name))
    ]


# Keras and TensorFlow take seconds to start, and LiteRT is not everywhere: few modules name them, inside functions or
# for a type alone.
ONLY_WHEN_NEEDED = {
    "app.cnn.network": "app.cnn.litert app.cnn.tensorflow",
    "app.cnn.definition": "keras",
    "app.cnn.kinds": "app.cnn.litert",
    "app.model_files.loading": "keras",
    "app.model_files.layers": "keras app.model_files.keras_builder",
    "app.model_files.keras_builder": "keras app.cnn.tensorflow",
    "app.workers.opener": "tensorflow",
    "app.workers.runner": "tensorflow app.cnn.litert app.cnn.tensorflow",
    "app.cli": "app.training",
}


def only_when_needed(module: str, name: str) -> bool:
    return any(
        within(module, importer) and any(within(name, each) for each in names.split())
        for importer, names in ONLY_WHEN_NEEDED.items()
    )


@pytest.mark.parametrize("module", [module for module in MODULES if module != "app"])
def test_a_module_imports_only_what_its_room_may(module: str) -> None:
    assert not_allowed(module, imports_of(module)) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("app.model_files.archive", "import app.web"),
        ("app.model_files.archive", "from app.web.errors import Problem"),
        ("app.model_files.archive", "from ..web.errors import Problem"),
        ("app.imaging.drawing", "import h5py"),
        ("app.imaging.drawing", "from app.cnn.card import Card"),
        ("app.cnn.network", "def late():\n    from fastapi import FastAPI"),
        ("app.cnn.kinds.dense", "import keras"),
        ("app.hosting.logs", "from app.web import errors"),
        ("app.explore.inspection", "import starlette"),
        ("app.training.loop", "from app.web import pages"),
        ("app.library.files", "import requests"),
        ("app.somewhere.new", "import numpy"),
    ],
)
def test_this_test_sees_what_is_not_allowed(module: str, source: str) -> None:
    assert not_allowed(module, imports_in(source, module))


def test_every_room_is_there() -> None:
    assert {room_of(module) for module in MODULES if module != "app"} == set(ALLOWED)


def test_imports_never_go_round() -> None:
    graph = {}
    for module in MODULES:
        # `from app.cnn import network` names a module, `from app.cnn.network import Network` what is in one.
        names = {name if name in MODULES else name.rpartition(".")[0] for name in imports_of(module)}
        graph[module] = {name for name in names if name in MODULES and name != module}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"Imports go round: {' -> '.join(error.args[1])}")


def test_only_the_extra_imports_ray() -> None:
    """It is large, and not installed with Layerglass itself."""
    users = {module for module in MODULES for name in imports_of(module) if within(name, "ray")}
    assert users == {"app.scale"}


KNOW_KERAS = ("app.cnn.tensorflow", "app.model_files.keras_builder", "app.training", "keras", "tensorflow")


def test_keras_is_imported_only_when_needed() -> None:
    """At the top of a module, only those import it that are themselves imported when it is needed."""
    for module, path in MODULES.items():
        if not any(within(module, each) for each in KNOW_KERAS):
            top = ast.Module(ast.parse(path.read_text(encoding="utf-8")).body, [])
            top.body = [node for node in top.body if isinstance(node, ast.Import | ast.ImportFrom)]
            names = list(imports_in(ast.unparse(top), module, path.name == "__init__.py"))
            assert not [name for name in names if any(within(name, each) for each in KNOW_KERAS)], module


def test_every_built_in_model_answers_without_tensorflow() -> None:
    """Which takes seconds to start, and most of the memory that a server would have."""
    program = """
        import sys
        from fastapi.testclient import TestClient
        from app.main import create_app
        from tests.pictures import four_png
        with TestClient(create_app(), base_url="http://localhost") as client:
            drawing = {"drawing": four_png()}
            for model in client.get("/api/models").json():
                for pooling in ("max", "average", "min"):
                    path, form = f"/api/models/{model['name']}/feature-maps", {"pooling": pooling}
                    answer = client.post(path, files=drawing, data=form)
                    assert answer.status_code == 200, answer.text
        print(len(answer.json()), sorted({"keras", "tensorflow", "h5py"} & sys.modules.keys()))
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.endswith("['h5py']\n"), done.stderr
