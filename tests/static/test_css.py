"""Each component's style sheet styles that component alone, and nothing that no page has."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SHEETS = sorted((ROOT / "static" / "css").glob("*.css"))
COMPONENTS = {
    "answer": {"answer", "bars"},
    "atlas": {"atlas"},
    "card": {"card"},
    "chart": {"chart"},
    "cloud": {"cloud"},
    "compare": {"compare"},
    "compared": {"compared"},
    "differences": {"differences"},
    "digits": {"digits"},
    "edits": {"edits"},
    "experiments": {"experiments"},
    "help": {"help"},
    "hints": {"hints"},
    "inputs": {"inputs"},
    "lab": {"lab"},
    "layers": {"layer", "layers", "rail"},
    "lesson": {"lesson"},
    "lessons": {"lessons"},
    "layout": {"docs", "error-page", "masthead", "paper", "workspace"},
    "maps": {"lens", "maps"},
    "microscope": {"microscope"},
    "models": {"models"},
    "overview": {"overview"},
    "pad": {"pad"},
    "run": {"run"},
    "save": {"save"},
    "switches": {"switches"},
    "why": {"why"},
}
# These lay out for another medium what the others style: each of their rules says which medium that is.
MEDIA = {"lecture", "print"}
# Classes whose last part a template fills in.
FILLED_IN = {
    *(f"chart-style-{number}" for number in range(5)),
    *("is-fails", "is-holds", "is-open", "is-partly"),
    *(f"is-{digit}" for digit in range(10)),
    *("maps-grid", "maps-strip"),
    *("why-maps", "why-units"),
    *("is-map", "is-medium", "is-small"),
    *("is-on-dark", "is-on-light"),
    *("is-highest", "is-lowest"),
}
TEXTS = [path.read_text(encoding="utf-8") for path in (*ROOT.glob("templates/*.html"), *ROOT.glob("static/*.js"))]
CLASS = re.compile(r"\.([a-z][\w-]*)")

each_sheet = pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.stem)


def selectors(sheet: Path) -> list[str]:
    """Every selector of a style sheet, one by one."""
    text = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL)
    lists = [found for found in re.findall(r"([^{};]+)\{", text) if not found.lstrip().startswith("@")]
    return [" ".join(each.split()) for found in lists for each in re.split(r",(?![^()]*\))", found)]


def component_of(name: str) -> str | None:
    """The longest component whose prefix a class has."""
    names = {component for sheet in COMPONENTS.values() for component in sheet}
    found = [component for component in names if name == component or name.startswith(f"{component}-")]
    return max(found, key=len, default=None)


def test_every_sheet_is_known() -> None:
    assert {sheet.stem for sheet in SHEETS} == {"base", *COMPONENTS, *MEDIA}


@each_sheet
def test_a_sheet_styles_its_own_components_alone(sheet: Path) -> None:
    if sheet.stem in MEDIA:
        return
    strangers = []
    for selector in selectors(sheet):
        components = {component_of(name) for name in CLASS.findall(selector)} - {None}
        if sheet.stem == "base":
            strangers += [selector] * bool(components)
        elif not components & COMPONENTS[sheet.stem]:
            strangers.append(selector)
    assert strangers == []


def test_lecture_mode_changes_nothing_outside_of_it() -> None:
    sheet = ROOT / "static" / "css" / "lecture.css"
    strangers = {selector for selector in selectors(sheet) if "[data-lecture]" not in selector}
    assert strangers == set()


def test_printing_changes_nothing_on_the_screen() -> None:
    text = (ROOT / "static" / "css" / "print.css").read_text(encoding="utf-8")
    outside = re.sub(r"/\*.*?\*/|@media print \{.*?\n\}|@page \{.*?\n\}", "", text, flags=re.DOTALL)
    assert outside.split() == []


@each_sheet
def test_a_class_that_is_styled_is_on_a_page(sheet: Path) -> None:
    names = {name for selector in selectors(sheet) for name in CLASS.findall(selector)}
    assert {name for name in names - FILLED_IN if not is_used(name)} == set()


def is_used(name: str) -> bool:
    """Whether a template or a script names the class."""
    return any(re.search(rf"(?<![\w-]){name}(?![\w-])", text) for text in TEXTS)


def test_what_these_tests_look_for_would_be_found() -> None:
    assert component_of("layers-row") == "layers" and component_of("layer-fold") == "layer"
    assert component_of("note") is None
    assert is_used("microscope-matrix") and not is_used("models-matrix")
