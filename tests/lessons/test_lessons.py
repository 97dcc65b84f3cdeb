"""The lessons that come with Layerglass: addresses open, numbers are computed, questions can be answered."""

import html
import re
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.lessons.folder import BUILT_IN
from app.lessons.lesson import Lesson, NumberQuestion
from app.lessons.viewing import find_faults, step_addresses, view_step
from app.lessons.vocabulary import Vocabulary
from app.settings import resource

NAMES = sorted(path.stem for path in BUILT_IN.glob("*.md"))
STEPS = [
    (name, number)
    for name in NAMES
    for number in range(1, 1 + (BUILT_IN / f"{name}.md").read_text(encoding="utf-8").count("\n## "))
]
every_lesson = pytest.mark.parametrize("name", NAMES)
every_step = pytest.mark.parametrize(("name", "number"), STEPS)

# In the order of what they teach.
ORDER = [
    "feature-maps",
    "a-kernel-slides",
    "counting-parameters",
    "padding",
    "pooling-halves",
    "max-average-min",
    "what-max-assumes",
    "lower-resolution",
    "a-complete-network",
    "dense-or-convolutional",
    "starting-weights",
    "print-feature-maps",
]


def test_all_are_there_in_their_order(lessons: dict[str, Lesson]) -> None:
    assert list(lessons) == ORDER
    assert min(len(lesson.steps) for lesson in lessons.values()) >= 3
    assert max(len(lesson.steps) for lesson in lessons.values()) <= 8
    assert all(lesson.questions for lesson in lessons.values())


@every_lesson
def test_everything_in_it_can_be_worked_out(lessons: dict[str, Lesson], vocabulary: Vocabulary, name: str) -> None:
    assert list(find_faults(lessons[name], vocabulary)) == []


@every_step
def test_its_address_opens_with_its_selection(
    shipped: TestClient, lessons: dict[str, Lesson], name: str, number: int
) -> None:
    lesson = lessons[name]
    response = shipped.get(step_addresses(lesson)[number - 1])
    assert response.status_code == 200
    text = response.text
    assert f'data-lesson="{name}"' in text and f'data-step="{number}"' in text
    assert "This step cannot be shown" not in text and "{{" not in text
    place = lesson.steps[number - 1].place
    if place.get("layer"):
        panel = re.search(r'<section class="microscope"[^>]*>', text)
        assert panel, "nothing is held"
        for field in ("layer", "channel", "row", "column"):
            if place.get(field) is not None:
                assert f'data-{field}="{place.get(field)}"' in panel[0]
    if place.get("model"):
        assert re.search(rf'<option value="{place.get("model")}" selected', text)
    if place.get("pooling") and place.path == "/":
        assert re.search(rf'value="{place.get("pooling")}"[^>]* checked', text)


@every_step
def test_its_question_can_be_answered(
    shipped: TestClient, lessons: dict[str, Lesson], vocabulary: Vocabulary, name: str, number: int
) -> None:
    view = view_step(lessons[name], number, vocabulary)
    if view.question is None:
        return
    check = f"/lessons/{name}/{number}/check"
    revealed = shipped.post(check, data={"reveal": "true"}).text
    told = re.search(r"The answer is <strong>(.*)</strong>", revealed)
    assert told
    answer = html.unescape(re.sub("<[^>]*>", "", told[1]))
    if view.choices:
        answers = [str(index) for index in range(len(view.choices))]
        right = [each for each in answers if "data-right" in shipped.post(check, data={"answer": each}).text]
        assert len(right) == 1 and view.choices[int(right[0])] == told[1]
        wrong = next(each for each in answers if each not in right)
    else:
        assert "data-right" in shipped.post(check, data={"answer": answer}).text
        wrong = "-7" if view.takes_number else "wrong"
    refused = shipped.post(check, data={"answer": wrong}).text
    assert "is-wrong" in refused and "The answer" not in refused
    if view.explanation:
        assert view.explanation in revealed and view.explanation not in refused
    if isinstance(view.question, NumberQuestion):  # no mistake is right
        assert all(view.resolve(each.answer) != view.resolve(view.question.number) for each in view.question.mistakes)  # type: ignore[arg-type]


