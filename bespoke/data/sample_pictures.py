"""How is one product of the built-in catalogue drawn?"""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cache

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from bespoke.data.sample_objects import OBJECTS, Part, Point

Color = tuple[int, int, int]

SUPERSAMPLING = 4
COLORS: dict[str, Color] = {
    "red": (205, 38, 44),
    "orange": (242, 130, 28),
    "yellow": (246, 208, 48),
    "green": (44, 148, 72),
    "blue": (42, 92, 202),
    "purple": (124, 62, 166),
    "pink": (242, 130, 176),
    "brown": (122, 78, 48),
    "white": (246, 246, 244),
    "black": (38, 38, 42),
    "gray": (138, 141, 146),
}
BACKGROUNDS: dict[str, Color] = {
    "white": (251, 251, 251),
    "cream": (249, 240, 218),
    "light gray": (222, 224, 228),
    "light blue": (208, 228, 247),
    "light pink": (250, 220, 229),
    "light green": (214, 240, 218),
}
TRIMS: tuple[Color, ...] = ((166, 122, 80), (78, 78, 84), (176, 180, 186))  # wood, dark and light metal
SIZES = {"small": 0.40, "medium": 0.56, "large": 0.70}  # share of the picture's side
POSITIONS = {"left": -1, "center": 0, "right": 1}
PATTERNS = ("plain", "striped", "dotted", "checked")


def draw(attributes: Mapping[str, str], size: int, rng: random.Random) -> Image.Image:
    """One product as RGB of `size` x `size` pixels; what the attributes leave open comes from `rng`."""
    side = size * SUPERSAMPLING
    scale = SIZES[attributes["size"]] * rng.uniform(0.94, 1.06)
    reach = min(0.24, 0.47 - scale / 2)  # how far to the side it may stand and stay in the picture
    middle = 0.5 + POSITIONS[attributes["position"]] * reach + rng.uniform(-0.01, 0.01)
    ground = 0.53 + scale * 0.47 + rng.uniform(-0.015, 0.015)
    mirror = rng.choice((-1, 1))
    stretch = rng.uniform(0.88, 1.0) * mirror  # across

    def place(point: Point) -> Point:
        return (middle + point[0] * scale * stretch) * side, (ground - point[1] * scale) * side

    color = _varied(COLORS[attributes["color"]], rng)
    paints: dict[str, Image.Image | Color] = {
        "body": _pattern(attributes, color, scale * side, side, rng),
        "base": _shade(color, 0.95),
        "dark": _shade(color, 0.66),
        "shine": _mix(color, (255, 255, 255), 0.6),
        "trim": _varied(rng.choice(TRIMS), rng),
    }
    product = Image.new("RGB", (side, side), color)
    mask = Image.new("L", (side, side))
    for part in OBJECTS[attributes["object"]]:
        _paint(product, mask, part, [place(point) for point in part.points], paints[part.paint], scale * side)
    product = ImageChops.multiply(product, _light(middle, scale * mirror, side)).reduce(SUPERSAMPLING)
    picture = _stage(_varied(BACKGROUNDS[attributes["background"]], rng, 3), middle, ground, scale, size)
    picture.paste(product, mask=mask.reduce(SUPERSAMPLING))
    return picture


