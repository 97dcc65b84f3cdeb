"""What is taken along: files, the lines for a script, the link, and the browser's own menu on a grid."""

import ast
import base64
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Download, Page, expect

from app.settings import Settings
from tests.browser.conftest import Server, open_explorer
from tests.browser.test_pictures import noisy, open_picture
from tests.pictures import decode_rgba, encode
from tests.small_models import save_models_of_several_inputs

OPEN, WHAT, NOW = "[data-save]", "#save-what", "[data-now]"
HELD = "/?layer=conv_2&channel=3&row=9&column=6"
MICROSCOPE, NETWORK, NPZ = "the microscope (PNG)", "the whole network (PNG)", "all activations (NPZ)"


@pytest.fixture
def held(page: Page, base_url: str, complaints: list[str]) -> Iterator[Page]:
    """The explorer with a cell held, and the dialog open."""
    open_dialog(page, HELD)
    yield page
    assert complaints == []


def open_dialog(page: Page, address: str) -> None:
    open_explorer(page, address)
    settle(page)
    page.click(OPEN)
    expect(page.locator("#save-dialog")).to_be_visible()


def settle(page: Page) -> None:
    expect(page.locator("#explorer.htmx-request, .is-stale")).to_have_count(0)


def save(page: Page, what: str, zoom: int | None = None) -> Download:
    page.select_option(WHAT, label=what)
    if zoom:
        page.select_option("#save-zoom", str(zoom))
    with page.expect_download() as download:
        page.click(NOW)
    return download.value


def read(download: Download) -> bytes:
    return Path(download.path()).read_bytes()


def shown_grid(page: Page, layer: str) -> bytes:
    """The picture of a layer that the page shows."""
    source = page.get_attribute(f"#layer-{layer} img.maps-grid", "src")
    assert source
    return base64.b64decode(source.partition(",")[2])


def run_lines(page: Page, folder: Path, language: str) -> dict[str, bytes]:
    """Save what the lines read, run them in an empty folder, and return what they wrote there."""
    folder.mkdir()
    for button in page.locator("[data-file]").all():
        with page.expect_download() as download:
            button.click()
        download.value.save_as(folder / download.value.suggested_filename)
    before = {path.name for path in folder.iterdir()}
    text = page.input_value(f"#save-{language}")
    command = ["sh", "-c", text] if language == "curl" else [sys.executable, "-c", text]
    environment = {**os.environ, "no_proxy": "127.0.0.1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True, timeout=60)
    written = {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in before}
    return written or {"": done.stdout}


def test_nothing_of_it_is_loaded_before_it_is_opened(page: Page, base_url: str) -> None:
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url))
    open_explorer(page)
    settle(page)
    scripts = ("save_dialog.js", "save_request.js", "panel_picture.js")
    assert not [url for url in loaded if url.endswith(scripts)]
    page.click(OPEN)
    expect(page.locator("#save-name")).to_have_text("digits-max-network.png")
    assert len([url for url in loaded if url.endswith(scripts)]) == 2


@pytest.mark.parametrize(
    ("address", "layer", "theme"),
    [
        ("/", "conv_1", "light"),
        ("/?pooling=min&weights=retrained", "conv_3", "light"),
        ("/?pooling=average&colormap=cividis&scale=map", "pool_1", "dark"),
        ("/?pooling=average&differences=on", "conv_3", "light"),
        ("/?model=section-6-3", "conv_1", "light"),
        ("/?model=section-6-3", "conv_1", "dark"),
        ("/?model=section-6-3&colormap=magma", "conv_1", "light"),
    ],
)
def test_a_grid_is_saved_as_it_is_shown(
    page: Page, base_url: str, address: str, layer: str, theme: Literal["light", "dark"]
) -> None:
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": 1280, "height": 1600})
    open_dialog(page, address)
    if "section" in address:
        layer = page.eval_on_selector_all("article[data-layer]", "all => all[0].dataset.layer")
    assert read(save(page, layer, 1)) == shown_grid(page, layer)
    large = decode_rgba(read(save(page, layer, 16)))
    np.testing.assert_array_equal(large, decode_rgba(shown_grid(page, layer)).repeat(16, axis=0).repeat(16, axis=1))


