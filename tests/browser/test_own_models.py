"""A model of one's own: opened from the page, told what it sees, and forgotten again."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import keras
import pytest
from keras import layers
from playwright.sync_api import Page, expect

from tests.browser.conftest import open_explorer
from tests.disguised import build_disguised
from tests.small_models import with_random_weights


@pytest.fixture(scope="module")
def colour_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A residual network for colour pictures, without a card; its name is HTML."""
    image = keras.Input((24, 32, 3))
    first = layers.Conv2D(8, 3, padding="same", activation="relu", name="conv1")(image)
    second = layers.Conv2D(8, 3, padding="same", name="conv2")(first)
    joined = layers.ReLU(name="relu")(layers.Add(name="join")([first, second]))
    pooled = layers.MaxPooling2D(2, name="pool")(joined)
    answer = layers.Dense(4, activation="softmax", name="answer")(layers.Flatten(name="flatten")(pooled))
    model = with_random_weights(keras.Model(image, answer))
    path = tmp_path_factory.mktemp("own") / "resi 1.keras"
    model.save(path)
    return path


@pytest.fixture(scope="module")
def uploaded(base_url: str, colour_model: Path) -> str:
    """The address of the explorer with that model."""
    answer = httpx2.post(
        f"{base_url}/api/models", files={"model": ("told.keras", colour_model.read_bytes())}, timeout=120
    )
    return f"/?model={answer.json()['name']}"


@pytest.fixture
def opened(page: Page, complaints: list[str], uploaded: str) -> Iterator[Page]:
    open_explorer(page, uploaded)
    yield page
    assert complaints == []


def test_a_file_is_opened_drawn_into_and_forgotten(explorer: Page, colour_model: Path) -> None:
    explorer.set_input_files("#own-model", colour_model)
    expect(explorer.locator("details.card")).to_have_count(1)
    assert "model=resi+1" in explorer.url
    expect(explorer.locator("select[name=model] option:checked")).to_have_text("resi 1")
    expect(explorer.locator("#layer-conv1 h2")).to_have_text("conv1")
    with explorer.expect_response("**/exploration"):
        explorer.click("#pooling label:has-text('min')")
    expect(explorer.locator("#answer .bars li")).to_have_count(4)
    explorer.click("details.card summary")
    explorer.click("[data-forget]")
    expect(explorer.locator("select[name=model] option:checked")).to_have_text("digits")
    expect(explorer.locator("select[name=model] option", has_text="resi 1")).to_have_count(0)


def test_what_the_network_sees_follows_the_card_at_once(opened: Page) -> None:
    opened.click("details.card summary")
    before = opened.locator("#seen").get_attribute("src")
    with opened.expect_response("**/exploration"):
        opened.select_option("[name=fit]", "stretch")
    expect(opened.locator("#seen")).not_to_have_attribute("src", before or "")
    with opened.expect_response("**/exploration"):
        opened.fill("[name=classes]", "cat\ndog\n<b>owl</b>\nfish")
        opened.locator("[name=classes]").blur()
    expect(opened.locator("#answer .bars li").nth(2).locator("span").first).to_have_text("<b>owl</b>")
    with opened.expect_download() as download:
        opened.click("text=Save this card")
    assert download.value.suggested_filename == "told.json"
    assert '"stretch"' in download.value.path().read_text()


def test_a_card_that_cannot_be_is_refused_in_its_place(opened: Page) -> None:
    opened.click("details.card summary")
    opened.fill("[name=classes]", "cat\ndog")
    opened.locator("[name=classes]").blur()
    expect(opened.locator(".card-fields .alert")).to_contain_text("names 2 classes")
    with opened.expect_response("**/exploration"):
        opened.click("[data-sample='3']")
    expect(opened.locator("#answer .bars li")).to_have_count(4)


