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


def imports_of(module: str) -> Iterator[str]:
    """Everything that a module imports, anywhere in its text, by its full name."""
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def modules_in(*packages: str) -> list[str]:
    return [module for module in MODULES if any(within(module, package) for package in packages)]


def forbidden_imports(importers: list[str], *packages: str) -> list[str]:
    assert importers
    return [
        f"{module} imports {name}"
        for module in importers
        for name in imports_of(module)
        if any(within(name, package) for package in packages)
    ]


def test_this_test_sees_imports() -> None:
    assert "app.cnn.network.Network" in set(imports_of("app.library.library"))
    assert forbidden_imports(["app.library.library"], "app.cnn")


def test_imaging_knows_numpy_and_pillow_only() -> None:
    outside = ("keras", "tensorflow", "fastapi", "starlette", "jinja2", "pydantic", "app.cnn", "app.web")
    assert (
        forbidden_imports(
            modules_in("app.imaging"), *outside, "app.explore.exploration", "app.library.library", "app.training"
        )
        == []
    )


def test_the_network_knows_no_http_no_html_and_no_png() -> None:
    outside = (
        "fastapi",
        "starlette",
        "jinja2",
        "PIL",
        "app.web",
        "app.explore.exploration",
        "app.library.library",
        "app.imaging",
    )
    assert forbidden_imports(modules_in("app.cnn"), *outside) == []


def test_hosting_knows_no_models_no_templates_and_no_pages() -> None:
    outside = ("app.web", "app.explore", "app.library", "app.cnn", "app.model_files", "app.imaging", "jinja2")
    assert forbidden_imports(modules_in("app.hosting"), *outside) == []


def test_the_service_knows_no_http() -> None:
    services = modules_in("app.explore", "app.library")
    assert forbidden_imports(services, "app.web", "fastapi", "starlette", "jinja2") == []


def test_only_the_command_line_knows_training() -> None:
    others = [module for module in MODULES if not within(module, "app.training") and module != "app.cli"]
    assert forbidden_imports(others, "app.training") == []


def test_training_knows_no_web() -> None:
    assert forbidden_imports(modules_in("app.training"), "app.web", "app.main", "fastapi", "starlette") == []


def test_the_web_layer_alone_knows_fastapi() -> None:
    others = [
        module for module in MODULES if not any(within(module, each) for each in ("app.web", "app.hosting", "app.main"))
    ]
    assert forbidden_imports(others, "fastapi", "starlette") == []


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


KNOW_KERAS = ("app.cnn.tensorflow", "app.model_files.keras_builder", "app.training", "keras", "tensorflow")
ONLY_WHEN_NEEDED = {"app.cnn.network", "app.model_files.layers", "app.model_files.worker", "app.cli"}


def test_few_know_keras() -> None:
    others = [module for module in MODULES if not any(within(module, each) for each in KNOW_KERAS)]
    found = {line.split()[0] for line in forbidden_imports(others, *KNOW_KERAS)}
    assert found - {"app.model_files.loading", "app.cnn.definition"} == ONLY_WHEN_NEEDED  # those two name a type


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