@every_step
def test_the_page_does_not_tell_the_answer(
    shipped: TestClient, lessons: dict[str, Lesson], vocabulary: Vocabulary, name: str, number: int
) -> None:
    lesson = lessons[name]
    view = view_step(lesson, number, vocabulary)
    text = shipped.get(step_addresses(lesson)[number - 1]).text
    if view.question and view.explanation:
        assert view.explanation not in text


@every_lesson
def test_each_number_in_it_is_computed(name: str) -> None:
    """No digit stands in a lesson's text, apart from addresses, code, and what an expression computes."""
    text = (BUILT_IN / f"{name}.md").read_text(encoding="utf-8")
    _, head, body = text.split("---\n", 2)
    typed = re.sub(r"^order: \d+$", "", head, flags=re.MULTILINE)
    body = re.sub(r"```python\n.*?```", "", body, flags=re.DOTALL)
    for left_out in (r"^Page: .*$", r"^(number|tolerance|answer): .*$", r"^mistake: .*?=>"):
        body = re.sub(left_out, "", body, flags=re.MULTILINE)
    typed += re.sub(r"```\w*|\b[a-z]+_\d\b|\{\{.*?\}\}|`[^`\n]*`", "", body)
    assert re.findall(r".*\d.*", typed) == []


@every_lesson
def test_a_step_takes_a_few_sentences(lessons: dict[str, Lesson], vocabulary: Vocabulary, name: str) -> None:
    for number, step in enumerate(lessons[name].steps, 1):
        resolve = view_step(lessons[name], number, vocabulary).resolve
        for part in step.parts:
            words = re.sub(r"```.*?```", "", part.text.plain(resolve), flags=re.DOTALL)
            if "import" not in words and "keras" not in words and "print" not in words:  # code
                assert len(words) <= 330, (number, part.name, len(words))


@pytest.mark.slow
def test_the_code_in_the_last_lesson_runs(
    lessons: dict[str, Lesson],
    vocabulary: Vocabulary,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    shipped: TestClient,
) -> None:
    """As a person would: with the file that the lesson offers, one piece after the other."""
    text = (BUILT_IN / "print-feature-maps.md").read_text(encoding="utf-8")
    pieces = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert len(pieces) == len(lessons["print-feature-maps"].steps)
    (link,) = re.findall(r"\((/api/[^)]*)\)", text)
    response = shipped.get(link)
    assert response.status_code == 200
    assert response.content == Path(resource("models"), "digits.keras").read_bytes()
    (tmp_path / "digits.keras").write_bytes(response.content)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    printed = []
    for piece in pieces:
        exec(compile(piece, "lesson", "exec"), names)
        printed.append(capsys.readouterr().out)
    assert "conv_1 (None, 26, 26, 16)" in printed[0]
    assert printed[1].startswith("(26, 26, 16) 0.0 ")
    maps, picture, pooled = (np.asarray(names[each]) for each in ("maps", "picture", "pooled"))
    forward = vocabulary.library.network("digits").run(picture[0])
    np.testing.assert_allclose(maps, forward.activations["conv_1"], atol=1e-4)
    np.testing.assert_allclose(pooled, forward.activations["pool_1"], atol=1e-4)
    lines = printed[2].splitlines()
    assert len(lines) == 28 + 26 and {len(line) for line in lines} == {56, 52}
    filled = [len(line.replace(" ", "")) for line in lines[28:]]
    # Windows whose middles are the bar's last row and the first one below it: its lower edge.
    assert set(np.argsort(filled)[-2:].tolist()) == {9, 10} and filled[5] == 0
    assert printed[3].startswith("True\n")
