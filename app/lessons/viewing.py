"""One step of a lesson as it is shown: every expression worked out, every text as HTML."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from .answers import work_out
from .errors import Fault, LessonError
from .lesson import ChoiceQuestion, Lesson, NumberQuestion, PartName, Question, Step
from .markdown import Resolve
from .vocabulary import Vocabulary


@dataclass(frozen=True)
class StepView:
    """A step of a lesson. All HTML in it comes from Markdown without HTML, and is escaped."""

    lesson: Lesson
    number: int  # from 1
    resolve: Resolve
    following: str | None = None  # the address of the next lesson
    fault: LessonError | None = None  # why it cannot be shown

    @property
    def step(self) -> Step:
        return self.lesson.steps[self.number - 1]

    @property
    def question(self) -> Question | None:
        return self.step.question

    @cached_property
    def title(self) -> str:
        return self.step.title.render(self.resolve)

    @cached_property
    def plain_title(self) -> str:
        return self.step.title.plain(self.resolve)

    @cached_property
    def parts(self) -> list[tuple[PartName | None, str]]:
        """The parts to read, in order. What explains waits for the answer, if there is a question."""
        parts = [(part.name, part.text) for part in self.step.parts if part.name is not PartName.EXPLAIN]
        shown: list[tuple[PartName | None, str]] = [(name, text.render(self.resolve)) for name, text in parts]
        if self.step.prediction and PartName.PREDICT not in dict(parts):
            shown.insert(0, (PartName.PREDICT, ""))  # the prediction alone
        return shown

    @cached_property
    def explanation(self) -> str | None:
        return self.step.explanation.render(self.resolve) if self.step.explanation else None

    @cached_property
    def ask(self) -> str:
        return self.question.ask.render(self.resolve) if self.question else ""

    @cached_property
    def choices(self) -> list[str]:
        """The choices of the question, as HTML; none where something is typed."""
        question = self.question
        return [each.render(self.resolve) for each in question.choices] if isinstance(question, ChoiceQuestion) else []

    @property
    def takes_number(self) -> bool:
        return isinstance(self.question, NumberQuestion)

    @property
    def unit(self) -> str:
        return self.question.unit if isinstance(self.question, NumberQuestion) else ""

    @cached_property
    def prediction(self) -> tuple[str, list[str]] | None:
        """What is to be predicted, and the choices."""
        prediction = self.step.prediction
        if prediction is None:
            return None
        return prediction.ask.render(self.resolve), [each.render(self.resolve) for each in prediction.choices]

    def work_out(self) -> None:
        """Work out everything that may be shown of it. Raises: LessonError."""
        _ = (self.title, self.parts, self.ask, self.choices, self.prediction, self.explanation)
        if self.question is not None:
            work_out(self.question, self.resolve)

    @property
    def addresses(self) -> list[str]:
        """The address of every step."""
        return step_addresses(self.lesson)

    @property
    def before(self) -> str | None:
        return self.addresses[self.number - 2] if self.number > 1 else None

    @property
    def after(self) -> str | None:
        return self.addresses[self.number] if self.number < len(self.lesson.steps) else None


def step_addresses(lesson: Lesson) -> list[str]:
    """Return the address of every step of a lesson."""
    return [step.place.address(lesson.name, number) for number, step in enumerate(lesson.steps, 1)]


def view_step(lesson: Lesson, number: int, vocabulary: Vocabulary) -> StepView:
    """Return a step as it is shown. number: from 1."""
    return StepView(lesson, number, vocabulary.resolver(lesson.steps[number - 1].place))


def find_faults(lesson: Lesson, vocabulary: Vocabulary) -> Iterator[LessonError]:
    """Yield what of a lesson cannot be worked out: one of each step, the first."""
    for number, step in enumerate(lesson.steps, 1):
        try:
            vocabulary.check_place(step.place)
        except Fault as fault:
            yield LessonError(step.place_line, str(fault))
            continue
        try:
            view_step(lesson, number, vocabulary).work_out()
        except LessonError as error:
            yield error
