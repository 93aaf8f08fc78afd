"""Which Japanese words and sentences describe a picture of the built-in catalogue?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

import numpy as np

from bespoke.data.sample_attributes import Attributes

OBJECTS: dict[str, tuple[str, ...]] = {
    "mug": ("マグカップ", "マグカップ", "マグ", "コップ"),
    "teapot": ("ティーポット", "ティーポット", "急須", "ポット"),
    "bottle": ("ボトル", "水筒", "ボトル"),
    "vase": ("花瓶", "花瓶", "花器", "フラワーベース"),
    "lamp": ("ランプ", "テーブルランプ", "卓上ライト", "電気スタンド"),
    "chair": ("椅子", "椅子", "チェア", "ダイニングチェア"),
    "sofa": ("ソファ", "ソファー", "二人掛けソファ"),
    "shirt": ("シャツ", "Tシャツ", "トップス", "カットソー"),
    "dress": ("ワンピース", "ワンピース", "ドレス"),
    "shoe": ("スニーカー", "スニーカー", "靴", "シューズ"),
    "boot": ("ブーツ", "ブーツ", "長靴"),
    "hat": ("帽子", "帽子", "ハット"),
    "bag": ("バッグ", "トートバッグ", "手提げバッグ", "ハンドバッグ"),
    "backpack": ("リュック", "リュックサック", "バックパック"),
    "umbrella": ("傘", "傘", "アンブレラ"),
    "watch": ("腕時計", "腕時計", "時計", "ウォッチ"),
    "bear": ("テディベア", "テディベア", "くまのぬいぐるみ", "ぬいぐるみ"),
}
PARTS: dict[str, tuple[str, ...]] = {  # what has the second colour
    "mug": ("取っ手", "持ち手", "ハンドル"),
    "teapot": ("ふた", "蓋"),
    "bottle": ("キャップ", "ふた"),
    "vase": ("口元と底", "縁取り"),
    "lamp": ("台座", "スタンド部分"),
    "chair": ("脚", "脚部"),
    "sofa": ("クッション",),
    "shirt": ("襟", "襟と袖口"),
    "dress": ("ベルト", "ウエスト部分"),
    "shoe": ("靴底", "ソール"),
    "boot": ("履き口と靴底", "靴底"),
    "hat": ("リボン", "帯"),
    "bag": ("持ち手", "取っ手", "ハンドル"),
    "backpack": ("ポケット", "前ポケット"),
    "umbrella": ("持ち手", "柄"),
    "watch": ("文字盤",),
    "bear": ("口元と足の裏", "口元"),
}
COLORS: dict[str, tuple[str, ...]] = {  # as a noun
    "red": ("赤", "赤", "レッド"),
    "orange": ("オレンジ", "オレンジ色"),
    "yellow": ("黄色", "黄色", "イエロー"),
    "green": ("緑", "緑色", "グリーン"),
    "blue": ("青", "青", "ブルー"),
    "purple": ("紫", "紫色", "パープル"),
    "pink": ("ピンク", "ピンク", "ピンク色"),
    "brown": ("茶色", "茶色", "ブラウン"),
    "white": ("白", "白", "ホワイト"),
    "black": ("黒", "黒", "ブラック"),
    "gray": ("グレー", "グレー", "灰色"),
}
COLORED: dict[str, tuple[str, ...]] = {  # as an adjective; the others take the particle "no"
    "red": ("赤い",),
    "yellow": ("黄色い",),
    "blue": ("青い",),
    "brown": ("茶色い",),
    "white": ("白い",),
    "black": ("黒い",),
}
SIZES = {
    "small": ("小さな", "小さい", "小さめの", "小ぶりな"),
    "medium": ("中くらいの", "普通サイズの"),
    "large": ("大きな", "大きい", "大きめの"),
}
PATTERNS = {
    "plain": ("無地",),
    "striped": ("縞模様", "ストライプ", "ストライプ柄", "しま模様"),
    "dotted": ("水玉模様", "水玉", "水玉柄", "ドット柄"),
    "checked": ("チェック柄", "チェック", "格子柄"),
    "color-block": ("バイカラー", "ツートンカラー"),
}
POSITIONS = {"left": ("左側", "左", "左寄り"), "center": ("中央", "真ん中"), "right": ("右側", "右", "右寄り")}
VIEWS = {
    "front": ("正面から", "真正面から"),
    "angled": ("斜めから", "斜め前から"),
    "above": ("上から", "斜め上から"),
}
BACKGROUNDS = {
    "white": ("白い背景", "白背景"),
    "cream": ("クリーム色の背景", "生成りの背景"),
    "light gray": ("薄いグレーの背景", "明るい灰色の背景"),
    "light blue": ("水色の背景", "薄い青の背景"),
    "light pink": ("薄いピンクの背景", "淡いピンクの背景"),
    "light green": ("薄い緑の背景", "淡い緑の背景"),
}
MATERIALS: dict[str, tuple[str, ...]] = {
    "matte": ("マットな", "つや消しの"),
    "glossy": ("つやのある", "光沢のある"),
    "metal": ("金属製の", "メタリックな"),
    "wood": ("木製の", "木の"),
    "fabric": ("布製の", "布の"),
    "leather": ("革製の", "レザーの", "革の"),
}
SPECIAL = {  # what a material is called for some products
    **{(kind, "matte"): ("マットな陶器の", "つや消しの") for kind in ("mug", "teapot", "vase")},
    **{(kind, "glossy"): ("つやのある陶器の", "光沢のある") for kind in ("mug", "teapot", "vase")},
    **{(kind, "fabric"): ("綿の", "布製の", "コットンの") for kind in ("shirt", "dress")},
    **{(kind, "glossy"): ("サテンの", "光沢のある") for kind in ("shirt", "dress")},
    **{(kind, "glossy"): ("エナメルの", "つやのある") for kind in ("shoe", "boot")},
    **{(kind, "fabric"): ("キャンバス地の", "布製の") for kind in ("shoe", "bag", "backpack")},
    **{(kind, "fabric"): ("布張りの", "ファブリックの") for kind in ("chair", "sofa")},
    **{(kind, "leather"): ("革張りの", "レザーの") for kind in ("chair", "sofa")},
    ("bear", "fabric"): ("ふわふわの", "もこもこの", "布製の"),
}


Choice = Callable[[Sequence[str]], str]


def japanese(attributes: Attributes, told: AbstractSet[str], rng: np.random.Generator) -> str:
    """A true Japanese caption that tells the details named in `told`."""

    def one(words: Sequence[str]) -> str:
        return words[int(rng.integers(len(words)))]

    def colored(value: str) -> str:
        return one(COLORED[value]) if value in COLORED and rng.random() < 0.75 else one(COLORS[value]) + "の"

    kind, noun = attributes.object, one(OBJECTS[attributes.object])
    second = attributes.second_color if "second_color" in told else "none"
    color = attributes.color if "color" in told else ""
    size = one(SIZES[attributes.size]) if "size" in told else ""
    stuff = SPECIAL.get((kind, attributes.material), MATERIALS[attributes.material])
    material = one(stuff) if "material" in told else ""
    where = [one(BACKGROUNDS[attributes.background])] if "background" in told else []
    where += [one(POSITIONS[attributes.position])] if "position" in told else []
    view = one(VIEWS[attributes.view]) if "view" in told else ""
    part = f"{one(PARTS[kind])}は{one(COLORS[second])}" if second != "none" else ""
    pattern = attributes.pattern if "pattern" in told else ""
    if pattern == "plain" and (second != "none" or rng.random() < 0.5):
        pattern = ""  # mostly not worth a word
    if color and rng.random() < 0.12:
        facts = [one(COLORS[color])]
        facts += [one(PATTERNS[pattern])] if pattern else [part] if part else []
        return _sentence(size + material + noun + " " + one((" ", "、")).join(facts), "", where, view, "title", one)
    look, main = (_marks(pattern, color, second, one) if pattern else "", colored(color) if color else "")
    if look.startswith(tuple(COLORS.get(color, ()))) and ("と" in look or "×" in look):
        main = ""  # the pattern names both colours
    words = one((size + look + main + material, look + size + main + material, material + look + size + main))
    if part and not pattern and rng.random() < 0.4:  # a clause must come first, or another word would belong to it
        words, part = part.replace("は", "が", 1) + "の" + one((size + main + material, material + size + main)), ""
    return _sentence(words + noun, "" if pattern else part, where, view, one(FORMS), one)


def _marks(pattern: str, color: str, second: str, one: Choice) -> str:
    """Words for a pattern before the noun."""
    look = one(PATTERNS[pattern]) + "の"
    if second == "none":
        return look
    if color and one(("pair", "marks")) == "pair":
        return f"{one(COLORS[color])}{one(('と', '×'))}{one(COLORS[second])}の{look}"
    return look if pattern == "color-block" else f"{one(COLORS[second])}の{look}"


FORMS = ("list", "list", "plain", "plain", "photo", "polite", "there")


def _sentence(thing: str, note: str, where: list[str], view: str, form: str, one: Choice) -> str:
    """Put the pieces together as in a shop's list, in a title or in a sentence."""
    place = "の".join(where)
    if form in ("list", "title") or (place and view):  # a sentence with both would be clumsy
        return "、".join(piece for piece in (thing, note, view and view + one(("の写真", "撮影")), *where) if piece)
    seen = view + one(("見た", "撮影した")) if view else ""
    if form == "there" and place:
        return f"{place}に{thing}があります。" + (note and f"{note}です。")
    text = (place and place + one(("の", "にある"))) + seen + thing
    if form == "photo":
        return text + one(("の写真", "の商品写真")) + (note and f"({note})")
    if form == "polite":
        return text + "です。" + (note and f"{note}です。")
    return f"{text}、{note}" if note else text + one(("", "", "。"))
