import os
import time
from pathlib import Path

import pytest

from app.lessons import folder as folder_module
from app.lessons.errors import BrokenLesson, UnknownLesson
from app.lessons.folder import MAX_BYTES, MAX_LESSONS, Lessons
from tests.lessons.texts import HEAD, PAGES, lesson


@pytest.fixture
def built_in(tmp_path: Path) -> Path:
    folder = tmp_path / "built-in"
    folder.mkdir()
    (folder / "b.md").write_text(lesson("\nHello.\n", HEAD.replace("summary", "order: 2\nsummary")), encoding="utf-8")
    (folder / "c.md").write_text(lesson("\nHello.\n", HEAD.replace("summary", "order: 1\nsummary")), encoding="utf-8")
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    return folder


@pytest.fixture
def lessons(built_in: Path, own: Path, monkeypatch: pytest.MonkeyPatch) -> Lessons:
    monkeypatch.setattr(folder_module, "_EVERY_SECONDS", 0.0)
    return Lessons([own], PAGES, built_in)


def write(folder: Path, name: str, text: str | None = None) -> Path:
    path = folder / name
    path.write_text(lesson("\nHello.\n") if text is None else text, encoding="utf-8")
    return path


def broken(lessons: Lessons) -> dict[str, tuple[int, str]]:
    return {each.file: (each.error.line, each.error.sentence) for each in lessons.shelf.broken}


def test_built_in_ones_come_first_and_in_their_order(lessons: Lessons, own: Path) -> None:
    write(own, "a.md")
    assert list(lessons.shelf.lessons) == ["c", "b", "a"]
    assert [each.is_built_in for each in lessons] == [True, True, False]


def test_a_changed_file_is_read_again(lessons: Lessons, own: Path) -> None:
    path = write(own, "a.md")
    assert len(lessons.get("a").steps) == 1
    write(own, "a.md", lesson("\nHello.\n") + "\n## Then\n\nBye.\n")
    assert len(lessons.get("a").steps) == 2
    write(own, "a.md", "## no head")
    assert broken(lessons)["a.md"][0] == 1
    with pytest.raises(BrokenLesson, match=r"The lesson in a\.md cannot be shown\. Line 1: A lesson begins with"):
        lessons.get("a")
    path.unlink()
    with pytest.raises(UnknownLesson, match=r"There is no lesson “a”\. There is: c, b\."):
        lessons.get("a")


def test_a_file_that_did_not_change_is_not_read_again(
    lessons: Lessons, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(own, "a.md")
    first = lessons.get("a")
    monkeypatch.setattr(folder_module, "parse_lesson", None)
    assert lessons.get("a") is first


def test_broken_ones_leave_the_others_working(lessons: Lessons, own: Path) -> None:
    write(own, "good.md")
    write(own, "bad.md", lesson("\n{{ 1 + }}\n"))
    assert "good" in lessons.shelf.lessons
    assert broken(lessons) == {"bad.md": (10, "“1 +” ends too early.")}


def test_what_is_no_lesson_is_left_alone(lessons: Lessons, own: Path) -> None:
    for name in ("README.md", ".hidden.md", "notes.txt", "a.md~"):
        write(own, name, "no lesson")
    assert broken(lessons) == {}


def test_names_that_are_no_address(lessons: Lessons, own: Path) -> None:
    write(own, "my lesson.md")
    write(own, "b.md")  # as a built-in one is called
    found = broken(lessons)
    assert "letters, digits, dashes and underscores" in found["my lesson.md"][1]
    assert found["b.md"] == (1, "There is another lesson called “b”. Rename the file.")


def test_links_and_pipes_are_not_followed(lessons: Lessons, own: Path, tmp_path: Path) -> None:
    secret = write(tmp_path, "secret.md")
    (own / "link.md").symlink_to(secret)
    (own / "folder.md").mkdir()
    os.mkfifo(own / "pipe.md")
    start = time.monotonic()
    found = broken(lessons)
    assert time.monotonic() - start < 2
    assert "a symbolic link, which is not followed" in found["link.md"][1]
    assert "no regular file" in found["pipe.md"][1] and "no regular file" in found["folder.md"][1]


def test_files_that_are_too_large_or_no_text(lessons: Lessons, own: Path) -> None:
    write(own, "large.md", "x" * (MAX_BYTES + 1))
    (own / "latin.md").write_bytes(b"---\ntitle: caf\xe9\n---\n")
    write(own, "nul.md", "---\na\0b")
    found = broken(lessons)
    assert "at most 64 kB" in found["large.md"][1]
    assert found["latin.md"] == (2, "This is not UTF-8: save the file as text in UTF-8.")
    assert found["nul.md"] == (2, "This holds a NUL, and so is no text.")


def test_a_file_from_windows_is_read(lessons: Lessons, own: Path) -> None:
    (own / "a.md").write_bytes(b"\xef\xbb\xbf" + lesson("\nHello.\n").replace("\n", "\r\n").encode())
    assert lessons.get("a").title == "Gravity"


def test_no_more_than_some_hundred(lessons: Lessons, own: Path) -> None:
    for number in range(MAX_LESSONS):
        write(own, f"lesson-{number:03}.md")
    assert len(lessons.shelf.lessons) == MAX_LESSONS
    assert [sentence for _, sentence in broken(lessons).values()] == [f"There are {MAX_LESSONS} lessons already."]


def test_a_folder_that_is_gone_has_none(built_in: Path, tmp_path: Path) -> None:
    assert list(Lessons([tmp_path / "missing"], PAGES, built_in).shelf.lessons) == ["c", "b"]
