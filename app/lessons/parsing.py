"""From a lesson's text to a lesson.

After the head, each heading of level two begins a step, and a paragraph “Page: /…” below it says where the step is.
Headings of level three divide it: Predict, Try, See, Explain. A block of code that is called `predict` or `question`
is one.
"""

from collections.abc import Container
from functools import partial

from markdown_it.token import Token

from .blocks import read_prediction, read_question
from .errors import Fault, LessonError
from .front_matter import read_front_matter
from .lesson import Lesson, Part, PartName, Prediction, Question, Step
from .markdown import Text, check, read_blocks, require_own
from .places import Place

PAGE = "Page:"
MAX_STEPS = 30


def parse_lesson(name: str, text: str, pages: Container[str], is_built_in: bool = True) -> Lesson:
    """Read a lesson. pages: the paths of the app's pages. Raises: LessonError."""
    lines = text.removeprefix("\ufeff").splitlines()
    front_matter, head = read_front_matter(lines)
    tokens = read_blocks("\n".join(lines[head:]))
    first = head + 1
    starts = [index for index, token in enumerate(tokens) if _is_heading(token, "h2")]
    before = tokens[: starts[0]] if starts else tokens
    if before:
        raise LessonError(
            first + (before[0].map or [0])[0], "A lesson's text begins with a heading: “## …”, its first step."
        )
    if not starts:
        raise LessonError(head, "There is no step: each begins with a heading, “## …”.")
    if len(starts) > MAX_STEPS:
        raise LessonError(first, f"A lesson has at most {MAX_STEPS} steps; this one has {len(starts)}.")
    steps: list[Step] = []
    for start, end in zip(starts, [*starts[1:], len(tokens)], strict=True):
        reader = _StepReader(name, len(steps) + 1, first, pages, steps[-1].place if steps else None)
        steps.append(reader.read(tokens[start:end]))
    return Lesson(name, front_matter, tuple(steps), is_built_in)


def _is_heading(token: Token, tag: str) -> bool:
    return token.type == "heading_open" and token.tag == tag and token.level == 0


def _is_block(token: Token, name: str) -> bool:
    return token.type == "fence" and token.level == 0 and token.info.strip() == name


class _StepReader:
    """Reads the tokens of one step."""

    def __init__(self, lesson: str, number: int, first: int, pages: Container[str], before: Place | None) -> None:
        self.lesson = lesson
        self.number = number
        self.first = first  # the line from which the tokens' lines count
        self.pages = pages
        self.before = before  # the place of the step before
        self.complete = partial(complete_link, lesson=lesson, step=number, pages=pages)

    def line(self, token: Token) -> int:
        return self.first + (token.map[0] if token.map else 0)

    def read(self, tokens: list[Token]) -> Step:
        heading, title, _, *rest = tokens
        line = self.line(heading)
        place, place_line, rest = self.read_place(rest, line)
        parts: list[Part] = []
        prediction: Prediction | None = None
        question: Question | None = None
        name: PartName | None = None
        section: list[Token] = []
        rest = list(rest)
        while rest:
            token = rest.pop(0)
            if token.type == "heading_open" and token.level == 0:
                parts += self.make_part(name, section)
                name, section = self.read_name(token, rest[0], parts), []
                del rest[:2]
            elif _is_block(token, "predict"):
                if prediction:
                    raise LessonError(self.line(token), "A step has one prediction at most.")
                prediction = read_prediction(token.content, self.line(token) + 1, self.complete)
            elif _is_block(token, "question"):
                if question:
                    raise LessonError(self.line(token), "A step has one question at most.")
                question = read_question(token.content, self.line(token) + 1, self.complete)
            else:
                section.append(token)
        parts += self.make_part(name, section)
        if not parts and not question and not prediction:
            raise LessonError(line, "This step says nothing: sentences, a prediction or a question are missing.")
        title_text = check([title], self.first, self.complete)
        return Step(line, title_text, place, place_line, tuple(parts), prediction, question)

    def read_place(self, tokens: list[Token], line: int) -> tuple[Place, int, list[Token]]:
        """Read the paragraph that says where the step is. Returns what follows it as well."""
        has_one = len(tokens) > 2 and tokens[0].type == "paragraph_open" and tokens[1].content.startswith(PAGE)
        if not has_one:
            if self.before is None:
                raise LessonError(line, f"Below the first step's heading stands “{PAGE} /…”, an address of the page.")
            return self.before, line, tokens
        line = self.line(tokens[0])
        text = tokens[1].content.removeprefix(PAGE).strip()
        if len(text.split()) != 1:
            raise LessonError(line, f"After “{PAGE}” stands one address, and a blank line below it.")
        try:
            return Place.parse(text, self.pages), line, tokens[3:]
        except Fault as fault:
            raise LessonError(line, str(fault)) from None

    def read_name(self, heading: Token, title: Token, parts: list[Part]) -> PartName:
        word = title.content.strip().rstrip(".").lower()
        if heading.tag != "h3" or word not in list(PartName):
            names = ", ".join(f"### {each.capitalize()}" for each in PartName)
            raise LessonError(self.line(heading), f"A step is divided by these headings alone: {names}.")
        if any(part.name == word for part in parts):
            raise LessonError(self.line(heading), f"This step has “{word.capitalize()}” twice.")
        return PartName(word)

    def make_part(self, name: PartName | None, tokens: list[Token]) -> list[Part]:
        text: Text = check(tokens, self.first, self.complete)
        return [Part(name, text)] if tokens else []


def complete_link(address: str, lesson: str, step: int, pages: Container[str]) -> str:
    """Return a link's address with the lesson beside it where it leads to a page. Raises: Fault."""
    require_own(address)
    path = address.partition("?")[0].partition("#")[0]
    return Place.parse(address, pages).address(lesson, step) if path in pages else address
