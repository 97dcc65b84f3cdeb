"""A person's own pictures on the page of what maps look for, and by REST."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.datasets.digits import DigitSet
from app.explore.gallery import draw_digit
from app.explore.picture_folders import PictureFolders
from app.main import create_app
from app.settings import Settings


@pytest.fixture(scope="module")
def pictured(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("mine")
    for number in range(12):
        (folder / f"{number:02}.png").write_bytes(draw_digit(DigitSet.TEST, number))
    (folder / "z.png").write_bytes(b"")
    app = create_app(Settings(built_in_models=models, pictures=(folder,), allowed_hosts="testserver"))
    app.state.pictures = PictureFolders([folder.rename(folder.parent / "mine")])
    with TestClient(app) as client:
        yield client


LAYER = "/api/models/digits/layers/conv1"


def test_pictures_excite_maps_as_digits_do(pictured: TestClient) -> None:
    answer = pictured.get(f"{LAYER}/top-activations?pictures=mine&channel=1").json()
    assert answer["digits"] == 12 and answer["classes"] == ["mine"] and answer["unread"] == ["z.png"]
    strongest = answer["maps"][0]["strongest"]
    assert [each["digit"] for each in strongest] == [None] * 9 and strongest[0]["picture"].endswith(".png")
    made = pictured.get(f"{LAYER}/maximisation?pictures=mine&channel=1&steps=3").json()
    assert made["example"]["picture"] == strongest[0]["picture"]


def test_the_page_shows_them_and_a_click_puts_one_on_the_pad(pictured: TestClient) -> None:
    pictured.get("/atlas/run?model=digits&layer=conv1&pictures=mine")
    page = pictured.get("/atlas?model=digits&layer=conv1&pictures=mine").text
    assert '<option value="mine" selected>' in page
    assert "1 of the pictures cannot be read: z.png." in page
    link = re.search(r'href="(/atlas/pictures/mine/(\d+)\?[^"]+)"', page)
    assert link
    leads = pictured.get(link[1].replace("&amp;", "&"), follow_redirects=False).headers["location"]
    path, _, copy = leads.partition("#p=")
    assert path.startswith("/?model=digits&layer=conv1&channel=")
    assert base64.urlsafe_b64decode(copy + "=" * (-len(copy) % 4)).startswith(b"\x89PNG")


def test_a_model_of_something_else_says_that_digits_say_little_of_it(client: TestClient) -> None:
    page = client.get("/atlas?model=picture&run=false").text
    assert "“picture” was not trained to read digits" in page and "layerglass serve --pictures FOLDER" in page
    assert "was not trained to read digits" not in client.get("/atlas?model=digits&run=false").text


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        (f"{LAYER}/top-activations?pictures=yours", 404, "There are: “mine”"),
        ("/atlas?pictures=yours", 404, "no pictures called “yours”"),
        ("/atlas/pictures/mine/99", 404, "has the pictures 0 to 12"),
        ("/atlas/pictures/mine/12", 422, "empty file"),
    ],
)
def test_what_is_not_there_says_so(pictured: TestClient, path: str, status: int, sentence: str) -> None:
    answer = pictured.get(path)
    assert answer.status_code == status and sentence in answer.text
