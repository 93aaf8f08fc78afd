from __future__ import annotations

import json
import re
import tarfile
import unicodedata
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance

from bespoke.data import check as check_module
from bespoke.data.catalogue import Catalogue
from bespoke.data.check import Finding, Report, check
from bespoke.data.check_attributes import MOST_VALUES, AttributeCount
from bespoke.data.check_captions import CaptionCount, language_of
from bespoke.data.check_findings import LEVELS
from bespoke.data.check_json import as_data
from bespoke.data.check_page import page
from bespoke.data.check_pictures import look, near_leaders
from bespoke.data.check_texts import TEXTS, left_out
from bespoke.data.check_verdict import FROM_SCRATCH, WITH_BASE, Counts, judge
from bespoke.data.cleaned import write_cleaned
from bespoke.data.columns import Columns
from bespoke.data.item import SPLITS
from bespoke.data.pictures import decode
from bespoke.errors import UserError
from bespoke.pages.texts import LANGUAGES

FolderMaker = Callable[..., Path]
PictureMaker = Callable[..., Path]


def catalogue(folder: Path, *rows: dict[str, Any]) -> Catalogue:
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return Catalogue.open(folder)


def shop(folder: Path, make_picture: PictureMaker, count: int = 4) -> list[dict[str, Any]]:
    """Rows of `count` sound pictures of 80x80, written into `folder`."""
    for number in range(count):
        make_picture(folder / f"{number}.png", seed=number, size=(80, 80))
    return [{"file_name": f"{number}.png", "text": f"a vase of kind {number}"} for number in range(count)]


def by_kind(report: Report) -> dict[str, Finding]:
    return {finding.kind: finding for finding in report.findings}


def names(finding: Finding) -> list[list[str]]:
    return [[example.name for example in group] for group in finding.groups]


def test_a_sound_catalogue_has_no_findings(tmp_path: Path, make_picture: PictureMaker) -> None:
    report = check(catalogue(tmp_path, *shop(tmp_path, make_picture)))
    assert (report.findings, report.counts.items, report.counts.usable) == ([], 4, 4)
    assert report.sides == (80, 80, 80)
    assert len(report.samples) == 4


def spoil(folder: Path, kind: str) -> None:
    """Put something wrong in the place of 1.png."""
    path = folder / "1.png"
    if kind == "missing":
        path.unlink()
    elif kind == "broken":
        path.write_bytes(path.read_bytes()[:2000])
    elif kind == "tiny":
        Image.new("RGB", (200, 15)).save(path)
    elif kind == "oversized":
        Image.new("1", (10_000, 9_000)).save(path)
    elif kind == "plain":
        Image.new("RGB", (80, 80), "white").save(path)
    elif kind == "small":
        Image.open(path).resize((63, 80)).save(path)
    elif kind == "cut_off":
        Image.open(path).resize((200, 100)).save(path)
    elif kind == "transparent":
        picture = Image.open(path)
        picture.putalpha(Image.linear_gradient("L").resize(picture.size))
        picture.save(path)


@pytest.mark.parametrize(
    ("kind", "usable", "note"),
    [
        ("missing", 3, ""),
        ("broken", 3, "image file is truncated"),
        ("tiny", 3, "200x15"),
        ("oversized", 3, ""),
        ("plain", 4, ""),
        ("small", 4, ""),
        ("cut_off", 4, ""),
        ("transparent", 4, ""),
    ],
)
def test_what_is_wrong_with_a_picture_is_found(
    kind: str, usable: int, note: str, tmp_path: Path, make_picture: PictureMaker
) -> None:
    rows = shop(tmp_path, make_picture)
    spoil(tmp_path, kind)
    report = check(catalogue(tmp_path, *rows))
    assert {finding.kind: names(finding) for finding in report.findings} == {kind: [["1.png"]]}
    example = report.findings[0].groups[0][0]
    assert note in example.note
    assert bool(note) == bool(example.note)
    assert report.counts.usable == usable
    assert (example.thumb is None) == (usable == 3)
    assert example.text == "a vase of kind 1"


