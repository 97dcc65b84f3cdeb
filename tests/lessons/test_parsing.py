import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.lessons.errors import LessonError
from app.lessons.lesson import ChoiceQuestion, Lesson, NumberQuestion, PartName, WordQuestion
from app.lessons.parsing import MAX_STEPS, parse_lesson
from tests.lessons.texts import HEAD, PAGES, lesson, question


def parse(text: str) -> Lesson:
    return parse_lesson("gravity", text, PAGES)


def render(text: str) -> str:
    """All HTML of a lesson's only step; expressions are worth 26."""
    (step,) = parse(text).steps
    texts = [step.title, *(part.text for part in step.parts)]
    if step.prediction:
        texts += [step.prediction.ask, *step.prediction.choices]
    if step.question:
        texts += [step.question.ask]
    return "".join(each.render(lambda _: 26) for each in texts)


def test_a_lesson_is_read() -> None:
    text = """---
# a comment
title: "Gravity"
summary: Things fall.
order: 3
hide: [save, pooling]
---

## Drop it

Page: http://localhost:8000/?model=digits&sample=7&lesson=other.4#d=x

A *first* word.

### Predict

```predict
ask: Where to?
choice: Up
choice: Down
```

### Try

Let go of it.

```question
ask: How wide is it?
number: layer.conv_1.width
tolerance: 0.5
unit: cells
mistake: input.width => That is the input.
right: Yes.
wrong: No.
```

### Explain

It is {{ layer.conv_1.width }} wide.

## Then

See [the comparison](/compare?model=digits) or [the API](/docs).
"""
    read = parse(text)
    assert (read.title, read.front_matter.summary, read.front_matter.order) == ("Gravity", "Things fall.", 3)
    assert read.front_matter.hide == ("save", "pooling")
    first, second = read.steps
    assert (first.line, first.place_line) == (9, 11)
    assert first.place.address("gravity", 1) == "/?model=digits&sample=7&lesson=gravity.1#d=x"
    assert [part.name for part in first.parts] == [None, PartName.TRY, PartName.EXPLAIN]
    assert first.prediction is not None and len(first.prediction.choices) == 2
    asked = first.question
    assert isinstance(asked, NumberQuestion) and asked.unit == "cells" and len(asked.mistakes) == 1
    assert first.explanation is not None
    assert first.explanation.render(lambda _: 26) == "<p>It is 26 wide.</p>\n"
    assert second.place == first.place  # where no other is named
    html = second.parts[0].text.render(lambda _: 26)
    assert 'href="/compare?model=digits&amp;lesson=gravity.2"' in html and 'href="/docs"' in html


def test_the_kinds_of_question() -> None:
    choice = parse(lesson(question("ask: Which?", "choice: max", "correct: min"))).steps[0].question
    assert isinstance(choice, ChoiceQuestion) and choice.correct == 1
    computed = parse(lesson(question("ask: Which?", "choice: max", "choice: min", "answer: answer.label")))
    assert isinstance(computed.steps[0].question, ChoiceQuestion) and computed.steps[0].question.correct is None
    words = parse(lesson(question("ask: Which?", "word: max", "word: maximum"))).steps[0].question
    assert isinstance(words, WordQuestion) and len(words.words) == 2


