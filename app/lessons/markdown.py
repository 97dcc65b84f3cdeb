"""A lesson's Markdown, read by markdown-it: HTML in it is text, links lead to the app alone, pictures are refused."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from .errors import Fault, LessonError
from .expressions import Expression, Value, format_value, parse_expression

Resolve = Callable[[Expression], Value]

_OPENING, _CLOSING = "{{", "}}"


def _read_expression(state: StateInline, silent: bool) -> bool:
    """Take `{{ … }}` out of the text before anything in it can mean something else."""
    if not state.src.startswith(_OPENING, state.pos):
        return False
    end = state.src.find(_CLOSING, state.pos)
    if end < 0:
        return False
    if not silent:
        state.push("expression", "", 0).content = state.src[state.pos + len(_OPENING) : end]
    state.pos = end + len(_CLOSING)
    return True


def _write_expression(_: Any, tokens: Sequence[Token], index: int, __: Any, env: Any) -> str:
    resolve: Resolve = env["resolve"]
    return escapeHtml(format_value(resolve(tokens[index].meta["expression"])))


class _Markdown(MarkdownIt):
    """Markdown whose links are all read as such, so that `check` can refuse them with a sentence."""

    def validateLink(self, url: str) -> bool:
        return True


_LEFT_OUT = ["image", "reference", "lheading", "html_block", "html_inline"]
_markdown = _Markdown("commonmark", {"html": False}).disable(_LEFT_OUT)
_markdown.inline.ruler.before("escape", "expression", _read_expression)
_markdown.add_render_rule("expression", _write_expression)


@dataclass(frozen=True)
class Text:
    """Markdown that was read, with the expressions in it not yet worked out."""

    tokens: tuple[Token, ...]
    line: int  # in the file, of its first one

    def render(self, resolve: Resolve) -> str:
        """Return it as HTML. Raises: LessonError, with the line of what cannot be worked out."""
        html: str = _markdown.renderer.render(self.tokens, _markdown.options, {"resolve": self._locate(resolve)})
        return html

    def plain(self, resolve: Resolve) -> str:
        """Return it as text, without any marking. Raises: LessonError."""
        located = self._locate(resolve)
        return "".join(
            format_value(located(token.meta["expression"])) if token.type == "expression" else token.content
            for token in _leaves(self.tokens)
        )

    @property
    def expressions(self) -> list[tuple[int, Expression]]:
        """The expressions in it, each with its line."""
        return [
            (token.meta["line"], token.meta["expression"])
            for token in _leaves(self.tokens)
            if token.type == "expression"
        ]

    def _locate(self, resolve: Resolve) -> Resolve:
        lines = {id(expression): line for line, expression in self.expressions}

        def located(expression: Expression) -> Value:
            try:
                return resolve(expression)
            except Fault as fault:
                raise LessonError(lines.get(id(expression), self.line), str(fault)) from None

        return located


def read_blocks(text: str) -> list[Token]:
    """Return the tokens of a text of several blocks."""
    return _markdown.parse(text)


def read_inline(text: str, line: int, complete: Callable[[str], str]) -> Text:
    """Read a text of one line. Raises: LessonError."""
    return check(_markdown.parseInline(text), line, complete)


def check(tokens: Sequence[Token], first: int, complete: Callable[[str], str]) -> Text:
    """Check what Markdown allows and a lesson does not, and read the expressions.

    first: the line in the file from which the tokens' lines count. complete: makes the address of a link of the app's
    own, or raises a Fault. Raises: LessonError.
    """
    for token in tokens:
        line = first + (token.map[0] if token.map else 0)
        if token.level and (
            token.type == "heading_open" or (token.type == "fence" and token.info.strip() in {"predict", "question"})
        ):
            raise LessonError(line, "Headings, predictions and questions stand by themselves, in no list or quotation.")
        for child in token.children or ():
            try:
                if child.type == "expression":
                    child.meta = {"expression": parse_expression(child.content), "line": line}
                elif child.type == "link_open":
                    child.attrSet("href", complete(str(child.attrGet("href") or "")))
            except Fault as fault:
                raise LessonError(line, str(fault)) from None
            if child.type in {"softbreak", "hardbreak"}:
                line += 1
    return Text(tuple(tokens), first)


def require_own(address: str) -> None:
    """Raise a Fault for a link that leads away from the app."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or not address.startswith("/") or address.startswith(("//", "/\\")):
        raise Fault(f"A link leads to an address of the app, which begins with “/”, and not to “{address[:80]}”.")


def _leaves(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield from token.children if token.children is not None else (token,)