def test_an_opaque_picture_with_an_alpha_channel_is_not_transparent(tmp_path: Path, make_picture: PictureMaker) -> None:
    rows = shop(tmp_path, make_picture)
    Image.open(tmp_path / "1.png").convert("RGBA").save(tmp_path / "1.png")
    assert check(catalogue(tmp_path, *rows)).findings == []


def test_copies_are_found_and_count_once(tmp_path: Path, make_picture: PictureMaker) -> None:
    rows = shop(tmp_path, make_picture)
    picture = Image.open(tmp_path / "1.png")
    picture.save(tmp_path / "2.png", compress_level=1)
    smooth = picture.resize((8, 8)).resize((120, 120), Image.Resampling.BICUBIC)
    smooth.save(tmp_path / "0.png")
    ImageEnhance.Brightness(smooth.resize((90, 90))).enhance(1.1).save(tmp_path / "3.png")
    report = check(catalogue(tmp_path, *rows))
    found = by_kind(report)
    assert names(found["duplicates"]) == [["1.png", "2.png"]]
    assert names(found["near"]) == [["0.png", "3.png"]]
    assert (report.counts.usable, report.counts.duplicates, report.counts.near) == (3, 1, 1)


def test_pictures_of_one_shot_are_alike_on_purpose(tmp_path: Path, make_picture: PictureMaker) -> None:
    rows = shop(tmp_path, make_picture)
    smooth = Image.open(tmp_path / "1.png").resize((8, 8)).resize((120, 120), Image.Resampling.BICUBIC)
    smooth.save(tmp_path / "0.png")
    ImageEnhance.Brightness(smooth.resize((90, 90))).enhance(1.1).save(tmp_path / "3.png")
    assert by_kind(check(catalogue(tmp_path, *rows)))["near"].count == 1
    for row in (rows[0], rows[3]):
        row["same_shot"] = "mug 7"
    assert "near" not in by_kind(check(catalogue(tmp_path, *rows)))
    rows[3]["same_shot"] = "mug 8"
    assert by_kind(check(catalogue(tmp_path, *rows)))["near"].count == 1


def test_copies_across_official_splits_are_found_near_ones_too(tmp_path: Path, make_picture: PictureMaker) -> None:
    rows = shop(tmp_path, make_picture, 6)
    for copy, original in ((1, 0), (3, 2)):
        picture = Image.open(tmp_path / f"{original}.png").resize((10, 10)).resize((90, 90))
        picture.save(tmp_path / f"{original}.png")
        picture.resize((90 - 10 * copy, 90 - 10 * copy)).save(tmp_path / f"{copy}.png")
    sides = ("train", "test", "train", "train", "test", "train")
    report = check(catalogue(tmp_path, *({**row, "split": side} for row, side in zip(rows, sides, strict=True))))
    assert names(by_kind(report)["across"]) == [["0.png", "1.png"]]
    assert by_kind(report)["near"].count == 2
    assert report.counts.across == 2


def test_saved_again_is_near_and_another_colour_shape_or_place_is_not(tmp_path: Path) -> None:
    files = []
    for color in ("red", "blue", "teal", "black"):
        for shape in ("ellipse", "rectangle"):
            for left in (20, 60):
                picture = Image.new("RGB", (160, 160), "white")
                getattr(ImageDraw.Draw(picture), shape)((left, 40, left + 70, 120), fill=color)
                files.append(tmp_path / f"{color} {shape} {left}.png")
                picture.save(files[-1])
                dim = ImageEnhance.Brightness(picture.resize((90, 90), Image.Resampling.LANCZOS)).enhance(0.92)
                dim.save(files[-1].with_suffix(".jpg"), quality=80)
    again = [file.with_suffix(".jpg") for file in files]
    leaders = near_leaders(np.stack([look(decode(path, 64)) for path in [*files, *again]]))
    assert leaders.tolist() == [*range(16), *range(16)]


