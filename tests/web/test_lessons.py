"""Lessons beside the pages: a teacher's folder, broken files, and answers."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from app.web import api, lessons, pages, status
from app.web.lessons import PagePaths
from tests.lessons.texts import HEAD

GOOD = """---
title: Gravity & Co
summary: Things <b>fall</b>.
hide: [pooling, save]
---

## Drop it

Page: /?model=digits&sample=4

### Predict

```predict
ask: Where to?
choice: Up
choice: <i>Down</i>
```

### Try

This network has {{ model.layers }} layers. <script>alert(1)</script>

```question
ask: How many parameters has it?
number: model.parameters
mistake: model.layers => Those are the layers.
```

### Explain

It is {{ model.parameters }}.

## Side by side

Page: /compare?model=digits

Three of them.

### Explain

Look at [the models](/models).
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("lessons")
    (folder / "gravity.md").write_text(GOOD, encoding="utf-8")
    (folder / "bent.md").write_text(GOOD.replace("## Side by side", "#### Side by side"), encoding="utf-8")
    (folder / "lost.md").write_text(GOOD.replace("{{ model.layers }}", "{{ layer.nowhere.width }}"), encoding="utf-8")
    text = GOOD.replace("number: model.parameters", "number: layer.nowhere.width")
    (folder / "vague.md").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def taught(models: Path, folder: Path, mine: Path) -> Iterator[TestClient]:
    app = create_app(Settings(built_in_models=models, model=(mine,), lessons=(folder,), allowed_hosts="testserver"))
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


def panel(text: str) -> str:
    found = re.search(r'<aside class="lesson".*?</aside>', text, flags=re.DOTALL)
    assert found, "no lesson"
    return found[0]


def test_lessons_are_listed_and_mistakes_with_their_line(taught: TestClient) -> None:
    text = taught.get("/lessons").text
    assert "Gravity &amp; Co" in text and "Things &lt;b&gt;fall&lt;/b&gt;." in text
    assert 'href="/?model=digits&amp;sample=4&amp;lesson=gravity.1"' in text
    rows = re.findall(r'<tr><th scope="row">(.*?)</th><td class="number">(\d+)</td><td>(.*?)</td>', text)
    told = {file: (int(line), words) for file, line, words in rows}
    line = GOOD.splitlines().index("## Side by side") + 1
    assert told["bent.md"] == (
        line,
        "A step is divided by these headings alone: ### Predict, ### Try, ### See, ### Explain.",
    )
    line = next(number for number, each in enumerate(GOOD.splitlines(), 1) if "{{ model.layers }}" in each)
    assert told["lost.md"][0] == line and "has no layer “nowhere”" in told["lost.md"][1]
    assert set(told) == {"bent.md", "lost.md", "vague.md"}


def test_a_step_stands_beside_the_page(taught: TestClient) -> None:
    text = taught.get("/?model=digits&sample=4&lesson=gravity.1").text
    shown = panel(text)
    assert 'data-hides="pooling save"' in shown and 'data-step="1"' in shown
    assert "<script>" not in shown and "&lt;script&gt;alert(1)&lt;/script&gt;" in shown
    assert "&lt;i&gt;Down&lt;/i&gt;" in shown
    layers = len(taught.get("/api/models/digits").json()["layers"])
    assert f"This network has {layers} layers." in shown
    assert 'href="/compare?model=digits&amp;lesson=gravity.2"' in shown
    assert 'aria-label="Draw a sample 4"' in text and re.search(r'data-sample="4"[^>]* data-first data-png="', text)
    assert 'href="/?model=digits&amp;sample=4" data-lesson-leave' in shown
    parameters = taught.get("/api/models/digits").json()["parameters"]
    assert f"{parameters:,}" not in shown  # the answer


@pytest.mark.parametrize("path", ["/compare?model=digits", "/models", "/lessons", "/?model=a-plain"])
def test_it_stands_beside_any_page(taught: TestClient, path: str) -> None:
    response = taught.get(path + ("&" if "?" in path else "?") + "lesson=gravity.2")
    assert response.status_code == 200
    shown = panel(response.text)
    assert "Three of them." in shown and "<summary><h3>Explain</h3></summary>" in shown
    assert 'href="/models?lesson=gravity.2"' in shown


def test_pages_without_one_load_nothing_of_it(taught: TestClient) -> None:
    text = taught.get("/").text
    assert 'class="lesson"' not in text and "lesson.js" not in text and "lesson.css" not in text


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/?lesson=nothing", 404, "There is no lesson “nothing”. There is:"),
        ("/lessons/nothing", 404, "There is no lesson “nothing”. There is:"),
        ("/?lesson=gravity.3", 404, "The lesson “gravity” has no step “3”. It has steps 1 to 2."),
        ("/?lesson=gravity.0", 404, "has no step “0”"),
        ("/?lesson=gravity.-1", 404, "has no step “-1”"),
        ("/?lesson=gravity.one", 404, "has no step “one”"),
        ("/lessons/gravity/99999", 404, "has no step “99999”"),
        ("/?lesson=bent", 422, "The lesson in bent.md cannot be shown. Line"),
        ("/lessons/bent", 422, "The lesson in bent.md cannot be shown. Line"),
        ("/?lesson=%3Cscript%3E", 404, "There is no lesson “&lt;script&gt;”"),
        ("/?sample=12", 422, "“sample”"),
        ("/samples/12.png", 422, "“digit”"),
    ],
)
def test_what_is_wrong_in_an_address_is_said(taught: TestClient, path: str, status: int, sentence: str) -> None:
    response = taught.get(path)
    assert response.status_code == status
    assert sentence in response.text


