"""Small line plots as SVG, without a plotting library."""

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 340, 240, 48, 44, 34
INK, LINE = "#6b7280", "#2a78b8"  # readable on a light page and on a dark one

Points = Sequence[tuple[float, float]]


def draw_plots(plots: Sequence[tuple[str, str, str, Points]]) -> str:
    """Return an SVG with plots in two columns, all axes from 0. plots: (title, x, y, points) each."""
    rows = -(-len(plots) // 2)
    parts = [
        f'<g transform="translate({i % 2 * WIDTH} {i // 2 * HEIGHT})">{_plot(*p)}</g>' for i, p in enumerate(plots)
    ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH} {rows * HEIGHT}" font-family="sans-serif">'
    )
    return "\n".join([head, *parts, "</svg>\n"])


def _plot(title: str, x_name: str, y_name: str, points: Points) -> str:
    across, down = WIDTH - LEFT - 20, HEIGHT - TOP - BOTTOM
    x_step, y_step = (nice_step(max(values)) for values in zip(*points, strict=True))
    x_end, y_end = (-(-max(v) // s) * s for v, s in zip(zip(*points, strict=True), (x_step, y_step), strict=True))

    def place(x: float, y: float) -> tuple[float, float]:
        return round(LEFT + x / x_end * across, 1), round(TOP + down - y / y_end * down, 1)

    line = " ".join(f"{x},{y}" for x, y in (place(*point) for point in points))
    dots = [f'<circle cx="{x}" cy="{y}" r="3" fill="{LINE}"/>' for x, y in (place(*point) for point in points)]
    marks = [_text(place(x, 0)[0], HEIGHT - BOTTOM + 16, f"{x:,g}") for x in _ticks(x_step, x_end)]
    marks += [_text(LEFT - 6, place(0, y)[1] + 4, f"{y:,g}", "end") for y in _ticks(y_step, y_end)]
    grid = [_rule(place(0, y)[1]) for y in _ticks(y_step, y_end)]
    names = [_text(LEFT, 20, title, "start", 13), _text(LEFT + across / 2, HEIGHT - 8, f"{x_name} → {y_name}")]
    return "".join(
        [*grid, f'<polyline points="{line}" fill="none" stroke="{LINE}" stroke-width="2"/>', *dots, *marks, *names]
    )


def nice_step(end: float) -> float:
    """Return a step of 1, 2 or 5 times a power of ten, of which at most five reach the end."""
    power = 10.0 ** len(str(int(end)))
    while end / (power / 10) <= 5:
        power /= 10
    return next(step * power / 10 for step in (1, 2, 5, 10) if end / (step * power / 10) <= 5)


def _ticks(step: float, end: float) -> list[float]:
    return [round(number * step, 9) for number in range(round(end / step) + 1)]


def _rule(y: float) -> str:
    return f'<line x1="{LEFT}" x2="{WIDTH - 20}" y1="{y}" y2="{y}" stroke="{INK}" stroke-opacity="0.3"/>'


def _text(x: float, y: float, text: str, anchor: str = "middle", size: int = 11) -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" text-anchor="{anchor}" fill="{INK}">{escape(text)}</text>'