def test_a_file_that_is_no_model_is_refused_and_the_drawing_stays(explorer: Page, tmp_path: Path) -> None:
    path = tmp_path / "notes.keras"
    path.write_text("not a model")
    explorer.click("[data-sample='5']")
    expect(explorer.locator("#answer output")).to_have_text("5")
    address = explorer.url
    explorer.set_input_files("#own-model", path)
    expect(explorer.locator("#model-errors")).to_contain_text("This is not a Keras model")
    assert explorer.url == address
    explorer.click("[data-sample='7']")
    expect(explorer.locator("#answer output")).to_have_text("7")
    expect(explorer.locator("#model-errors")).to_contain_text("This is not a Keras model")  # no answer wipes it out
    explorer.select_option("[name=model]", index=1)
    expect(explorer.locator("#model-errors")).to_be_empty()


def test_what_a_lambda_computes_is_declared_below_its_refusal(explorer: Page, tmp_path: Path) -> None:
    lines = [keras.Input((24, 32, 3)), layers.Lambda(lambda x: x / 127.5 - 1, name="scale"), layers.Flatten()]
    keras.Sequential([*lines, layers.Dense(2)]).save(tmp_path / "lambda.keras")
    explorer.set_input_files("#own-model", tmp_path / "lambda.keras")
    expect(explorer.locator("#model-errors")).to_contain_text("“scale” is a Lambda")
    explorer.fill("#lambdas [name=scale]", "x / 2")
    explorer.click("text=Open with these")
    expect(explorer.locator("#lambdas .alert")).to_contain_text("“scale.scale”")
    explorer.click("text=x / 127.5")
    explorer.click("text=Open with these")
    expect(explorer.locator("#layer-scale h2")).to_have_text("scale")


def test_a_file_that_is_no_picture_gets_the_sentence_of_the_api(explorer: Page, tmp_path: Path) -> None:
    (tmp_path / "notes.pdf").write_bytes(b"%PDF-1.7")
    explorer.set_input_files("#picture", tmp_path / "notes.pdf")
    expect(explorer.locator("#errors")).to_contain_text("This is a PDF document")
    (tmp_path / "model.json").write_text('{"class_name": "Sequential", "config": {"layers": []}}')
    explorer.set_input_files("#picture", tmp_path / "model.json")
    expect(explorer.locator("#model-errors")).to_contain_text("architecture of a Keras model without its weights")


def test_a_model_that_came_with_the_app_has_no_card_to_change(explorer: Page) -> None:
    expect(explorer.locator("details.card")).to_have_count(0)


@pytest.fixture(scope="module")
def disguised(base_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the explorer with a model that reads digits if they are transposed."""
    path = tmp_path_factory.mktemp("disguised") / "turned.keras"
    build_disguised(transposed=True).save(path)
    answer = httpx2.post(f"{base_url}/api/models", files={"model": ("turned.keras", path.read_bytes())}, timeout=120)
    return f"/?model={answer.json()['name']}"


def test_what_was_found_out_is_shown_taken_back_and_taken_again(
    page: Page, complaints: list[str], disguised: str
) -> None:
    open_explorer(page, disguised)
    row = page.locator("#reading")
    expect(row).to_contain_text("of 50 drawn digits as it sees them now")
    expect(row.locator("img")).to_have_count(2)
    expect(page.locator("#answer output")).to_have_text("7")
    expect(page.locator("[name=transposed]")).to_have_value("true")
    row.get_by_text("As it was").click()
    expect(row).to_contain_text("with rows and columns swapped")
    expect(page.locator("[name=transposed]")).to_have_value("false")
    row.get_by_text("Use it").click()
    expect(row.get_by_text("As it was")).to_be_visible()
    expect(page.locator("#answer output")).to_have_text("7")
    assert complaints == []


def test_what_nobody_has_said_is_asked_for(opened: Page) -> None:
    row = opened.locator("#reading")
    expect(row).to_contain_text("Nobody has said")
    row.get_by_text("Say it").click()
    control = opened.locator("details.card :focus")
    expect(control).to_be_visible()
