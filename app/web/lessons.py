"""The page of all lessons, and the panel that stands beside any page that a step of one leads to."""

import asyncio
import re
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form, Path, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute

from ..hosting.admission import ADMITTED
from ..lessons.answers import MOST_CHARACTERS, check_answer
from ..lessons.errors import BrokenLesson, LessonError, UnknownLesson
from ..lessons.folder import ENDING, Lessons
from ..lessons.lesson import Lesson
from ..lessons.places import LESSON
from ..lessons.viewing import StepView, find_faults, step_addresses, view_step
from ..lessons.vocabulary import Vocabulary
from .templates import render, templates

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

NameInPath = Annotated[str, Path(description="A lesson's name.")]
StepInPath = Annotated[str, Path(description="The number of a step, from 1.")]

_NO_PANEL = {"/docs"}  # it brings a page of its own
# Not a picture, whose path has a dot, nor a part of a page, nor an address that leads to another one.
_PAGE = re.compile(r"/(?!lessons/)[a-z]*(/\{\w+\})?")


@router.get("/lessons", dependencies=[ADMITTED])
def show_lessons(request: Request) -> Response:
    """Show all lessons, and what is wrong with files that are none."""
    lessons: Lessons = request.app.state.lessons
    shelf = lessons.shelf
    faults = [
        (each.name + ENDING, error)
        for each in shelf.lessons.values()
        if not each.is_built_in
        for error in find_faults(each, request.app.state.vocabulary)
    ]
    broken = [(each.file, each.error) for each in shelf.broken]
    context = {"lessons": [(each, step_addresses(each)) for each in shelf.lessons.values()], "broken": broken + faults}
    return render(request, "lessons.html", context)


@router.get("/lessons/{name}")
def open_lesson(request: Request, name: NameInPath) -> Response:
    """Lead to a lesson's first step."""
    return open_step(request, name, "1")


@router.get("/lessons/{name}/{step}")
def open_step(request: Request, name: NameInPath, step: StepInPath) -> Response:
    """Lead to one step of a lesson."""
    lesson, number = find_step(request, name, step)
    return RedirectResponse(step_addresses(lesson)[number - 1], status_code=303)


@router.post("/lessons/{name}/{step}/check", dependencies=[ADMITTED])
def post_answer(
    request: Request,
    name: NameInPath,
    step: StepInPath,
    answer: Annotated[str, Form(max_length=MOST_CHARACTERS)] = "",
    reveal: Annotated[bool, Form()] = False,
) -> Response:
    """Say whether an answer is right, or tell the right one. The explanation comes with either."""
    view = _view(request, *find_step(request, name, step))
    if view.question is None:
        raise UnknownLesson(f"Step {step} of the lesson “{name}” asks nothing.")
    with _naming(view.lesson):
        verdict = check_answer(view.question, answer, view.resolve)
        context = {"view": view, "verdict": verdict, "reveal": reveal and not verdict.is_right}
        return render(request, "_lesson_verdict.html", context)


def find_step(request: Request, name: str, step: str) -> tuple[Lesson, int]:
    """Return a lesson, and the number of one of its steps. Raises: UnknownLesson, BrokenLesson."""
    lessons: Lessons = request.app.state.lessons
    lesson = lessons.get(name)
    number = int(step) if step.isascii() and step.isdecimal() and len(step) < 4 else 0
    if not 1 <= number <= len(lesson.steps):
        raise UnknownLesson.step(name, step[:40], len(lesson.steps))
    return lesson, number


def view_lesson(request: Request) -> StepView | None:
    """Return the step that stands beside the page that is asked for, if any, ready to be shown.

    What cannot be worked out, because this server has other models, is said in its place. Raises: UnknownLesson,
    BrokenLesson.
    """
    query = request.query_params
    if not query.get(LESSON) or request.url.path in _NO_PANEL:
        return None
    name, dot, step = query[LESSON].partition(".")
    lesson, number = find_step(request, name, step if dot else "1")
    view = replace(_view(request, lesson, number), following=_following(request, lesson))
    try:
        view.work_out()
    except LessonError as fault:
        return replace(view, fault=fault)
    return view


def _following(request: Request, lesson: Lesson) -> str | None:
    """Return the address of the lesson after this one; None after the last."""
    names = list(request.app.state.lessons.shelf.lessons.values())
    after = names[names.index(lesson) + 1 :]
    return step_addresses(after[0])[0] if after else None


def _view(request: Request, lesson: Lesson, number: int) -> StepView:
    vocabulary: Vocabulary = request.app.state.vocabulary
    return view_step(lesson, number, vocabulary.of_built_in_models() if _is_in_event_loop() else vocabulary)


def _is_in_event_loop() -> bool:
    """Return whether everybody waits for what is computed here: a page's route is async, and not run in a thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@contextmanager
def _naming(lesson: Lesson) -> Iterator[None]:
    """Turn what cannot be worked out into an error that names the lesson's file."""
    try:
        yield
    except LessonError as error:
        raise BrokenLesson(lesson.name + ENDING, error) from None


def leave_address(request: Request) -> str:
    """Return the address of the page without the lesson."""
    url = request.url.remove_query_params(LESSON)
    return f"{url.path}?{url.query}" if url.query else url.path


class PagePaths(Container[str]):
    """The paths of the pages where a step may stand: `/compare`, and `/experiments/{name}` whatever its name is."""

    def __init__(self, routers: Iterable[APIRouter]) -> None:
        routes = [route for each in routers for route in each.routes if isinstance(route, APIRoute)]
        pages = [each for each in routes if "GET" in (each.methods or ()) and not each.include_in_schema]
        self._patterns = [each.path_regex for each in pages if _PAGE.fullmatch(each.path)]

    def __contains__(self, path: object) -> bool:
        if not isinstance(path, str) or path in _NO_PANEL:
            return False
        return any(pattern.fullmatch(path) for pattern in self._patterns)


templates.env.globals |= {"view_lesson": view_lesson, "leave_address": leave_address}
