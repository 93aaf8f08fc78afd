"""What would people write under a picture of the built-in catalogue, in English and in Japanese?"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

# Synonyms; a value that a table leaves out is its own word. Repeated words are the more usual ones.
ENGLISH: dict[str, dict[str, tuple[str, ...]]] = {
    "object": {
        "mug": ("mug", "mug", "cup", "coffee mug"),
        "shirt": ("t-shirt", "t-shirt", "shirt", "tee"),
        "chair": ("chair",),
        "lamp": ("lamp", "table lamp", "desk lamp"),
        "umbrella": ("umbrella", "umbrella", "parasol"),
        "bag": ("bag", "tote bag", "handbag"),
        "bottle": ("bottle", "bottle", "water bottle"),
        "ball": ("ball",),
        "hat": ("hat", "hat", "sun hat"),
        "boot": ("boot", "boot", "rain boot"),
    },
    "color": {"gray": ("gray", "grey"), "purple": ("purple", "purple", "violet")},
    "size": {"small": ("small", "small", "little", "tiny"), "medium": ("",), "large": ("large", "big", "big")},
    "pattern": {
        "plain": ("", "", "plain", "solid"),
        "striped": ("striped",),
        "dotted": ("spotted", "dotted", "polka-dot"),
        "checked": ("checked", "checkered"),
    },
    "marks": {
        "striped": ("stripes",),
        "dotted": ("dots", "spots", "polka dots"),
        "checked": ("checks", "squares"),
    },
    "position": {
        "left": ("on the left", "on the left side", "to the left"),
        "center": ("in the middle", "in the center"),
        "right": ("on the right", "on the right side", "to the right"),
    },
    "background": {
        "light gray": ("light gray", "pale gray", "light grey"),
        "light blue": ("light blue", "pale blue"),
        "light pink": ("light pink", "pale pink"),
        "light green": ("light green", "pale green"),
    },
}
JAPANESE: dict[str, dict[str, tuple[str, ...]]] = {
    "object": {
        "mug": ("マグカップ", "マグカップ", "カップ"),
        "shirt": ("Tシャツ", "Tシャツ", "シャツ"),
        "chair": ("椅子", "椅子", "いす"),
        "lamp": ("ランプ", "卓上ランプ", "電気スタンド"),
        "umbrella": ("傘", "傘", "日傘"),
        "bag": ("バッグ", "手提げバッグ", "トートバッグ"),
        "bottle": ("ボトル", "瓶"),
        "ball": ("ボール",),
        "hat": ("帽子",),
        "boot": ("ブーツ", "長靴"),
    },
    "color": {  # as a noun
        "red": ("赤",),
        "orange": ("オレンジ色",),
        "yellow": ("黄色",),
        "green": ("緑", "緑色"),
        "blue": ("青",),
        "purple": ("紫", "紫色"),
        "pink": ("ピンク",),
        "brown": ("茶色",),
        "white": ("白",),
        "black": ("黒",),
        "gray": ("灰色", "グレー"),
    },
    "colored": {  # before a noun; the others take the particle "no"
        "red": ("赤い",),
        "yellow": ("黄色い", "黄色の"),
        "blue": ("青い",),
        "brown": ("茶色い", "茶色の"),
        "white": ("白い",),
        "black": ("黒い",),
    },
    "size": {"small": ("小さな", "小さい", "小ぶりな"), "medium": ("",), "large": ("大きな", "大きい")},
    "marks": {
        "plain": ("無地",),
        "striped": ("縞模様", "ストライプ", "ストライプ柄"),
        "dotted": ("水玉模様", "水玉", "ドット柄"),
        "checked": ("チェック柄", "チェック", "格子柄"),
    },
    "position": {
        "left": ("左側", "左", "左寄り"),
        "center": ("中央", "真ん中"),
        "right": ("右側", "右", "右寄り"),
    },
    "background": {
        "white": ("白い背景", "白い背景", "白背景"),
        "cream": ("クリーム色の背景",),
        "light gray": ("薄いグレーの背景", "明るい灰色の背景"),
        "light blue": ("水色の背景", "薄い青の背景"),
        "light pink": ("薄いピンクの背景", "淡いピンクの背景"),
        "light green": ("薄い緑の背景", "淡い緑の背景"),
    },
}


def captions(attributes: Mapping[str, str], languages: Sequence[str], rng: random.Random) -> list[str]:
    """One true caption for each of `languages` ("en" or "ja"), all different: the first complete, others partial."""
    texts: list[str] = []
    while len(texts) < len(languages):
        share = 1.0 if not texts else rng.uniform(0.2, 0.8)
        told = {detail for detail in ("color", "size", "pattern", "position", "background") if rng.random() < share}
        write = _english if languages[len(texts)] == "en" else _japanese
        text = write(attributes, told, rng)
        if text not in texts:
            texts.append(text)
    return texts


def _english(attributes: Mapping[str, str], told: AbstractSet[str], rng: random.Random) -> str:
    def word(kind: str, detail: str = "") -> str:
        value = attributes[detail or kind]
        return rng.choice(ENGLISH[kind].get(value, (value,)))

    noun, color = word("object"), word("color") if "color" in told else ""
    size, look, marks = word("size") if "size" in told else "", "", ""
    if "pattern" in told:
        look = word("pattern")
        if attributes["pattern"] != "plain" and color:
            accent = word("color", "accent")
            if rng.random() < 0.6:
                look, marks = "", f" with {accent} {word('marks', 'pattern')}"
            else:
                look, color = "", f"{color} and {accent} {look}"
    place = f" {word('position')}" if "position" in told else ""
    ground = f" {rng.choice(('on', 'against'))} a {word('background')} background" if "background" in told else ""
    if color and rng.random() < 0.2:
        sentence = f"this {_joined(size, look, noun)} is {color}{marks}"
        return f"{sentence}, shown{place}{ground}" if place or ground else sentence
    thing = _joined(size, look, color, noun)
    thing = f"{'an' if thing[0] in 'aeiou' else 'a'} {thing}{marks}"
    sentence = rng.choice(("{}", "{}", "{}", "a photo of {}", "a picture of {}", "there is {}")).format(thing)
    sentence += rng.choice((place + ground, place + ground, ground + place))
    return sentence[0].upper() + sentence[1:] + "." if rng.random() < 0.3 else sentence


def _japanese(attributes: Mapping[str, str], told: AbstractSet[str], rng: random.Random) -> str:
    def word(kind: str, detail: str = "") -> str:
        return rng.choice(JAPANESE[kind][attributes[detail or kind]])

    def colored() -> str:
        if "color" not in told:
            return ""
        return word("colored", "color") if attributes["color"] in JAPANESE["colored"] else word("color") + "の"

    thing = (word("size") if "size" in told else "") + colored() + word("object")
    if "pattern" in told:
        marks = word("marks", "pattern") + "の"
        if attributes["pattern"] != "plain" and "color" in told:
            if rng.random() < 0.5:
                size = word("size") if "size" in told else ""
                thing = f"{word('color')}と{word('color', 'accent')}の{marks}{size}{word('object')}"
            else:
                thing = f"{word('color', 'accent')}の{marks}{thing}"
        else:
            thing = marks + thing
    where = [word(detail) for detail in ("background", "position") if detail in told]
    if where:
        forms = ("{where}にある{thing}", "{where}に置かれた{thing}", "{where}に{thing}があります。", "{where}に{thing}")
    else:
        forms = ("{thing}", "{thing}", "{thing}の写真", "{thing}です。")
    return rng.choice(forms).format(where="の".join(where), thing=thing)


def _joined(*words: str) -> str:
    return " ".join(word for word in words if word)