@pytest.mark.parametrize("width", [390, 1280])
def test_a_map_is_saved_as_it_is_in_its_grid(page: Page, base_url: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 1600})
    open_dialog(page, HELD)
    download = save(page, "conv_2, map 3 (PNG)", 4)
    assert download.suggested_filename == "digits-max-conv_2-map3.png"
    grid = decode_rgba(shown_grid(page, "conv_2"))
    expected = grid[:24, 3 * 25 : 3 * 25 + 24].repeat(4, axis=0).repeat(4, axis=1)
    np.testing.assert_array_equal(decode_rgba(read(download)), expected)


def test_values_are_the_numbers_that_the_panel_shows(held: Page) -> None:
    values = save(held, "conv_2, map 3, its values (CSV)")
    everything = save(held, NPZ)
    assert values.suggested_filename == "digits-max-conv_2-map3.csv"
    assert everything.suggested_filename == "digits-max.npz"
    rows = np.loadtxt(io.BytesIO(read(values)), delimiter=",", dtype=np.float32)
    np.testing.assert_array_equal(rows, np.load(io.BytesIO(read(everything)))["conv_2"][:, :, 3])
    shown = held.inner_text("#microscope output").removeprefix("= ")
    assert shown == f"{rows[9, 6]:.4f}"


@pytest.mark.parametrize("language", ["curl", "python"])
@pytest.mark.parametrize(
    ("address", "what"),
    [
        (HELD, "conv_2, map 3 (PNG)"),
        (f"{HELD}&pooling=min&weights=retrained&colormap=magma&scale=map", "conv_2"),
        ("/?pooling=average", NETWORK),
        (HELD, "conv_2, map 3, its values (CSV)"),
        ("/?layer=digit&channel=0&row=0&column=7", "digit, its values (CSV)"),
        ("/?model=five-layer-dense", NPZ),
    ],
)
def test_a_line_writes_the_same_file_as_the_page(
    page: Page, base_url: str, tmp_path: Path, address: str, what: str, language: str
) -> None:
    if language == "curl" and not shutil.which("curl"):
        pytest.skip("there is no curl")
    open_dialog(page, address)
    download = save(page, what)
    written = run_lines(page, tmp_path / "here", language)
    assert list(written) == [download.suggested_filename]
    assert comparable(written[download.suggested_filename]) == comparable(read(download))


def comparable(data: bytes) -> object:
    """A file, or of an NPZ its arrays: the archive has the time in it."""
    if not data.startswith(b"PK"):
        return data
    return {name: array.tobytes() for name, array in np.load(io.BytesIO(data)).items()}


@pytest.mark.parametrize("language", ["curl", "python"])
def test_the_microscope_s_line_asks_for_its_numbers(held: Page, tmp_path: Path, language: str) -> None:
    held.select_option(WHAT, label=MICROSCOPE)
    (text,) = run_lines(held, tmp_path / "here", language).values()
    answer = json.loads(text) if language == "curl" else ast.literal_eval(text.decode())
    shown = held.inner_text("#microscope output").removeprefix("= ")
    assert (answer["layer"], answer["row"], answer["column"]) == ("conv_2", 9, 6)
    assert shown == f"{answer['value']:.4f}"


def test_an_empty_pad_is_saved_like_any_other(page: Page, base_url: str, tmp_path: Path) -> None:
    open_explorer(page)
    page.click("#clear")
    settle(page)
    page.click(OPEN)
    download = save(page, "conv_1", 1)
    assert read(download) == shown_grid(page, "conv_1")
    assert list(run_lines(page, tmp_path / "here", "python").values()) == [read(download)]


def test_a_picture_goes_along_as_the_file_that_it_was(page: Page, base_url: str, tmp_path: Path) -> None:
    open_explorer(page)
    photograph = encode(noisy(640, 480), "JPEG")
    open_picture(page, photograph, "photo of mine.JPG")
    expect(page.locator("#answer")).to_contain_text("3")
    settle(page)
    page.click(OPEN)
    download = save(page, "conv_1", 1)
    assert read(download) == shown_grid(page, "conv_1")
    written = run_lines(page, tmp_path / "here", "python")
    assert list(written.values()) == [read(download)]
    (drawing,) = [path for path in (tmp_path / "here").iterdir() if path.name not in written]
    assert (drawing.name, drawing.read_bytes()) == ("drawing.jpg", photograph)
    expect(page.locator("#save-link")).to_have_value(re.compile("#p="))
    expect(page.locator("#save-link-note")).to_contain_text("a small copy of the picture")


