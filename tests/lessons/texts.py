"""Lessons for tests."""

HEAD = "---\ntitle: Gravity\nsummary: Things fall.\n---\n"
PAGES = frozenset({"/", "/compare", "/models"})


def lesson(step: str, head: str = HEAD) -> str:
    """A lesson of one step; the step's text begins on line 9."""
    return f"{head}\n## Drop it\n\nPage: /?model=digits&sample=7\n{step}"


def question(*lines: str) -> str:
    """A block with a question, whose first line is the lesson's line 11."""
    return "\n```question\n" + "\n".join(lines) + "\n```\n"