def _paint(
    product: Image.Image,
    mask: Image.Image,
    part: Part,
    points: list[Point],
    paint: Image.Image | Color,
    unit: float,
) -> None:
    """Draw one part, with a thin darker edge, into the picture of the product and its mask; `unit` in pixels."""
    shape = Image.new("L", mask.size)
    brush, edge = ImageDraw.Draw(shape), max(1, round(0.012 * unit))
    if part.shape == "line":
        width = max(1, round(part.width * unit))
        brush.line(points, fill=255, width=width, joint="curve")
        for x, y in (points[0], points[-1]):  # round ends
            brush.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)
    elif part.shape == "ellipse":
        xs, ys = zip(*points, strict=True)
        brush.ellipse((min(xs), min(ys), max(xs), max(ys)), fill=255)
    else:
        brush.polygon(points, fill=255)
    product.paste(paint, mask=shape)
    mask.paste(255, mask=shape)
    if part.paint != "shine":
        inner = ImageChops.darker(ImageChops.offset(shape, edge), ImageChops.offset(shape, -edge))
        product.paste(0, mask=ImageChops.subtract(shape, inner).point(lambda level: level // 4))


def _pattern(attributes: Mapping[str, str], color: Color, unit: float, side: int, rng: random.Random) -> Image.Image:
    """A sheet of the product's material, `side` x `side` pixels; `unit` is the product's size in pixels."""
    sheet = Image.new("RGB", (side, side), color)
    if attributes["pattern"] == "plain":
        return sheet
    brush, accent = ImageDraw.Draw(sheet), _varied(COLORS[attributes["accent"]], rng)
    step = unit * rng.uniform(0.2, 0.26)
    start = -rng.random() * step
    cells = range(int(side / step) + 2)
    if attributes["pattern"] == "striped":
        slope = rng.choice((0, 0, 1))
        upright = rng.random() < 0.5
        for cell in range(-len(cells), len(cells)):
            near, far = start + cell * step, start + (cell + 0.5) * step
            ends = [(near, 0.0), (far, 0.0), (far + slope * side, float(side)), (near + slope * side, float(side))]
            brush.polygon(ends if upright else [(y, x) for x, y in ends], fill=accent)
        return sheet
    for row in cells:
        for column in cells:
            x, y = start + column * step, start + row * step
            if attributes["pattern"] == "checked" and (row + column) % 2:
                brush.rectangle((x, y, x + step, y + step), fill=accent)
            elif attributes["pattern"] == "dotted":
                x += step / 2 * (row % 2)
                brush.ellipse((x, y, x + 0.62 * step, y + 0.62 * step), fill=accent)
    return sheet


@cache
def _falloff() -> Image.Image:
    """Brightness across a product lit from the left, 64 x 1."""
    return Image.frombytes("L", (64, 1), bytes(round(255 * (1 - 0.3 * (x / 63) ** 1.6)) for x in range(64)))


def _light(middle: float, width: float, side: int) -> Image.Image:
    """Brightness over the picture as RGB, to multiply by; a negative width: lit from the right."""
    strip = _falloff() if width > 0 else _falloff().transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    left, right = round((middle - abs(width) / 2) * side), round((middle + abs(width) / 2) * side)
    light = Image.new("L", (side, 1), 255)
    light.paste(strip.resize((right - left, 1), Image.Resampling.BILINEAR), (left, 0))
    return Image.merge("RGB", [light.resize((side, side), Image.Resampling.NEAREST)] * 3)


def _stage(color: Color, middle: float, ground: float, scale: float, size: int) -> Image.Image:
    """The background: a little darker at its foot, with a soft shadow where the product stands."""
    fade = Image.linear_gradient("L").resize((size, size)).point([round(0.10 * level) for level in range(256)])
    picture = Image.composite(Image.new("RGB", (size, size)), Image.new("RGB", (size, size), color), fade)
    shadow = Image.new("L", (size, size))
    across, down = 0.46 * scale * size, 0.07 * scale * size
    x, y = middle * size, ground * size
    ImageDraw.Draw(shadow).ellipse((x - across, y - down, x + across, y + down), fill=110)
    picture.paste((50, 50, 60), mask=shadow.filter(ImageFilter.GaussianBlur(0.03 * size)))
    return picture


def _varied(color: Color, rng: random.Random, reach: int = 9) -> Color:
    red, green, blue = (min(255, max(0, level + rng.randint(-reach, reach))) for level in color)
    return red, green, blue


def _mix(color: Color, other: Color, share: float) -> Color:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(color, other, strict=True))
    return red, green, blue


def _shade(color: Color, brightness: float) -> Color:
    return _mix((0, 0, 0), color, brightness)