def test_another_shade_of_a_product_is_not_near(tmp_path: Path) -> None:
    shades = ("black", "#363636", "gray", "silver", "red", "pink", "maroon")
    looks = []
    for shade in shades:
        picture = Image.new("RGB", (160, 160), "white")
        ImageDraw.Draw(picture).rounded_rectangle((40, 40, 110, 120), 12, fill=shade)
        picture.save(tmp_path / "one.png")
        looks.append(look(decode(tmp_path / "one.png", 64)))
    assert near_leaders(np.stack(looks)).tolist() == [*range(len(shades))]


def test_prices_leave_room_for_colours_in_what_to_add() -> None:
    prices = [("price", str(980 + n), 1) for n in range(40)]
    verdict = judge(Counts(200, 200, few=[*prices, ("color", "teal", 3), ("type", "lamp", 4)]))
    (values,) = (str(line.values["values"]) for line in verdict.advice if line.key == "fill_up")
    assert values.startswith("price: 980 (1), color: teal (3), type: lamp (4), price: 981 (1), ")
    assert values.endswith("price: 989 (1), ...")


def test_pictures_that_no_row_names_are_told(tmp_path: Path, make_picture: PictureMaker) -> None:
    rows = shop(tmp_path, make_picture, 6)
    make_picture(tmp_path / "more" / "deep.png")
    (tmp_path / "photo.HEIC").write_bytes(b"of a telephone")
    make_picture(tmp_path / ".trash" / "no.png")
    report = check(catalogue(tmp_path, *rows[:4]))
    found = by_kind(report)["unnamed"]
    assert (found.count, names(found)) == (4, [["4.png"], ["5.png"], ["photo.HEIC"], ["more/deep.png"]])
    assert [group[0].thumb is None for group in found.groups] == [False, False, True, False]
    assert (report.counts.items, report.counts.unnamed) == (4, 4)
    assert any(line.key == "unnamed" for line in report.verdict.reasons)


def test_near_copies_are_found_in_whatever_block_they_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = np.random.default_rng(0).integers(0, 256, (23, 192), dtype=np.uint8)
    looks[[7, 19]] = looks[2]
    looks[22] = np.clip(looks[20].astype(int) + 2, 0, 255)
    expected = [*range(23)]
    expected[7] = expected[19] = 2
    expected[22] = 20
    for size in (1, 4, 100):
        monkeypatch.setattr("bespoke.data.check_pictures._BLOCK", size)
        assert near_leaders(looks).tolist() == expected, size


def test_what_is_wrong_with_captions_is_found(tmp_path: Path, make_picture: PictureMaker) -> None:
    rows = shop(tmp_path, make_picture, 6)
    rows[0]["text"] = " "
    rows[1]["text"] = rows[2]["text"] = "A nice vase"
    rows[2]["text"] = "a  nice ｖａｓｅ"
    rows[3]["text"] = "vase"
    rows[4]["text"] = "a vase " + "with dots " * 12
    report = check(catalogue(tmp_path, *rows))
    assert {finding.kind: names(finding) for finding in report.findings} == {
        "no_caption": [["0.png"]],
        "same_captions": [["1.png", "2.png"]],
        "short_captions": [["3.png"]],
        "long_captions": [["4.png"]],
    }
    assert (report.counts.usable, report.counts.alike, report.counts.no_caption) == (5, 2, 1)


def test_a_shared_caption_does_not_matter_beside_one_of_ones_own(tmp_path: Path, make_picture: PictureMaker) -> None:
    rows = shop(tmp_path, make_picture)
    rows = [{"file_name": row["file_name"], "texts": ["a fine vase", row["text"]]} for row in rows]
    report = check(catalogue(tmp_path, *rows))
    assert (report.findings, report.num_captions, report.num_different) == ([], 8, 5)


