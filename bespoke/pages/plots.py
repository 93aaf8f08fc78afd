"""How are numbers drawn in a report? As SVG in the page itself; whatever came from outside is escaped here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

WIDTH, LEFT, RIGHT, ROW = 480, 110, 20, 30
LEGEND = 18  # height of a line that says what colours stand for
TOP, BESIDE, BELOW = 22, 62, 50  # around a plane
_STEPS = (1, 2, 2.5, 5, 10)
_SOFT = 'font-size="11.5" fill="#60646c"'


class Interval(NamedTuple):
    """A number with its interval, on a line of its own."""

    label: str
    value: float
    low: float
    high: float
    color: str = "#5b7fc7"


class Point(NamedTuple):
    """A dot in a plane; `title` is shown where somebody points at it."""

    x: float
    y: float
    title: str
    color: str = "#5b7fc7"


def interval_plot(rows: Sequence[Interval], title: str) -> str:
    """Numbers beneath each other with their intervals, and a line at zero."""
    ends = [0.0, *(end for row in rows for end in (row.low, row.high, row.value))]
    height = ROW * len(rows) + 34
    place = _Scale(min(ends), max(ends), LEFT, WIDTH - RIGHT)
    parts = [_ticks(min(ends), max(ends), place, height - 26)]
    parts.append(f'<line x1="{place(0):.1f}" x2="{place(0):.1f}" y1="0" y2="{height - 26}" stroke="#60646c"/>')
    for number, row in enumerate(rows):
        y = ROW * number + ROW / 2
        parts.append(
            f'<text x="{LEFT - 12}" y="{y + 4}" text-anchor="end" font-size="13">{escape(row.label)}</text>'
            f'<line x1="{place(row.low):.1f}" x2="{place(row.high):.1f}" y1="{y}" y2="{y}" '
            f'stroke="{row.color}" stroke-width="3" stroke-linecap="round"/>'
            f'<circle cx="{place(row.value):.1f}" cy="{y}" r="5" fill="{row.color}"/>'
        )
    return _svg("".join(parts), height, title)


def scatter_plot(points: Sequence[Point], title: str, x_label: str, y_label: str) -> str:
    """Dots in a plane."""
    bottom = 250
    across, down, parts = _plane([point.x for point in points], [point.y for point in points], x_label, y_label, bottom)
    for point in points:
        parts.append(
            f'<circle cx="{across(point.x):.1f}" cy="{down(point.y):.1f}" r="6" fill="{point.color}" '
            f'fill-opacity=".8"><title>{escape(point.title)}</title></circle>'
        )
    return _svg("".join(parts), bottom + BELOW, title)


class Spot(NamedTuple):
    """A number across and one down, each as value, low and high; `label` stands beside it, `title` where one points."""

    x: tuple[float, float, float]
    y: tuple[float, float, float]
    label: str
    title: str


class Track(NamedTuple):
    """Spots of one kind; joined ones in their order."""

    label: str
    spots: Sequence[Spot]
    color: str = "#5b7fc7"
    joined: bool = False


def front_plot(tracks: Sequence[Track], title: str, x_label: str, y_label: str) -> str:
    """Spots in a plane with their intervals as crosses, and below what each colour stands for."""
    bottom = 290
    spots = [spot for track in tracks for spot in track.spots]
    xs, ys = [end for spot in spots for end in spot.x], [end for spot in spots for end in spot.y]
    across, down, parts = _plane(xs, ys, x_label, y_label, bottom)
    for number, track in enumerate(tracks):
        places = [(across(spot.x[0]), down(spot.y[0])) for spot in track.spots]
        for spot, (x, y) in zip(track.spots, places, strict=True):
            parts.append(
                f'<path d="M{across(spot.x[1]):.1f} {y:.1f}H{across(spot.x[2]):.1f}'
                f'M{x:.1f} {down(spot.y[1]):.1f}V{down(spot.y[2]):.1f}" stroke="{track.color}" stroke-opacity=".3"/>'
            )
        if track.joined:
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
            parts.append(f'<polyline points="{path}" fill="none" stroke="{track.color}" stroke-width="2"/>')
        for spot, (x, y) in zip(track.spots, places, strict=True):
            parts.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{track.color}"><title>{escape(spot.title)}</title>'
                f'</circle><text x="{x + 7:.1f}" y="{y - 7:.1f}" font-size="12" fill="{track.color}">'
                f"{escape(spot.label)}</text>"
            )
        row, column = divmod(number, 2)  # two beside each other are as many as long words leave room for
        left, middle = BESIDE + column * (WIDTH - BESIDE - RIGHT) / 2, bottom + 58 + LEGEND * row
        parts.append(
            f'<circle cx="{left:.1f}" cy="{middle}" r="5" fill="{track.color}"/>'
            f'<text x="{left + 10:.1f}" y="{middle + 4}" font-size="12">{escape(track.label)}</text>'
        )
    return _svg("".join(parts), bottom + BELOW + 4 + LEGEND * ((len(tracks) + 1) // 2), title)


class Series(NamedTuple):
    """Numbers over time, as a line."""

    label: str
    points: Sequence[tuple[float, float]]
    color: str = "#5b7fc7"


def line_plot(series: Sequence[Series], title: str, x_label: str, y_label: str) -> str:
    """Lines in a plane, each with its label at its end; those without a point are left away."""
    bottom = 210
    drawn = [line for line in series if line.points]
    xs = [0.0, *(x for line in drawn for x, _ in line.points)]
    ys = [y for line in drawn for _, y in line.points] or [0.0]
    across, down, parts = _plane(xs, ys, x_label, y_label, bottom)
    for number, line in enumerate(drawn):
        path = " ".join(f"{across(x):.1f},{down(y):.1f}" for x, y in line.points)
        x, y = line.points[-1]
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{line.color}" stroke-width="2" stroke-linejoin="round"/>'
            f'<circle cx="{across(x):.1f}" cy="{down(y):.1f}" r="3.5" fill="{line.color}"/>'
            f'<text x="{WIDTH - RIGHT}" y="{TOP + 2 + 16 * number}" text-anchor="end" font-size="12" '
            f'fill="{line.color}">{escape(line.label)}</text>'
        )
    return _svg("".join(parts), bottom + BELOW, title)


def _plane(
    xs: Sequence[float], ys: Sequence[float], x_label: str, y_label: str, bottom: int
) -> tuple[_Scale, _Scale, list[str]]:
    """Where numbers lie across and down, and the two axes with their numbers and labels."""
    across, down = _Scale(min(xs), max(xs), BESIDE, WIDTH - RIGHT), _Scale(min(ys), max(ys), bottom, TOP)
    parts = [
        f'<path d="M{BESIDE} {TOP}V{bottom}H{WIDTH - RIGHT}" fill="none" stroke="#60646c"/>',
        _ticks(min(xs), max(xs), across, bottom),
        f'<text x="{WIDTH - RIGHT}" y="{bottom + 38}" text-anchor="end" font-size="13">{escape(x_label)}</text>',
        f'<text x="{BESIDE}" y="11" font-size="13">{escape(y_label)}</text>',
    ]
    for value in _round_numbers(min(ys), max(ys)):
        parts.append(f'<text x="{BESIDE - 8}" y="{down(value) + 4:.1f}" text-anchor="end" {_SOFT}>{value:g}</text>')
    return across, down, parts


class _Scale:
    """Numbers from `low` to `high` onto pixels, with a little room at both ends."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        room = 0.05 * (high - low) or 0.5
        self.low, self.per_unit = low - room, (end - start) / (high - low + 2 * room)
        self.start = start

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) * self.per_unit


def _ticks(low: float, high: float, place: _Scale, y: float) -> str:
    return "".join(
        f'<line x1="{place(value):.1f}" x2="{place(value):.1f}" y1="{y}" y2="{y + 4}" stroke="#60646c"/>'
        f'<text x="{place(value):.1f}" y="{y + 18}" text-anchor="middle" {_SOFT}>{value:g}</text>'
        for value in _round_numbers(low, high)
    )


def _round_numbers(low: float, high: float) -> list[float]:
    """Three to six round numbers between two."""
    if high <= low:
        return [low]
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in _STEPS if factor * power >= rough * 0.999)
    first = -(-low // step)
    return [round((first + number) * step, 12) for number in range(int((high - first * step) / step + 1e-9) + 1)]


def _svg(inner: str, height: float, title: str) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:g}" width="100%" role="img" xmlns="http://www.w3.org/2000/svg">'
        f"<title>{escape(title)}</title>{inner}</svg>"
    )
