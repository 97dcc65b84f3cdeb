"""A student does a lesson, by keyboard and on a phone; a teacher's folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize, expect

from app.lessons.expressions import parse_expression
from app.settings import Settings
from tests.browser.conftest import Server
from tests.lessons.texts import HEAD

PANEL = "#lesson"
PHONE: ViewportSize = {"width": 390, "height": 844}


def open_step(page: Page, lesson: str = "max-average-min", step: int = 1) -> None:
    with page.expect_response("**/exploration"):
        page.goto(f"/lessons/{lesson}/{step}")


def no_violations(page: Page) -> None:
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_a_lesson_from_the_list_to_the_next_one(page: Page, base_url: str, complaints: list[str]) -> None:
    page.goto("/lessons")
    expect(page.locator(".lessons-progress").first).to_be_hidden()
    page.click("text=Pooling halves")
    title = page.locator("#lesson-title")
    expect(title).to_contain_text("Half as wide")
    expect(page.locator("#microscope")).to_have_attribute("data-layer", "pool_1")
    page.fill("#lesson-answer", "23")
    page.click(f"{PANEL} button:text('Check')")
    expect(page.locator(".lesson-said")).to_contain_text("moves by its own width")
    expect(page.locator(".is-explain")).to_have_count(0)
    page.fill("#lesson-answer", "12")
    page.press("#lesson-answer", "Enter")
    expect(page.locator("[data-right]")).to_be_visible()
    expect(page.locator(".is-explain")).to_contain_text("12×12")
    for step in (2, 3, 4):
        page.click("text=Next")
        expect(title).to_contain_text(f"Step {step} of 4")
    page.click("text=Next lesson")
    expect(page.locator(PANEL)).to_have_attribute("data-lesson", "max-average-min")
    page.goto("/lessons")
    done = page.locator("[data-lesson=pooling-halves]")
    expect(done.locator(".lessons-progress")).to_contain_text("read to the end, 1 of 4 questions answered")
    page.click("text=Forget it")
    expect(done.locator(".lessons-progress")).to_be_hidden()
    assert complaints == []


def test_a_lesson_by_keyboard_alone(page: Page, base_url: str) -> None:
    open_step(page)
    page.keyboard.press("n")
    title = page.locator("#lesson-title")
    expect(title).to_contain_text("One cell alone")
    expect(title).to_be_focused()  # so that a screen reader goes on from there
    page.keyboard.press("b")
    expect(title).to_contain_text("One window, three results")
    expect(title).to_be_focused()
    page.keyboard.press("n")
    expect(title).to_contain_text("One cell alone")
    page.locator("[name=prediction]").first.focus()
    page.keyboard.press("ArrowDown")
    page.locator("[name=prediction]:checked").press("Tab")
    expect(page.locator("#lesson-answer")).to_be_focused()
    page.keyboard.type("n0")  # no step forward: a letter is being typed
    expect(title).to_contain_text("One cell alone")
    page.keyboard.press("Control+a")
    page.keyboard.type("0")
    page.keyboard.press("Enter")
    expect(page.locator("[data-right]")).to_be_visible()
    expect(page.locator(".is-explain .lesson-predicted")).to_have_text("You predicted: Average")
    expect(page.locator(".lesson-dots .is-done")).to_have_text("Step 2")


def test_the_answer_is_shown_when_it_is_asked_for(page: Page, base_url: str) -> None:
    open_step(page, "what-max-assumes", 2)
    reveal = page.locator("[data-reveal]")
    expect(reveal).to_be_hidden()
    page.click(f"{PANEL} button:text('Check')")
    expect(page.locator(".lesson-said")).to_contain_text("Give an answer first")
    page.locator("[name=answer]").first.check()
    page.click(f"{PANEL} button:text('Check')")
    expect(page.locator(".lesson-said")).to_contain_text("How many does it still read?")
    reveal.click()
    expect(page.locator(".lesson-said")).to_contain_text("11.38")
    expect(reveal).to_be_hidden()
    expect(page.locator(".lesson-dots .is-done")).to_have_count(0)


@pytest.mark.parametrize(
    ("lesson", "step"),
    [("a-kernel-slides", 1), ("max-average-min", 1), ("max-average-min", 3), ("a-complete-network", 3)],
)
def test_the_numbers_of_a_lesson_are_those_on_the_page(page: Page, server: Server, lesson: str, step: int) -> None:
    """The page shows the very sample that the lesson computes with, and no other rendering of it."""
    open_step(page, lesson, step)
    page.wait_for_load_state("networkidle")
    place = server.app.state.lessons.get(lesson).steps[step - 1].place
    value = server.app.state.vocabulary.resolver(place)(parse_expression("cell.value"))
    cell = page.locator("#microscope output")
    expect(cell).to_have_text(f"= {value:.4f}")
    with page.expect_response("**/exploration"):  # and so after the page is loaded with its strokes in the address
        page.evaluate("document.querySelector('[name=scale][value=layer]').click()")
    page.reload()
    page.wait_for_load_state("networkidle")
    assert "#d=" in page.url and "sample=" not in page.url
    expect(cell).to_have_text(f"= {value:.4f}")
    with page.expect_response("**/exploration"):
        page.click("[data-sample='3']")
    expect(cell).not_to_have_text(f"= {value:.4f}")
    page.click(f"[data-sample='{place.get('sample')}']")
    expect(cell).to_have_text(f"= {value:.4f}")


def test_what_was_drawn_goes_along_where_a_step_names_no_sample(page: Page, taught: Server) -> None:
    with page.expect_response("**/exploration"):
        page.goto(f"{taught.url}/lessons/own/1")
    page.click("#canvas", position={"x": 40, "y": 40})
    page.wait_for_url("**#d=*")
    drawing = page.url.partition("#")[2]
    assert "lesson=own.1" in page.url  # the address keeps the lesson while one draws
    page.click("text=Next")
    expect(page.locator("#lesson-title")).to_contain_text("Go on")
    assert page.url.partition("#")[2] == drawing
    page.click("[data-lesson-leave]")
    expect(page.locator(PANEL)).to_have_count(0)
    assert page.url.partition("#")[2] == drawing


def test_a_lesson_hides_controls(page: Page, taught: Server) -> None:
    with page.expect_response("**/exploration"):
        page.goto(f"{taught.url}/lessons/own/1")
    for hidden in ("#pooling", ".save-open", ".pad-samples", "#answer", ".overview-scroll", "#pen", ".switches-more"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.locator("#canvas")).to_be_visible()


def test_a_teacher_sees_what_is_wrong(page: Page, taught: Server) -> None:
    page.goto(f"{taught.url}/lessons")
    expect(page.locator(".lessons-broken")).to_contain_text("no layer “Fold”")
    no_violations(page)


def test_folding_makes_room(page: Page, base_url: str) -> None:
    open_step(page)
    page.click("[data-lesson-fold]")
    expect(page.locator(".lesson-body")).to_be_hidden()
    expect(page.locator("[data-lesson-fold]")).to_have_attribute("aria-expanded", "false")
    page.click("text=Next")
    expect(page.locator("#lesson-title")).to_contain_text("One cell alone")
    expect(page.locator(".lesson-body")).to_be_hidden()


def test_a_lesson_on_a_phone(page: Page, base_url: str, complaints: list[str]) -> None:
    page.set_viewport_size(PHONE)
    open_step(page)
    body = page.locator(".lesson-body")
    expect(body).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("#layer-pool_1 .maps-button").first.dispatch_event("pointerdown")  # a touch beside it
    expect(body).to_be_hidden()
    expect(page.locator("#microscope .is-result, #microscope .microscope-sum").first).to_be_visible()
    box, panel = page.locator("#dock").bounding_box(), page.locator(PANEL).bounding_box()
    assert box and panel and box["y"] + box["height"] <= panel["y"] + 1  # one above the other
    page.click("[data-lesson-fold]")
    page.fill("#lesson-answer", "0.536")
    page.press("#lesson-answer", "Enter")
    expect(page.locator("[data-right]")).to_be_visible()
    page.click("text=Next")
    expect(page.locator("#lesson-title")).to_contain_text("One cell alone")
    expect(body).to_be_visible()
    for control in page.locator(".lesson-head a.button, .lesson-head button, .lesson-leave").all():
        size = control.bounding_box()
        assert size and min(size["width"], size["height"]) >= 36
        assert size["x"] >= 0 and size["x"] + size["width"] <= PHONE["width"]
    assert complaints == []


@pytest.mark.parametrize(
    ("width", "height", "scheme"),
    [(390, 844, "dark"), (768, 1024, "light"), (1280, 800, "dark"), (1280, 800, "light"), (1920, 1080, "light")],
)
def test_is_accessible(page: Page, base_url: str, width: int, height: int, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": height})
    open_step(page, "what-max-assumes", 2)
    page.locator("[name=answer]").first.check()
    page.evaluate("document.querySelector('.lesson-question button').click()")
    expect(page.locator(".is-wrong")).to_be_visible()
    page.evaluate("document.querySelector('[data-reveal]').click()")
    expect(page.locator(".is-explain")).to_be_visible()
    no_violations(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto("/lessons")
    no_violations(page)


OWN = HEAD.replace("summary", "hide: [pooling, save, samples, answer, strip, tools, colours]\nsummary")


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder: Path = tmp_path_factory.mktemp("lessons")
    text = f"{OWN}\n## Draw\n\nPage: /?model=digits&layer=conv_1\n\nA.\n\n## Go on\n\nPage: /?model=digits\n\nB.\n"
    (folder / "own.md").write_text(text, encoding="utf-8")
    broken = f"{HEAD}\n## A\n\nPage: /\n\n```question\nask: What?\nnumber: layer.Fold.width\n```\n"
    (folder / "broken.md").write_text(broken, encoding="utf-8")
    server = Server(Settings(lessons=(folder,)))
    yield server
    server.stop()