def test_a_row_a_caption_is_found_and_its_captions_belong_to_the_picture(
    tmp_path: Path, make_picture: PictureMaker
) -> None:
    rows = shop(tmp_path, make_picture, 2)
    report = check(catalogue(tmp_path, *rows, {"file_name": "0.png", "text": "a vase of clay"}))
    assert names(by_kind(report)["again"]) == [["0.png"]]
    assert (report.counts.usable, report.counts.duplicates, report.counts.alike) == (2, 0, 0)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("赤いカップ", "japanese"),
        ("Tシャツ", "japanese"),
        ("a cup", "latin"),
        ("tasse à thé", "latin"),
        ("чашка 7", "other"),
    ],
)
def test_languages_are_told_by_script(text: str, language: str) -> None:
    assert language_of(text) == language


def test_lengths_are_letters_of_japanese_and_words_of_others() -> None:
    count = CaptionCount()
    for place, text in enumerate(["a red cup.", "red cups, two of them", "cup", "赤い カップ。"]):
        count.add(place, [text])
    assert count.summaries() == {"japanese": (1, 5, 5, 5), "latin": (3, 1, 3, 5)}


def test_a_word_counts_by_its_pictures_not_by_how_often_it_is_said() -> None:
    count = CaptionCount()
    for place in range(3):
        count.add(place, ["A red cup", "a cup of red"] if place else ["a CUP, cup, cup"])
    assert count.rare_words() == [("of", 2), ("red", 2)]


def test_attributes_are_covered_and_names_are_not_counted(tmp_path: Path, make_picture: PictureMaker) -> None:
    rows = shop(tmp_path, make_picture, 6)
    rows = [{**row, "sku": f"A-{n}", "color": "red" if n < 4 else "blue"} for n, row in enumerate(rows)]
    del rows[0]["color"]
    (tmp_path / "5.png").unlink()
    report = check(catalogue(tmp_path, *rows))
    assert [(one.name, one.values, one.without) for one in report.attributes] == [
        ("color", [("red", 3), ("blue", 1)], 1)
    ]
    assert report.uncounted == ["sku"]
    assert report.counts.few == [("color", "blue", 1), ("color", "red", 3)]


def test_words_count_once_a_picture_and_not_of_pictures_that_cannot_be_used(
    tmp_path: Path, make_picture: PictureMaker
) -> None:
    rows = shop(tmp_path, make_picture, 7)
    for number in (0, 1, 2):
        rows[number]["text"] += " giraffe"
        (tmp_path / f"{number}.png").unlink()
    rows += [{**rows[6], "text": "a unicorn"}, {**rows[6], "text": "one unicorn"}, {**rows[6], "text": "the unicorn"}]
    rare = dict(check(catalogue(tmp_path, *rows)).rare_words)
    assert (rare["giraffe"], rare["unicorn"]) == (0, 1)
    assert "vase" not in rare


