"""What can be wrong with a lesson."""

from collections.abc import Iterable


class Fault(ValueError):
    """Something in a lesson's text that cannot be used: a sentence, without its place."""


class LessonError(ValueError):
    """Something in a lesson's text that cannot be used, with the line that it stands in, counted from 1."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(f"Line {line}: {sentence}")
        self.line = line
        self.sentence = sentence


class UnknownLesson(LookupError):
    """There is no lesson of this name, or it has no such step."""

    @classmethod
    def named(cls, name: str, names: Iterable[str]) -> "UnknownLesson":
        known = ", ".join(names) or "none"
        return cls(f"There is no lesson “{name}”. There is: {known}. All lessons are at /lessons.")

    @classmethod
    def step(cls, name: str, step: str, steps: int) -> "UnknownLesson":
        return cls(f"The lesson “{name}” has no step “{step}”. It has steps 1 to {steps}.")


class BrokenLesson(ValueError):
    """A lesson that cannot be shown: its file, the line and what is wrong there."""

    def __init__(self, file: str, error: LessonError) -> None:
        super().__init__(f"The lesson in {file} cannot be shown. {error}")
