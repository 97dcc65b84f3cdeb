"""A lesson: steps, each beside one state of the page, with parts to read and a question to answer."""

from dataclasses import dataclass
from enum import StrEnum

from .expressions import Expression
from .front_matter import FrontMatter
from .markdown import Text
from .places import Place


class PartName(StrEnum):
    """What a part of a step asks of the student."""

    PREDICT = "predict"
    TRY = "try"
    SEE = "see"
    EXPLAIN = "explain"


@dataclass(frozen=True)
class Part:
    """A few sentences of a step."""

    name: PartName | None  # None stands before the first heading
    text: Text


@dataclass(frozen=True)
class Prediction:
    """What a student commits to before looking: kept in the browser, and neither right nor wrong."""

    ask: Text
    choices: tuple[Text, ...]


@dataclass(frozen=True)
class Mistake:
    """An answer that tells what was misunderstood, and a sentence for it."""

    answer: Expression | Text
    sentence: Text


@dataclass(frozen=True)
class Question:
    """A question with an answer that the server checks."""

    line: int
    ask: Text
    right: Text | None  # said of a right answer
    wrong: Text | None  # said of a wrong one that no mistake explains
    mistakes: tuple[Mistake, ...]


@dataclass(frozen=True)
class NumberQuestion(Question):
    """A number is typed."""

    number: Expression
    tolerance: Expression | None  # how far off is right; None: a hundredth, and of a whole number nothing
    unit: str


@dataclass(frozen=True)
class ChoiceQuestion(Question):
    """One of several texts is chosen."""

    choices: tuple[Text, ...]
    correct: int | None  # the index of the right one
    answer: Expression | None  # else: what the right one says


@dataclass(frozen=True)
class WordQuestion(Question):
    """A word is typed."""

    words: tuple[Text, ...]  # any of them is right; the first is shown


@dataclass(frozen=True)
class Step:
    """One step of a lesson."""

    line: int
    title: Text
    place: Place
    place_line: int
    parts: tuple[Part, ...]
    prediction: Prediction | None
    question: Question | None

    @property
    def explanation(self) -> Text | None:
        """What is told once the question is answered."""
        return next((part.text for part in self.parts if part.name is PartName.EXPLAIN), None)


@dataclass(frozen=True)
class Lesson:
    """A lesson as its file tells it."""

    name: str
    front_matter: FrontMatter
    steps: tuple[Step, ...]
    is_built_in: bool = True

    @property
    def title(self) -> str:
        return self.front_matter.title

    @property
    def questions(self) -> int:
        """How many steps have a question."""
        return sum(step.question is not None for step in self.steps)
