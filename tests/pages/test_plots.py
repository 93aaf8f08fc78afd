"""Are numbers drawn where they belong, and nothing else?"""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree

import pytest

from bespoke.pages.plots import Interval, Point, Series, Spot, Track, front_plot, interval_plot, line_plot, scatter_plot


def circles(svg: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r'<circle cx="([\d.-]+)" cy="([\d.-]+)"', svg)]


def test_intervals_lie_to_the_side_of_zero_that_they_are_on() -> None:
    svg = interval_plot([Interval("less", -2, -3, -1), Interval("more", 4, 1, 6)], "a difference")
    ElementTree.fromstring(svg)
    (zero,) = {float(x) for x in re.findall(r'<line x1="([\d.]+)" x2="\1" y1="0"', svg)}
    less, more = (x for x, _ in circles(svg))
    assert less < zero < more
    assert (more - zero) == pytest.approx(2 * (zero - less), abs=0.3)
    assert 0 < less < more < 480


def test_dots_are_placed_by_both_numbers_and_up_is_more() -> None:
    svg = scatter_plot([Point(1, 10, "a"), Point(2, 30, "b"), Point(3, 20, "c")], "trials", "distance", "share")
    ElementTree.fromstring(svg)
    (ax, ay), (bx, by), (cx, cy) = circles(svg)
    assert (bx - ax) == pytest.approx(cx - bx, abs=0.2)
    assert by < cy < ay
    assert scatter_plot([Point(1, 1, "alone")], "one", "x", "y").count("<circle") == 1


def test_a_name_cannot_bring_a_tag_into_the_page() -> None:
    name = "<script>alert(1)</script>"
    for svg in (interval_plot([Interval(name, 1, 0, 2)], name), scatter_plot([Point(1, 1, name)], name, name, name)):
        assert "<script" not in svg
        assert "&lt;script&gt;" in svg


def test_a_line_goes_up_where_numbers_rise_and_ends_in_a_dot() -> None:
    drawn = line_plot([Series("<a>", [(0, 1), (5, 2), (10, 4)]), Series("empty", [])], "t", "minutes", "loss")
    path = re.search(r'points="([^"]+)"', drawn)
    assert path is not None
    places = [tuple(map(float, place.split(","))) for place in path[1].split()]
    assert [x for x, _ in places] == sorted(x for x, _ in places)
    assert [y for _, y in places] == sorted((y for _, y in places), reverse=True)  # down is more in SVG
    assert f'cx="{places[-1][0]:.1f}" cy="{places[-1][1]:.1f}"' in drawn
    assert "&lt;a&gt;" in drawn
    assert "empty" not in drawn
    assert "style=" not in drawn  # pages of the studio refuse it
    assert "<svg" in line_plot([], "t", "x", "y")


def test_a_front_joins_its_spots_in_order_and_shows_how_sure_they_are() -> None:
    spots = [Spot((1, 0.5, 2), (10, 9, 12), "0", "low"), Spot((3, 2, 4), (30, 20, 40), "1", "<high>")]
    drawn = front_plot([Track("<b>", spots, joined=True), Track("rivals", spots[:1], "#000")], "t", "x", "y")
    ElementTree.fromstring(drawn)
    (low_x, low_y), (high_x, high_y), *_ = circles(drawn)
    assert low_x < high_x
    assert low_y > high_y
    line = re.search(r'<polyline points="([^"]+)"', drawn)
    assert line is not None
    assert line[1] == f"{low_x:.1f},{low_y:.1f} {high_x:.1f},{high_y:.1f}"
    assert drawn.count("<polyline") == 1  # rivals are not joined
    four = front_plot([Track(f"condition extrapolated {i}", spots) for i in range(4)], "t", "x", "y")
    legend = [(float(x), float(y)) for x, y in re.findall(r'<text x="([\d.]+)" y="([\d.]+)" font-size="12">', four)]
    assert len(legend) == 4
    for one, other in itertools.combinations(legend, 2):
        assert one[1] != other[1] or abs(one[0] - other[0]) > 180  # as wide as 24 letters are drawn
    start, across, x, top, down = map(
        float, re.findall(r'd="M([\d.]+) [\d.]+H([\d.]+)M([\d.]+) ([\d.]+)V([\d.]+)"', drawn)[0]
    )
    assert start < low_x == x < across
    assert abs(across - x) > abs(x - start)  # 1 lies nearer to 0.5 than to 2
    assert down < low_y < top
    assert "<high>" not in drawn
    assert "&lt;b&gt;" in drawn