@pytest.mark.parametrize("day", ["2024-04-{:02}", "2024/4/{}", "2024年4月{}日", "2024-04-{:02} 09:30:00"])
def test_days_are_no_kinds(tmp_path: Path, make_picture: PictureMaker, day: str) -> None:
    rows = [{**row, "since": day.format(1 + n // 3)} for n, row in enumerate(shop(tmp_path, make_picture, 6))]
    report = check(catalogue(tmp_path, *rows))
    assert (report.attributes, report.uncounted, report.counts.few) == ([], ["since"], [])


def test_an_attribute_with_too_many_values_is_forgotten() -> None:
    count = AttributeCount()
    for number in range(3 * MOST_VALUES):
        count.add({"price": str(number % (MOST_VALUES + 1)), "kind": "cup"})
    assert [coverage.name for coverage in count.coverage()] == ["kind"]
    assert count.uncounted() == ["price"]


@pytest.mark.parametrize(
    ("counts", "decision", "reason"),
    [
        (Counts(WITH_BASE - 1, WITH_BASE - 1), "not_yet", "too_few"),
        (Counts(WITH_BASE, WITH_BASE), "base", "enough_with_base"),
        (Counts(FROM_SCRATCH - 1, FROM_SCRATCH - 1), "base", "enough_with_base"),
        (Counts(FROM_SCRATCH, FROM_SCRATCH), "go", "enough"),
        (Counts(2000, 1380, unusable=620), "not_yet", "unusable"),
        (Counts(2000, 1420, unusable=580), "go", "unusable"),
        (Counts(6000, 1980, unusable=20, repeats=4000), "go", "repeats"),
        (Counts(2000, 2000, alike=1700), "not_yet", "alike"),
        (Counts(2000, 2000, alike=1500), "go", "alike"),
        (Counts(2000, 1500, duplicates=500), "go", "copies"),
        (Counts(2000, 2000, across=2), "go", "across"),
        (Counts(2000, 2000, rare=5, words=9), "go", "rare_words"),
    ],
)
def test_the_verdict_follows_from_the_counts(counts: Counts, decision: str, reason: str) -> None:
    verdict = judge(counts)
    assert verdict.decision == decision
    assert reason in [line.key for line in verdict.reasons]


def test_the_verdict_says_what_to_add() -> None:
    few = [("color", "teal", 3)]
    advice = {line.key: line.values for line in judge(Counts(90, 40, unusable=30, no_caption=20, few=few)).advice}
    assert [advice[key]["count"] for key in ("mend", "write_captions", "add_for_base", "add_for_scratch")] == [
        10,
        20,
        WITH_BASE - 40,
        FROM_SCRATCH - 40,
    ]
    assert advice["fill_up"]["values"] == "color: teal (3)"
    assert judge(Counts(2000, 2000)).advice == []


def test_every_sentence_is_in_its_language_and_every_line_of_a_verdict_has_one() -> None:
    for key, text in TEXTS.items():
        assert re.search("[ぁ-んァ-ン一-龠]", text.ja) or "px" in text.ja, key
    everything = Counts(900, 40, 500, 300, 50, 30, 20, 3, 40, 1, 9, 9, 9, 9, [("color", "teal", 3)])
    judged = [judge(counts) for counts in (everything, Counts(200, 200), Counts(2000, 2000))]
    told = {f"reason.{line.key}" for verdict in judged for line in verdict.reasons}
    told |= {f"advice.{line.key}" for verdict in judged for line in verdict.advice}
    told |= {f"{part}.{kind}" for kind in LEVELS for part in ("finding", "means")}
    assert told == {key for key in TEXTS if key.startswith(("reason.", "advice.", "finding.", "means."))}


class Tags(HTMLParser):
    """The attributes of all tags, and the text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_tells_everything_and_asks_for_nothing(
    language: Any, tmp_path: Path, make_picture: PictureMaker
) -> None:
    rows = shop(tmp_path, make_picture, 6)
    rows[0]["text"] = '&lt;script src="http://x.example/x.js"&gt;&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;'
    rows[1]["color"] = rows[2]["color"] = rows[3]["color"] = "<b>teal"
    rows[4]["color"] = rows[5]["color"] = "teal"
    spoil(tmp_path, "missing")
    Image.open(tmp_path / "2.png").save(tmp_path / "3.png")
    report = check(catalogue(tmp_path, *rows))
    html = page(report, language)
    tags = Tags(html)
    assert {tag for tag, _ in tags.seen} & {"script", "link", "iframe", "object", "b "} == set()
    sources = [str(attributes["src"]) for _, attributes in tags.seen if "src" in attributes]
    assert len(sources) == 6  # four samples and two copies
    assert all(source.startswith("data:image/jpeg;base64,/9j/") for source in sources)
    assert not any(name.startswith("on") for _, attributes in tags.seen for name in attributes)
    assert "url(" not in html
    for finding in report.findings:
        assert getattr(TEXTS[f"finding.{finding.kind}"], language) in tags.text
    assert '<script src="http://x.example/x.js"></script><img src=x onerror=alert(1)>' in tags.text
    assert "<b>teal" in tags.text


def test_whatever_a_reader_passes_over_has_words() -> None:
    sources = [path.read_text("utf-8") for path in Path(check_module.__file__).parent.glob("*.py")]
    kinds = {kind for source in sources for kind in re.findall(r'problems\.add\("([^"]+)"', source)}
    assert "rows that name no picture" in kinds
    assert {f"left_out.{kind}" for kind in kinds} == {key for key in TEXTS if key.startswith("left_out.")}
    found = ("sheets that are not read", 2, "metadata.xlsx: 旧")
    assert left_out(found, "ja").startswith("読み込まないシート: 2 枚(最初は metadata.xlsx: 旧)。")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_json_says_the_same_as_the_page(language: Any, tmp_path: Path, make_picture: PictureMaker) -> None:
    rows = shop(tmp_path, make_picture)
    spoil(tmp_path, "tiny")
    report = check(catalogue(tmp_path, *rows))
    data = json.loads(json.dumps(as_data(report, language), allow_nan=False))
    assert data["verdict"] == "not_yet"
    assert data["verdict_text"] == getattr(TEXTS["verdict.not_yet"], language)
    (finding,) = data["findings"]
    assert (finding["kind"], finding["count"]) == ("tiny", 1)
    assert finding["groups"] == [[{"file_name": "1.png", "found": "200x15"}]]
    assert data["reasons"][0]["usable"] == data["counts"]["usable"] == 3
    assert data["read_as"] == {
        "layout": "imagefolder",
        "columns": {"file": "file_name", "texts": ["text"], "template": None},
    }


def test_an_empty_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_text("file_name,text\n")
    with pytest.raises(UserError, match="no picture in it; add rows"):
        check(Catalogue.open(tmp_path))


def test_nothing_in_the_catalogue_is_touched(tmp_path: Path, make_picture: PictureMaker) -> None:
    folder = tmp_path / "shop"
    source = catalogue(folder, *shop_in(folder, make_picture))
    state = lambda: {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.rglob("*") if p.is_file()}  # noqa: E731
    before = state()
    (tmp_path / "clean").mkdir()
    write_cleaned(source, check(source), tmp_path / "clean")
    assert state() == before


def shop_in(folder: Path, make_picture: PictureMaker) -> list[dict[str, Any]]:
    """A shop with one of each fault: 0 and 5 are sound, 4 a copy of 0, 1 broken, 2 missing, 3 without caption."""
    rows = shop(folder, make_picture, 6)
    spoil(folder, "broken")
    (folder / "2.png").unlink()
    rows[3]["text"] = ""
    Image.open(folder / "0.png").save(folder / "4.png", compress_level=1)
    rows[5]["color"] = "red"
    rows[5]["split"] = "test"
    return [*rows, {"file_name": "5.png", "text": "the same vase again"}]


def test_a_cleaned_catalogue_holds_what_is_usable_with_all_its_captions(
    tmp_path: Path, make_picture: PictureMaker
) -> None:
    source = catalogue(tmp_path / "shop", *shop_in(tmp_path / "shop", make_picture))
    clean = tmp_path / "clean"
    clean.mkdir()
    report = check(source)
    assert write_cleaned(source, report, clean) == report.counts.usable == 2
    found = {item.name: (item.texts, item.attributes, item.split) for item in Catalogue.open(clean)}
    assert found == {
        "0.png": (("a vase of kind 0", "a vase of kind 4"), {}, None),
        "5.png": (("a vase of kind 5", "the same vase again"), {"color": "red"}, "test"),
    }
    assert (clean / "0.png").read_bytes() == (tmp_path / "shop" / "0.png").read_bytes()
    assert check(Catalogue.open(clean)).findings == []


def test_a_cleaned_catalogue_keeps_names_apart_and_columns_what_they_were(
    tmp_path: Path, make_picture: PictureMaker
) -> None:
    apart = unicodedata.normalize("NFD", "グラス.png")
    folder = tmp_path / "shop"
    for number, name in enumerate((apart, "グラス.png")):
        make_picture(folder / name, seed=number)
    rows = [{"file": name, "説明": f"glass {n}", "text": "internal"} for n, name in enumerate((apart, "グラス.png"))]
    catalogue(folder, *rows)
    source = Catalogue.open(folder, Columns(texts=("説明",)))
    (tmp_path / "clean").mkdir()
    write_cleaned(source, check(source), tmp_path / "clean")
    found = {item.name: (item.texts, item.attributes) for item in Catalogue.open(tmp_path / "clean")}
    assert found == {
        "グラス.png": (("glass 0",), {"text_": "internal"}),
        "グラス-2.png": (("glass 1",), {"text_": "internal"}),
    }


def test_official_splits_are_counted_as_training_would_use_them(tmp_path: Path, make_picture: PictureMaker) -> None:
    rows = [{**row, "split": SPLITS[n % 3]} for n, row in enumerate(shop(tmp_path, make_picture, 6))]
    assert check(catalogue(tmp_path, *rows)).splits == {"train": 2, "validation": 2, "test": 2}


def test_shards_are_checked_and_cleaned_like_folders(tmp_path: Path, make_picture: PictureMaker) -> None:
    pytest.importorskip("webdataset")
    shop(tmp_path, make_picture, 3)
    spoil(tmp_path, "broken")
    (tmp_path / "shards").mkdir()
    with tarfile.open(tmp_path / "shards" / "a.tar", "w") as archive:
        for number in range(3):
            (tmp_path / f"{number}.txt").write_text(f"a vase of kind {number}")
            for suffix in ("png", "txt"):
                archive.add(tmp_path / f"{number}.{suffix}", f"{number}.{suffix}")
    source, clean = Catalogue.open(tmp_path / "shards"), tmp_path / "clean"
    clean.mkdir()
    report = check(source)
    assert [(finding.kind, names(finding)) for finding in report.findings] == [("broken", [["a/1.png"]])]
    assert report.samples[1].thumb is not None
    assert write_cleaned(source, report, clean) == 2
    assert (clean / "a" / "2.png").read_bytes() == (tmp_path / "2.png").read_bytes()


def test_a_cleaned_catalogue_is_cropped_as_the_layout_says(tmp_path: Path, make_picture: PictureMaker) -> None:
    for place in (tmp_path / "birds" / "images" / "1.Wren", tmp_path / "birds" / "text_c10" / "1.Wren", tmp_path / "c"):
        place.mkdir(parents=True)
    make_picture(tmp_path / "birds" / "images" / "1.Wren" / "a.jpg", size=(100, 80))
    for name, text in {
        "text_c10/1.Wren/a.txt": "a small wren",
        "images.txt": "1 1.Wren/a.jpg",
        "bounding_boxes.txt": "1 0 30 40 20",
        "trainvalclasses.txt": "1.Wren",
        "testclasses.txt": "2.Auk",
    }.items():
        (tmp_path / "birds" / name).write_text(text)
    source = Catalogue.open(tmp_path / "birds")
    write_cleaned(source, check(source), tmp_path / "c")
    (item,) = Catalogue.open(tmp_path / "c")
    assert (item.texts, item.attributes, item.split) == (("a small wren",), {"class": "1.Wren"}, "train")
    with item.open() as cropped, Image.open(cropped) as picture, next(iter(source)).open() as whole:
        assert np.array_equal(picture, np.asarray(Image.open(whole))[10:70, :50])


def test_a_catalogue_without_one_usable_picture_still_gets_its_report(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"")
    report = check(catalogue(tmp_path, {"file_name": "1.png", "text": "a"}, {"file_name": "2.png", "text": ""}))
    assert [(finding.kind, finding.count) for finding in report.findings] == [("missing", 1), ("broken", 1)]
    assert (report.verdict.decision, report.counts.usable, report.sides) == ("not_yet", 0, None)
    for language in LANGUAGES:
        assert "2.png" in page(report, language)
        assert as_data(report, language)["splits"] == {"train": 0, "validation": 0, "test": 0}