def test_a_step_that_cannot_be_worked_out_leaves_the_page_as_it_is(taught: TestClient) -> None:
    response = taught.get("/?lesson=lost.1")
    assert response.status_code == 200
    assert "This step cannot be shown" in panel(response.text)
    assert "has no layer “nowhere”" in panel(response.text)
    answer = taught.post("/lessons/vague/1/check", data={"answer": "1"})
    assert answer.status_code == 422 and "The lesson in vague.md cannot be shown. Line" in answer.text


@pytest.mark.parametrize(
    ("path", "is_page"),
    [
        *(("/", True), ("/compare", True), ("/models", True), ("/lessons", True)),
        *(("/docs", False), ("/lessons/gravity", False), ("/lessons/gravity/1", False), ("/samples/1.png", False)),
        *(
            ("/api/models", False),
            ("/exploration", False),
            ("/health", False),
            ("/static/lesson.js", False),
            ("", False),
        ),
    ],
)
def test_where_a_step_may_stand(path: str, is_page: bool) -> None:
    assert (path in PagePaths([pages.router, api.router, lessons.router, status.router])) is is_page


def test_of_pages_with_a_name_each_is_one() -> None:
    router = APIRouter(prefix="/trials", include_in_schema=False)
    router.get("/{name}")(lambda name: name)
    router.get("/{name}/part")(lambda name: name)
    paths = PagePaths([router])
    assert "/trials/shifts" in paths and "/trials/shifts/part" not in paths and "/trials" not in paths


def test_a_lesson_has_a_short_address(taught: TestClient) -> None:
    response = taught.get("/lessons/gravity")
    assert (response.status_code, response.headers["location"]) == (
        303,
        "/?model=digits&sample=4&lesson=gravity.1",
    )
    assert taught.get("/lessons/gravity/2").headers["location"] == "/compare?model=digits&lesson=gravity.2"


def test_an_answer_is_checked(taught: TestClient) -> None:
    parameters = taught.get("/api/models/digits").json()["parameters"]
    right = taught.post("/lessons/gravity/1/check", data={"answer": f"{parameters:,}"})
    assert right.status_code == 200 and "data-right" in right.text and f"It is {parameters:,}." in right.text
    layers = len(taught.get("/api/models/digits").json()["layers"])
    wrong = taught.post("/lessons/gravity/1/check", data={"answer": str(layers)}).text
    assert "Those are the layers." in wrong and "It is" not in wrong and f"{parameters:,}" not in wrong
    revealed = taught.post("/lessons/gravity/1/check", data={"reveal": "true"}).text
    assert f"<strong>{parameters:,}</strong>" in revealed and "data-right" not in revealed


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/lessons/gravity/1/check", {}, 200),
        ("/lessons/gravity/1/check", {"answer": "x" * 201}, 422),
        ("/lessons/gravity/1/check", {"answer": "1", "reveal": "perhaps"}, 422),
        ("/lessons/gravity/2/check", {"answer": "1"}, 404),
        ("/lessons/gravity/9/check", {"answer": "1"}, 404),
        ("/lessons/nothing/1/check", {"answer": "1"}, 404),
    ],
)
def test_answers_to_nothing_and_too_long_ones(
    taught: TestClient, path: str, fields: dict[str, str], status: int
) -> None:
    assert taught.post(path, data=fields).status_code == status


def test_an_answer_of_another_site_is_refused(taught: TestClient) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://example.com"}
    assert taught.post("/lessons/gravity/1/check", data={"answer": "1"}, headers=headers).status_code == 403


def test_a_changed_file_is_shown_as_it_is_now(taught: TestClient, folder: Path) -> None:
    path = folder / "new.md"
    path.write_text(HEAD + "\n## A\n\nPage: /\n\nBefore.\n", encoding="utf-8")
    wait_until(lambda: "Before." in taught.get("/?lesson=new").text)
    path.write_text(HEAD + "\n## A\n\nPage: /\n\nAfter it.\n", encoding="utf-8")
    wait_until(lambda: "After it." in taught.get("/?lesson=new").text)
    path.unlink()
    wait_until(lambda: taught.get("/?lesson=new").status_code == 404)


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_the_first_visit_offers_the_first_lesson(taught: TestClient) -> None:
    text = taught.get("/").text
    assert text.count("data-until=") == 3
    (offered,) = re.findall(r"<a href='(/lessons/[^']*)'>", text)
    assert taught.get(offered).status_code == 303


def test_a_model_that_came_with_the_app_can_be_downloaded(taught: TestClient, models: Path, mine: Path) -> None:
    response = taught.get("/api/models/digits/file")
    assert response.content == (models / "digits.keras").read_bytes()
    assert 'filename="digits.keras"' in response.headers["content-disposition"]
    assert taught.get("/api/models/nothing/file").status_code == 404
    refused = taught.get(f"/api/models/{mine.stem}/file")
    assert refused.status_code == 403 and "did not come with Layerglass" in refused.json()["detail"]
