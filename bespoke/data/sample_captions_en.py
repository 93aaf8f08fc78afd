"""Which English words and sentences describe a picture of the built-in catalogue?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet

import numpy as np

from bespoke.data.sample_attributes import Attributes

# Synonyms; repeated words are the more usual ones. A value that a table leaves out is its own word.
OBJECTS: dict[str, tuple[str, ...]] = {
    "mug": ("mug", "mug", "coffee mug", "cup"),
    "teapot": ("teapot", "teapot", "tea pot"),
    "bottle": ("bottle", "bottle", "water bottle", "flask"),
    "vase": ("vase", "vase", "flower vase"),
    "lamp": ("lamp", "table lamp", "bedside lamp"),
    "chair": ("chair", "chair", "dining chair"),
    "sofa": ("sofa", "sofa", "couch", "two-seat sofa"),
    "shirt": ("t-shirt", "shirt", "shirt", "tee", "top"),
    "dress": ("dress",),
    "shoe": ("shoe", "sneaker", "sneaker", "trainer"),
    "boot": ("boot", "boot", "high boot"),
    "hat": ("hat", "hat", "brimmed hat"),
    "bag": ("bag", "tote bag", "handbag", "shopper"),
    "backpack": ("backpack", "backpack", "rucksack"),
    "umbrella": ("umbrella", "umbrella", "brolly"),
    "watch": ("watch", "wristwatch", "wrist watch"),
    "bear": ("teddy bear", "teddy bear", "teddy", "stuffed bear"),
}
PARTS: dict[str, tuple[str, ...]] = {  # what has the second colour
    "mug": ("handle",),
    "teapot": ("lid",),
    "bottle": ("cap", "lid"),
    "vase": ("neck and foot", "trim"),
    "lamp": ("base", "stand", "foot"),
    "chair": ("legs",),
    "sofa": ("cushions", "pillows"),
    "shirt": ("collar and cuffs", "collar", "trim"),
    "dress": ("belt", "waistband"),
    "shoe": ("sole",),
    "boot": ("sole and cuff", "sole"),
    "hat": ("band", "ribbon"),
    "bag": ("handles", "straps"),
    "backpack": ("pocket", "front pocket"),
    "umbrella": ("handle", "grip"),
    "watch": ("dial", "face"),
    "bear": ("muzzle and soles", "muzzle"),
}
COLORS = {"gray": ("gray", "grey"), "purple": ("purple", "purple", "violet")}
SIZES = {
    "small": ("small", "small", "little"),
    "medium": ("medium-sized", "mid-size"),
    "large": ("large", "large", "big"),
}
PATTERNS = {  # before the noun
    "striped": ("striped",),
    "dotted": ("dotted", "spotted", "polka-dot"),
    "checked": ("checked", "checkered"),
    "color-block": ("color-block", "color-blocked"),
    "plain": ("plain", "solid"),
}
MARKS = {  # after "with"
    "striped": ("stripes", "stripes"),
    "dotted": ("dots", "polka dots", "spots"),
    "checked": ("checks", "a {} check pattern"),
    "color-block": ("a {} lower part", "a {} color block"),
}
POSITIONS = {
    "left": ("on the left", "on the left side"),
    "center": ("in the center", "in the middle", "centered"),
    "right": ("on the right", "on the right side"),
}
VIEWS = {
    "front": ("front view", "seen from the front"),
    "angled": ("seen at an angle", "three-quarter view", "angled view"),
    "above": ("seen from above", "view from above", "viewed from above"),
}
BACKGROUNDS = {
    "light gray": ("light gray", "pale gray", "light grey"),
    "light blue": ("light blue", "pale blue"),
    "light pink": ("light pink", "pale pink"),
    "light green": ("light green", "pale green"),
}
CERAMIC, CLOTHES = ("mug", "teapot", "vase"), ("shirt", "dress", "umbrella")
MATERIALS: dict[str, tuple[str, ...]] = {
    "matte": ("matte", "matt", "unglazed"),
    "glossy": ("glossy", "shiny", "polished"),
    "metal": ("metal", "metallic"),
    "wood": ("wooden", "wood"),
    "fabric": ("fabric", "cloth"),
    "leather": ("leather",),
}
SPECIAL = {  # what a material is called for some products
    **{(kind, "glossy"): ("glossy ceramic", "glazed", "glossy") for kind in CERAMIC},
    **{(kind, "matte"): ("matte ceramic", "matte", "unglazed") for kind in CERAMIC},
    **{(kind, "fabric"): ("cotton", "cloth") for kind in CLOTHES},
    **{(kind, "glossy"): ("satin", "silky", "shiny") for kind in CLOTHES},
    **{(kind, "glossy"): ("shiny", "patent", "glossy") for kind in ("shoe", "boot")},
    **{(kind, "fabric"): ("canvas", "fabric") for kind in ("shoe", "bag", "backpack")},
    **{(kind, "fabric"): ("felt", "fabric") for kind in ("hat", "boot")},
    ("bottle", "matte"): ("matte", "matt"),
    ("lamp", "matte"): ("matte", "matt"),
    ("umbrella", "fabric"): ("fabric", "nylon"),
    ("chair", "fabric"): ("upholstered", "fabric"),
    ("bear", "fabric"): ("plush", "plush", "fluffy"),
}
Choice = Callable[[Sequence[str]], str]
FORMS = ("{a}", "{a}", "{a}", "a photo of {a}", "product photo of {a}", "list", "list", "in", "is", "notes")


def english(attributes: Attributes, told: AbstractSet[str], rng: np.random.Generator) -> str:
    """A true English caption that tells the details named in `told`."""

    def one(words: Sequence[str]) -> str:
        return words[int(rng.integers(len(words)))]

    def word(table: Mapping[str, tuple[str, ...]], value: str) -> str:
        return one(table.get(value, (value,)))

    kind = attributes.object
    noun = word(OBJECTS, kind)
    color = word(COLORS, attributes.color) if "color" in told else ""
    second = word(COLORS, attributes.second_color) if attributes.second_color != "none" else ""
    second = second if "second_color" in told else ""
    look, extra = _decoration(attributes.pattern if "pattern" in told else "", color, second, one)
    if second and not extra and " and " not in look:
        part = word(PARTS, kind)
        extra = second + " " + part if part.endswith("s") else f"{_article(second)} {second} {part}"
    color = "" if " and " in look else color  # which then names it
    size = word(SIZES, attributes.size) if "size" in told else ""
    material = SPECIAL.get((kind, attributes.material), MATERIALS[attributes.material])
    stuff = one(material) if "material" in told else ""
    tails = (
        word(POSITIONS, attributes.position) if "position" in told else "",
        word(VIEWS, attributes.view) if "view" in told else "",
        word(BACKGROUNDS, attributes.background) if "background" in told else "",
    )
    words = one((f"{stuff} {look} {color}", f"{look} {color} {stuff}", f"{look} {color} {stuff}"))
    return _noisy(_sentence(_joined(size, words), noun, color, extra, tails, one), rng)


def _decoration(pattern: str, color: str, second: str, one: Choice) -> tuple[str, str]:
    """Words for a pattern before the noun, and after "with"; no pattern is told where it is empty."""
    if not pattern:
        return "", ""
    if pattern == "plain":
        return "" if second else one(("", "", *PATTERNS["plain"])), ""
    if not second:
        return one(PATTERNS[pattern]), ""
    if color and one(("pair", "with", "with")) == "pair":
        return f"{color} and {second} {one(PATTERNS[pattern])}", ""
    marks = one(MARKS[pattern])
    if "{}" in marks:
        return "", marks.format(second).replace("a orange", "an orange")
    return "", f"{second} {marks}"


def _sentence(words: str, noun: str, color: str, extra: str, tails: tuple[str, str, str], one: Choice) -> str:
    """Put the pieces together in one of several ways that people write."""
    form = one(FORMS)
    place, view, ground = tails
    thing, having = _joined(words, noun), f" with {extra}" if extra else ""
    if form == "list":
        return ", ".join(piece for piece in (thing, extra, view, place, ground and f"{ground} background") if piece)
    backdrop = f"{one(('on', 'against'))} {_article(ground)} {ground} background" if ground else ""
    where = "".join(f", {piece}" if piece == view else f" {piece}" for piece in (place, backdrop, view) if piece)
    if form == "in" and color and f" {color} " in f" {words} ":
        rest = _joined(*words.replace(color, "", 1).split())
        return _joined(rest, noun, "in", color) + having + where
    if form == "is" and color and f" {color} " in f" {words} ":
        rest = _joined(*words.replace(color, "", 1).split())
        return f"this {_joined(rest, noun)} is {color}{having}" + (f", shown{where}" if where else "")
    if form == "notes" and (extra or where):
        notes = [f"it has {extra}" if extra else "", where.strip(" ,")]
        return ". ".join([f"{_article(thing)} {thing}", *(note.capitalize() for note in notes if note)]) + "."
    form = form if "{a}" in form else "{a}"
    return form.format(a=f"{_article(thing)} {thing}") + having + where


def _noisy(text: str, rng: np.random.Generator) -> str:
    """Capitals and full stops as they come: some people set them, some do not."""
    if rng.random() < 0.45:
        text = text[0].upper() + text[1:]
    if rng.random() < 0.3 and not text.endswith("."):
        text += "."
    return text


def _article(words: str) -> str:
    return "an" if words[0] in "aeiou" else "a"


def _joined(*words: str) -> str:
    return " ".join(word for part in words for word in part.split())
