"""How do figures look? As SVG in the page, in the page's own colours; what came from outside is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from django.utils.safestring import SafeString, mark_safe

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 480, 180, 52, 12, 14, 26


def line_chart(labels: Sequence[str], values: Sequence[float | None], title: str, unit: str = "") -> SafeString:
    """A number a week; where there is none, the line has a gap."""
    known = [value for value in values if value is not None]
    most = _round_up(max(known, default=0.0))
    across = (WIDTH - LEFT - RIGHT) / max(1, len(values) - 1)

    def place(number: int, value: float) -> tuple[float, float]:
        x = LEFT + (across * number if len(values) > 1 else (WIDTH - LEFT - RIGHT) / 2)
        return x, HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / most

    parts = []
    for share in (0, 0.5, 1):
        y = HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share
        parts.append(f'<line class="rule" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{most * share:.3g}{escape(unit)}</text>')
    step = max(1, -(-len(labels) // 6))
    for number in range(0, len(labels), step):
        x, _ = place(number, 0)
        anchor = "middle" if x < WIDTH - 2 * RIGHT else "end"
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 6}" text-anchor="{anchor}">{escape(labels[number])}</text>')
    path, begun = "", False
    for number, value in enumerate(values):
        if value is None:
            begun = False
            continue
        x, y = place(number, value)
        path += f"{'L' if begun else 'M'}{x:.1f} {y:.1f}"
        begun = True
        told = escape(f"{labels[number]}: {value:.3g}{unit}")
        parts.append(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3.5"><title>{told}</title></circle>')
    return _svg(f'<path class="trace" d="{path}"/>' + "".join(parts), title)


def scatter_chart(points: Sequence[tuple[float, float, str]], title: str, x_label: str, y_label: str) -> SafeString:
    """Dots in a plane: x, y, and what stands at the dot."""
    xs, ys = [x for x, _, _ in points], [y for _, y, _ in points]
    low_x, high_x, low_y, high_y = min(xs), max(xs), min(ys), max(ys)
    parts = [f'<path class="axis" d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>']
    for value, anchor, along in ((low_x, "start", LEFT + 14), (high_x, "end", WIDTH - RIGHT - 14)):
        parts.append(f'<text x="{along}" y="{HEIGHT - 8}" text-anchor="{anchor}">{value:.3g}</text>')
    for value, down in ((low_y, HEIGHT - BOTTOM - 8), (high_y, TOP + 12)):
        parts.append(f'<text x="{LEFT - 8}" y="{down}" text-anchor="end">{value:.2g}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x_label)}</text>')
    parts.append(f'<text x="{LEFT + 6}" y="{TOP - 2}">{escape(y_label)}</text>')
    for x, y, told in points:
        at_x = LEFT + 14 + (WIDTH - LEFT - RIGHT - 28) * ((x - low_x) / (high_x - low_x) if high_x > low_x else 0.5)
        share = (y - low_y) / (high_y - low_y) if high_y > low_y else 0.5
        at_y = HEIGHT - BOTTOM - 12 - (HEIGHT - TOP - BOTTOM - 24) * share
        parts.append(
            f'<circle class="dot" cx="{at_x:.1f}" cy="{at_y:.1f}" r="6"><title>{escape(told)}</title></circle>'
        )
    return _svg("".join(parts), title)


def _round_up(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten, and 1 for nothing."""
    power = 1.0
    while power < value:
        power *= 10
    while power / 10 >= value > 0:
        power /= 10
    return next((factor * power for factor in (0.1, 0.2, 0.5) if factor * power >= value > 0), power)


def _svg(inner: str, title: str) -> SafeString:
    view = f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
    return mark_safe(f'<svg class="chart" {view}><title>{escape(title)}</title>{inner}</svg>')