def test_what_other_inputs_hold_goes_along(page: Page, several: str, complaints: list[str], tmp_path: Path) -> None:
    open_explorer(page, f"{several}/?model=siamese")
    page.click("[data-sample='4']")
    page.click("[data-keep]")
    page.click("[data-sample='1']")
    settle(page)
    page.click(OPEN)
    expect(page.locator("[data-file]")).to_have_text(["Save drawing.png", "Save held_right.png"])
    assert comparable(read(save(page, NPZ))) == comparable(*run_lines(page, tmp_path / "here", "curl").values())
    assert complaints == []


def test_a_model_that_starts_from_numbers_needs_no_file(page: Page, several: str, tmp_path: Path) -> None:
    open_explorer(page, f"{several}/?model=decoder")
    page.click("[data-random]")
    settle(page)
    page.click(OPEN)
    expect(page.locator("#save-files")).to_be_empty()
    values = comparable(read(save(page, NPZ)))
    assert values == comparable(*run_lines(page, tmp_path / "curl", "curl").values())
    assert values == comparable(*run_lines(page, tmp_path / "python", "python").values())


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with models of several inputs."""
    folder = tmp_path_factory.mktemp("several")
    save_models_of_several_inputs(folder)
    server = Server(Settings(built_in_models=folder))
    yield server.url
    server.stop()


def test_what_the_server_refuses_is_said_in_the_dialog(held: Page) -> None:
    sentence = "The pictures of this answer would have too many pixels."
    held.route("**/network.png", lambda route: route.fulfill(status=422, json={"detail": sentence}))
    held.select_option(WHAT, label=NETWORK)
    held.click(NOW)
    expect(held.locator("#save-errors")).to_have_text(sentence)
    held.unroute("**/network.png")
    held.route("**/network.png", lambda route: route.abort())
    held.click(NOW)
    expect(held.locator("#save-errors")).to_contain_text("does not answer")
    held.select_option(WHAT, label=NPZ)
    expect(held.locator("#save-errors")).to_be_empty()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("layer", "cell"), [("conv_2", (9, 6)), ("pool_1", (4, 4)), ("digit", (0, 7))])
def test_the_microscope_s_picture_looks_like_it(
    page: Page, base_url: str, layer: str, cell: tuple[int, int], scheme: Literal["light", "dark"]
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 1920, "height": 1600})
    open_dialog(page, f"/?layer={layer}&channel=0&row={cell[0]}&column={cell[1]}")
    page.select_option(WHAT, label=MICROSCOPE)
    page.select_option("#save-ratio", "1")
    with page.expect_download() as download:
        page.click(NOW)
    assert re.fullmatch(rf"digits-max-{layer}-.+\.png", download.value.suggested_filename)
    saved = decode_rgba(read(download.value))[14:, 14:, :3].astype(float)
    page.keyboard.press("Escape")
    page.mouse.move(0, 0)
    page.eval_on_selector_all(
        ".microscope-state, [data-close], .microscope input",
        "all => all.forEach((each) => { each.style.opacity = 0; })",
    )
    seen = decode_rgba(page.locator("#microscope").screenshot())[..., :3].astype(float)
    height, width = saved.shape[0] - 14, min(saved.shape[1], seen.shape[1]) - 14
    saved, seen = saved[:height, :width], seen[:height, :width]
    assert height > 300 and seen.std() > 30  # there is something to see
    assert np.abs(saved - seen).mean() < 0.2 * np.abs(seen - np.median(seen)).mean()


def test_the_link_opens_the_same_page(held: Page, page: Page) -> None:
    link = held.input_value("#save-link")
    expect(held.locator("#save-link-note")).to_contain_text("on this machine alone")
    page.goto("about:blank")
    open_explorer(page, link)
    expect(page.locator("#microscope h2")).to_have_text("conv_2 · map 3")


@pytest.mark.parametrize("name", ["curl", "python", "link"])
def test_a_line_is_copied(held: Page, name: str) -> None:
    held.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button = held.locator(f"[data-copy=save-{name}]")
    button.click()
    expect(button).to_have_text("Copied")
    assert held.evaluate("navigator.clipboard.readText()") == held.input_value(f"#save-{name}")
    expect(button).to_have_text("Copy")


def test_a_line_is_marked_where_nothing_can_be_copied(held: Page) -> None:
    held.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    held.click("[data-copy=save-curl]")
    expect(held.locator("[data-copy=save-curl]")).to_contain_text("Ctrl+C")
    marked = held.evaluate("getSelection().toString() || document.activeElement.value")
    assert marked == held.input_value("#save-curl")


def test_escape_closes_the_dialog_and_nothing_else(held: Page) -> None:
    expect(held.locator(WHAT)).to_be_focused()
    held.keyboard.press("Escape")
    expect(held.locator("#save-dialog")).to_be_hidden()
    expect(held.locator("#microscope-state")).to_have_text("cell held")
    expect(held.locator(OPEN)).to_be_focused()
    held.keyboard.press("Enter")
    expect(held.locator("#save-dialog")).to_be_visible()


def test_what_is_offered_follows_the_page(held: Page) -> None:
    held.select_option(WHAT, label="pool_2")
    held.keyboard.press("Escape")
    held.select_option("select[name=model]", "five-layer-dense")
    expect(held.locator("#rows")).to_have_attribute("data-model", "five-layer-dense")
    held.click(OPEN)
    offered = held.locator(f"{WHAT} option")
    expect(offered).to_have_text([NETWORK, NPZ])
    expect(held.locator("#save-name")).to_have_text("five-layer-dense-network.png")


@pytest.mark.parametrize("size", [(390, 844), (768, 1024), (1280, 800), (1366, 633), (1920, 1080)])
def test_the_switches_keep_to_one_row(page: Page, base_url: str, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    open_explorer(page)
    more, button = page.locator(".switches-more summary").bounding_box(), page.locator(OPEN).bounding_box()
    assert more and button
    assert abs(more["y"] + more["height"] / 2 - button["y"] - button["height"] / 2) < 4
    assert button["x"] + button["width"] <= size[0]
    page.click(OPEN)
    expect(page.locator("#save-dialog")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("(d => d.scrollWidth <= d.clientWidth)(document.getElementById('save-dialog'))")


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_dialog_is_accessible(held: Page, scheme: Literal["light", "dark"]) -> None:
    held.emulate_media(color_scheme=scheme)
    for what in ("conv_2, map 3 (PNG)", MICROSCOPE, NPZ):
        held.select_option(WHAT, label=what)
        results = Axe().run(held)
        assert results.violations_count == 0, results.generate_report()


# The browser's own menu


def listen_for_menu(page: Page) -> None:
    page.evaluate("""document.addEventListener("contextmenu", ({ target, clientX, clientY }) => {
      globalThis.menu = [target.className, document.elementFromPoint(clientX || 0, clientY || 0)?.className];
    })""")


@pytest.mark.parametrize("selector", ["#layer-conv_1 .maps", "#layer-digit .maps"])
def test_the_browser_s_menu_is_the_picture_s(explorer: Page, selector: str) -> None:
    listen_for_menu(explorer)
    explorer.locator(f"{selector} img").scroll_into_view_if_needed()
    settle(explorer)
    explorer.locator(selector).click(button="right", position={"x": 20, "y": 5})
    kind = explorer.get_attribute(f"{selector} img", "class")
    assert explorer.evaluate("menu") == [kind, kind]


def test_maps_are_clicked_and_reached_by_keys_after_the_menu(explorer: Page) -> None:
    listen_for_menu(explorer)
    grid, title = explorer.locator("#layer-conv_1 .maps"), explorer.locator("#microscope h2")
    grid.click(button="right", position={"x": 50, "y": 15})
    grid.click(position={"x": 50, "y": 15})  # where the pointer already is
    expect(title).to_have_text("conv_1 · map 1")
    expect(explorer.locator("#microscope-state")).to_have_text("map held")
    grid.click(button="right", position={"x": 50, "y": 15})
    box = grid.bounding_box()
    assert box
    explorer.mouse.move(box["x"] + 90, box["y"] + 15)
    explorer.mouse.click(box["x"] + 90, box["y"] + 15)
    expect(title).to_have_text("conv_1 · map 2")
    grid.click(button="right", position={"x": 50, "y": 15})
    explorer.keyboard.press("ArrowRight")
    explorer.keyboard.press("Enter")
    expect(title).to_have_text("conv_1 · map 3")


def test_a_key_opens_the_picture_s_menu(explorer: Page) -> None:
    """Shift and F10, or the menu key, on a map: the event comes without a pointer."""
    listen_for_menu(explorer)
    button = explorer.locator("#layer-conv_1 [data-index='2']")
    button.focus()
    button.dispatch_event("contextmenu")
    assert explorer.locator("#layer-conv_1 .maps.is-aside").count() == 1
    explorer.keyboard.press("ArrowRight")
    assert explorer.locator(".is-aside").count() == 0