# The line that is wrong, and what is said of it.
BROKEN = {
    "no head": ("## Drop it", 1, "begins with a line of three dashes"),
    "an empty file": ("", 1, "begins with a line of three dashes"),
    "a head without end": ("---\ntitle: Gravity", 1, "does not end"),
    "an unknown key": ("---\ntitle: Gravity\nauthor: Me\n---\n", 3, "The keys are: title, summary, order, hide"),
    "a key twice": ("---\ntitle: A\ntitle: B\n---\n", 3, "twice"),
    "an empty value": ("---\ntitle:\nsummary: B\n---\n", 2, "nothing after the colon"),
    "no title": ("---\nsummary: B\n---\n", 3, "lacks a “title: …”"),
    "a long title": (f"---\ntitle: {'x' * 200}\nsummary: B\n---\n", 2, "too long: 200 characters of at most 80"),
    "an odd order": ("---\ntitle: A\nsummary: B\norder: ³\n---\n", 4, "whole number"),
    "something to hide that is not there": ("---\ntitle: A\nsummary: B\nhide: [all]\n---\n", 4, "“all” is nothing"),
    "no step": (HEAD, 4, "There is no step"),
    "a text before the first step": (f"{HEAD}\nHello.\n\n## A\n", 6, "begins with a heading"),
    "no page": (f"{HEAD}\n## Drop it\n\nHello.\n", 6, "“Page: /…”"),
    "two addresses": (f"{HEAD}\n## Drop it\n\nPage: /?a=b /?c=d\n", 8, "one address"),
    "a text below the address": (f"{HEAD}\n## Drop it\n\nPage: /\nHello.\n", 8, "a blank line below it"),
    "another site": (f"{HEAD}\n## Drop it\n\nPage: //example.com/\n", 8, "begins with “/”"),
    "a script": (f"{HEAD}\n## Drop it\n\nPage: javascript:alert(1)\n", 8, "begins with “/”"),
    "a page that is not there": (f"{HEAD}\n## Drop it\n\nPage: /nowhere\n", 8, "There is no page “/nowhere”"),
    "a sample that is not there": (f"{HEAD}\n## Drop it\n\nPage: /?sample=12\n", 8, "There is no sample “12”"),
    "a pooling that is not there": (f"{HEAD}\n## Drop it\n\nPage: /?pooling=mid\n", 8, "There is no pooling mode"),
    "a map that is no number": (f"{HEAD}\n## Drop it\n\nPage: /?channel=x\n", 8, "“channel” is a whole number"),
    "an empty step": (f"{HEAD}\n## Drop it\n\nPage: /\n\n## Next\n\nHello.\n", 6, "says nothing"),
    "another heading": (lesson("\n### Wonder\n\nWhy?\n"), 10, "### Predict, ### Try, ### See, ### Explain"),
    "a large heading": (lesson("\n# Wonder\n"), 10, "### Predict"),
    "a part twice": (lesson("\n### Try\n\nA.\n\n### Try\n\nB.\n"), 14, "“Try” twice"),
    "a heading in a list": (lesson("\n- a\n\n  ### Try\n"), 12, "in no list or quotation"),
    "a question in a list": (lesson("\n- a\n\n  ```question\n  ask: A\n  ```\n"), 12, "in no list or quotation"),
    "an expression": (lesson("\nA.\n\nIt is {{ layer. }} wide,\nand {{ 1 + }} high.\n"), 12, "ends too early"),
    "an expression on the next line": (lesson("\nIt is {{ 1 }} wide,\nand {{ 1 + }} high.\n"), 11, "ends too early"),
    "a link elsewhere": (lesson("\n[here](https://example.com)\n"), 10, "A link leads to an address of the app"),
    "a link that is a script": (lesson("\n[here](javascript:alert(1))\n"), 10, "A link leads to an address of the app"),
    "a link to another server": (lesson("\n<https://example.com>\n"), 10, "A link leads to an address of the app"),
    "a link past the path": (lesson("\n[here](//example.com)\n"), 10, "A link leads to an address of the app"),
    "a picture of elsewhere": (lesson("\n![x](https://example.com/a.png)\n"), 10, "A link leads to"),
    "a link to a wrong sample": (lesson("\n[here](/?sample=x)\n"), 10, "There is no sample"),
    "a question without a kind": (lesson(question("ask: What?")), 11, "either “number: …”"),
    "a question of two kinds": (lesson(question("ask: What?", "number: 1", "word: one")), 11, "either “number: …”"),
    "a question that asks nothing": (lesson(question("number: 1")), 11, "lacks an “ask: …”"),
    "an unknown line": (lesson(question("ask: What?", "numbr: 1")), 12, "The keys are: answer, ask, choice"),
    "a line without a value": (lesson(question("ask:", "number: 1")), 11, "nothing after the colon"),
    "a line twice": (lesson(question("ask: A", "ask: B", "number: 1")), 12, "twice"),
    "a wrong expression": (lesson(question("ask: A", "number: 1 +")), 12, "ends too early"),
    "a number's choice": (lesson(question("ask: A", "word: a", "tolerance: 1")), 12 + 1, "another kind of question"),
    "one choice": (lesson(question("ask: A", "correct: a")), 11, "2 to 8 choices; this one has 1"),
    "no right choice": (lesson(question("ask: A", "choice: a", "choice: b")), 11, "One choice is right"),
    "two right choices": (lesson(question("ask: A", "correct: a", "correct: b")), 11, "One choice is right"),
    "a mistake without a sentence": (lesson(question("ask: A", "number: 1", "mistake: 2")), 13, "A mistake is written"),
    "two questions": (lesson(question("ask: A", "number: 1") * 2), 15, "one question at most"),
    "two predictions": (lesson("\n```predict\nask: A\nchoice: a\nchoice: b\n```\n" * 2), 16, "one prediction at most"),
    "a prediction of one": (lesson("\n```predict\nask: A\nchoice: a\n```\n"), 11, "2 to 8 lines"),
    "too many steps": (HEAD + "\n## A\n\nPage: /\n\nB.\n" * (MAX_STEPS + 1), 5, "at most 30 steps; this one has 31"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_told_with_its_line(name: str) -> None:
    text, line, sentence = BROKEN[name]
    with pytest.raises(LessonError) as raised:
        parse(text)
    assert (raised.value.line, sentence in raised.value.sentence) == (line, True), str(raised.value)


HTML = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "a <b>bold</b> word",
    "<!-- hidden -->",
    "&lt;script&gt;",
    "<style>body { display: none }</style>",
    "<svg onload=alert(1)>",
    "`<b>`",
    "![x](/static/icon.svg)",
    "<iframe src=/></iframe>",
]
ALLOWED = {"p", "em", "strong", "code", "pre", "a", "ul", "ol", "li", "br", "hr", "blockquote"}


def tags(html: str) -> set[str]:
    return {tag.lower() for tag in re.findall(r"<[/!?]?\s*([^\s<>/]*)", html)}


@pytest.mark.parametrize("text", HTML)
def test_no_html_passes(text: str) -> None:
    step = f"\n{text}\n\n- {text}\n" + "\n```predict\n" + f"ask: {text}\nchoice: {text}\nchoice: b\n```\n"
    html = render(lesson(step + question(f"ask: {text}", "number: 1"), HEAD).replace("Drop it", text))
    assert tags(html) <= ALLOWED | {""}
    for attribute in re.findall(r"<\w+\s+([\w-]+)=", html):
        assert attribute in {"href", "class", "start"}
    assert "javascript" not in "".join(re.findall(r'href="([^"]*)"', html))


def test_what_an_expression_says_is_escaped() -> None:
    (step,) = parse(lesson("\n{{ answer.label }}\n")).steps
    assert step.parts[0].text.render(lambda _: "<b>") == "<p>&lt;b&gt;</p>\n"


LINES = r"""
---
title: A
summary: B
hide: [save]
## A
### Try
### Explain
Page: /
Page: /?sample=7
```question
```predict
```
ask: A
number: 1
choice: a
correct: b
word: c
mistake: 1 => a
- a
> b
1. a
***
    code
{{ 1 }}
{{ 1 +
<b>
[a](/)
[a](http://b)
\
`
"""


@given(st.lists(st.sampled_from(LINES.split("\n")) | st.text(max_size=30), max_size=40).map("\n".join))
@example(lesson("\n`{{ 1 }}`\n"))
def test_any_text_is_read_or_refused(text: str) -> None:
    for each in (text, HEAD + text, lesson(f"\n{text}")):
        try:
            read = parse(each)
        except LessonError as error:
            assert 1 <= error.line <= each.count("\n") + each.count("\r") + 2
            assert error.sentence
            continue
        assert read.steps
        for step in read.steps:
            html = "".join(part.text.render(lambda _: "<b>") for part in step.parts)
            assert tags(html) <= ALLOWED | {""}
